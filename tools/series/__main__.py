# SPDX-License-Identifier: Apache-2.0

"""The command line: ``./series COMMAND``."""

import argparse
import pathlib
import sys

from tools.common import cli
from tools.common.paths import ROOT
from tools.series import check
from tools.series import export
from tools.series import onto
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
    return cli.run(_run, options, root, endpoint)


def _run(options, root, endpoint):
    if options.cinder is None:
        options.cinder = releases.default(root)
    options.run(root, options, endpoint)


def _parser():
    parser = argparse.ArgumentParser(
        prog='series',
        description='Turn this repository into git commits on a release of '
                    'Cinder.')
    commands = parser.add_subparsers(required=True, metavar='COMMAND')

    def add(run, name, text):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    command = add(_build, 'build',
                  'make a git tree of Cinder with the commits on top')
    where = command.add_mutually_exclusive_group()
    _add_release(where)
    where.add_argument(
        '--onto', type=pathlib.Path, metavar='DIR',
        help='put the commits on top of this checkout of Cinder instead')

    _add_release(add(_take, 'take',
                     'bring home what was committed in the built tree'))
    _add_release(add(_check, 'check',
                     'verify all of the series, leaving no tree behind'))

    command = add(_show, 'show',
                  'list the commits, all or those that touch a file, or show '
                  'one as a diff')
    command.add_argument(
        'wanted', nargs='?', metavar='COMMIT|FILE',
        help='number, name or unique start of the Change-Id of a commit, or '
             'a file such as cinder/volume/manager.py')
    _add_release(command)

    command = add(_test, 'test',
                  'test every commit by itself: imports, style, unit tests')
    command.add_argument(
        '--commits', metavar='A..B',
        help='from which commit to which, both included, each named as for '
             'show (default: all)')
    _add_release(command)

    _add_release(add(_export, 'export',
                     'write a cover letter and the patches into dist/'))
    _add_release(add(_wheel, 'wheel',
                     'make an installable Cinder with the series in dist/'))
    return parser


def _add_release(command):
    command.add_argument(
        '--cinder', metavar='RELEASE',
        help=f'the release of Cinder (default: the first of {releases.LIST})')


def _build(root, options, endpoint):
    if options.onto is None:
        tree.build(root, options.cinder, endpoint)
    else:
        onto.put_onto(root, options.onto.absolute())


def _take(root, options, endpoint):
    take.take(root, options.cinder, endpoint)


def _check(root, options, endpoint):
    check.check(root, options.cinder, endpoint)


def _show(root, options, endpoint):
    show.show(root, options.wanted, options.cinder, endpoint)


def _test(root, options, endpoint):
    test.test(root, options.commits, options.cinder, endpoint)


def _export(root, options, endpoint):
    export.export(root, options.cinder, endpoint)


def _wheel(root, options, endpoint):
    wheel.make(root, options.cinder, endpoint)


if __name__ == '__main__':
    sys.exit(main())
