# SPDX-License-Identifier: Apache-2.0

"""The command line: ``./series COMMAND``."""

import argparse
import functools
import pathlib
import sys

from tools.common import cli
from tools.common import errors
from tools.common.paths import ROOT
from tools.series import check
from tools.series import export
from tools.series import onto
from tools.series import projects
from tools.series import releases
from tools.series import show
from tools.series import take
from tools.series import test
from tools.series import tree
from tools.series import wheel


def main(arguments=None, root=ROOT, endpoint=None):
    """Run a command.

    :param list[str] arguments: the arguments; the program's by default
    :param pathlib.Path root: the top of this repository
    :param str endpoint: the address of the package index
    :returns: the exit status
    :rtype: int
    """
    options = _parser().parse_args(arguments)
    return cli.run(options.run, root, options, endpoint)


def _parser():
    parser = argparse.ArgumentParser(
        prog='series',
        description='Turn this repository into git commits on releases of '
                    'Cinder and tooz. Without a PROJECT a command is for all '
                    'of them.')
    commands = parser.add_subparsers(required=True, metavar='COMMAND')

    def add(run, name, text):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument(
            'project', nargs='?', metavar='PROJECT',
            help=f'{" or ".join(projects.PROJECTS)} (default: all)')
        where = command.add_mutually_exclusive_group()
        for project in projects.PROJECTS.values():
            where.add_argument(
                f'--{project.name}', metavar='RELEASE',
                help=f'{project.title} alone, and this release of it '
                     f'(default: the first of {project.releases})')
        return command, where

    _, where = add(_build, 'build',
                   'make a git tree of a project with its commits on top')
    where.add_argument(
        '--onto', type=pathlib.Path, metavar='DIR',
        help='put the commits on top of this checkout of a project instead')

    add(_take, 'take', 'bring home what was committed in the built tree')
    add(functools.partial(_all, check.check), 'check',
        'verify all of the series, leaving no tree behind')

    command, _ = add(_show, 'show',
                     'list the commits, all or those that touch a file, or '
                     'show one as a diff')
    command.add_argument(
        'wanted', nargs='?', metavar='COMMIT|FILE',
        help='number, name or unique start of the Change-Id of a commit, or '
             'a file such as cinder/volume/manager.py')

    command, _ = add(_test, 'test', 'test every commit by itself: imports, '
                                    'style, unit and functional tests')
    command.add_argument(
        '--commits', metavar='A..B',
        help='from which commit to which, both included, each named as for '
             'show (default: all)')
    command.add_argument(
        '--unit', action='store_true',
        help='leave the functional tests to an environment of their own')

    add(functools.partial(_all, export.export), 'export',
        'write a cover letter and the patches into dist/')
    add(functools.partial(_all, wheel.make), 'wheel',
        'make an installable project with its series in dist/')
    return parser


def _chosen(root, options):
    """Choose projects and releases; return pairs of both."""
    chosen = {project: version for project in projects.PROJECTS.values()
              if (version := getattr(options, project.name)) is not None}
    if options.project is not None:
        named = projects.find(options.project)
        for project, version in chosen.items():
            if project is not named:
                raise errors.ToolError(
                    f'expected a release of {named.title}, found '
                    f'{project.title} {version}.')
        chosen = chosen or {named: None}
    chosen = chosen or dict.fromkeys(projects.here(root))
    return [(project, releases.default(root, project)
             if version is None else version)
            for project, version in chosen.items()]


def _all(run, root, options, endpoint):
    _each(run, root, _chosen(root, options), endpoint)


def _each(run, root, chosen, endpoint):
    """Do something for each project, and tell of all that fail."""
    failed = []
    for project, version in chosen:
        try:
            run(root, version, endpoint, project)
        except errors.ToolError as error:
            failed.append(str(error))
    if failed:
        raise errors.ToolError('\n'.join(failed))


def _build(root, options, endpoint):
    if options.onto is None:
        _all(tree.build, root, options, endpoint)
    else:
        onto.put_onto(root, options.onto.absolute(), options.project and
                      projects.find(options.project))


def _take(root, options, endpoint):
    chosen = _chosen(root, options)
    built = [(project, version) for project, version in chosen
             if tree.folder_of(root, version, project).exists()]
    _each(take.take, root, built or chosen, endpoint)


def _show(root, options, endpoint):
    if options.wanted is None and options.project not in projects.PROJECTS:
        options.project, options.wanted = None, options.project
    show.show(root, _chosen(root, options), options.wanted, endpoint)


def _test(root, options, endpoint):
    def run(root, version, endpoint, project):
        test.test(root, options.commits, version, endpoint, project,
                  not options.unit)

    chosen = _chosen(root, options)
    if options.commits:
        chosen = [show.having(root, chosen, options.commits.strip('.'))]
    _each(run, root, chosen, endpoint)


if __name__ == '__main__':
    sys.exit(main())
