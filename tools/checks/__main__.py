# SPDX-License-Identifier: Apache-2.0

"""What the environments of tox.ini run: ``python -m tools.checks NAME``.

    pep8             style, of the series commit by commit, and the lists that
                     say which test runs where and fails where
    tools            the tests of our own tools
    unit             unit tests of what the series touches
    functional       concurrent requests to real services
    tooz             tooz's own suite on the drivers that share locks, or on
                     those in front of a pattern: file|redis:test_shared_locks
    release          unit and functional tests, as one
    mutants          each test fails on the mutants that it must notice
    upstream         Cinder's whole unit suite
    docs             Cinder's documentation with ours in it
    releasenotes     the release notes of the series
    wheel            the wheels, installed, and a storm on them
    builds           the trees of all releases, of Cinder and of tooz
    trees            make Cinder as released, for whatever compares

A PATTERN, a regular expression such as ``test_file``, chooses among the tests.
"""

import argparse
import functools
import os
import subprocess
import sys

from tools.checks import docs
from tools.checks import facts
from tools.checks.mutants import run as mutants
from tools.checks import results
from tools.checks import runner
from tools.checks import selection
from tools.checks import tooz_suite
from tools.checks import trees
from tools.checks import upstream
from tools.checks import wheel
from tools.common import errors
from tools.common.paths import ROOT
from tools.series import commits
from tools.series import git
from tools.series import projects
from tools.series import releases
from tools.series import tree

CINDER = releases.default(ROOT)


def main():
    options = parse(sys.argv[1:])
    name = options.check
    if options.cinder != CINDER:
        name += f'-{options.cinder}'
    for flag in ('core', 'threads'):
        name += f'-{flag}' if getattr(options, flag) else ''
    try:
        result = CHECKS[options.check](options)
    except errors.ToolError as error:
        sys.exit(f'error: {error}')
    sys.exit(results.tell(name, result) if result else 0)


def parse(arguments):
    """Parse the arguments of the command line.

    :param list[str] arguments: the arguments; a pattern can stand behind the
        options, as tox puts it there
    :rtype: argparse.Namespace
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.checks', description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('check', choices=CHECKS, metavar='NAME')
    parser.add_argument('pattern', nargs='?', default='', metavar='PATTERN')
    parser.add_argument('--threads', action='store_true',
                        help='native threads instead of eventlet')
    parser.add_argument('--core', action='store_true',
                        help='for upstream: leave out the tests of drivers '
                             'that the series does not touch')
    parser.add_argument('--cinder', default=CINDER, metavar='RELEASE',
                        help='the release of Cinder (default: %(default)s)')
    return parser.parse_intermixed_args(arguments)


def _cinder(options):
    return tree.build(ROOT, options.cinder)


def _pep8(options):
    commands = ([sys.executable, '-m', 'tools.series', 'check'],
                [sys.executable, '-m', 'flake8', 'tools', 'tests'])
    failed = [' '.join(command[1:]) for command in commands
              if subprocess.run(command, cwd=ROOT).returncode]
    lists = (selection.problems(commits.load(ROOT)),
             list(facts.problems(ROOT)),
             mutants.complaints(ROOT, _cinder(options)))
    return results.Result(
        len(commands) - len(failed) + sum(not found for found in lists),
        (*failed, *sum(lists, [])))


def _tools(options):
    return results.of(runner.run_all(ROOT, 'tests', options.pattern))


def _unit(options):
    files = git.Git(_cinder(options), ours=True).line('ls-files').split('\n')
    return _in_cinder(options, selection.unit(commits.load(ROOT), files))


def _functional(options):
    # These tests wait for each other a third of the time.
    return _in_cinder(options, selection.functional(commits.load(ROOT)),
                      workers=3 * os.cpu_count() // 2)


def _in_cinder(options, paths, **how):
    outcomes = runner.run_all(_cinder(options), paths, options.pattern,
                              options.threads, **how)
    return results.of(outcomes, _may_skip)


def _may_skip(test):
    """Tell whether a test may be skipped.

    Cinder's own may.  Ours may where nobody asked for the server that they
    need, and say so.
    """
    return not (os.environ.get('CINDER_TEST_SERVERS') and _is_ours(test))


def _is_ours(test):
    return test.startswith(_our_modules())


@functools.cache
def _our_modules():
    return tuple(runner.name(path) + '.'
                 for path in selection.ours(commits.load(ROOT)))


def _release(options):
    if not options.pattern:
        return _unit(options) + _functional(options)
    # A pattern may be for one of them alone.
    found = [result for result in (_unit(options), _functional(options))
             if result.failed != ('no test ran',)]
    return sum(found[1:], found[0]) if found else results.of({})


def _mutants(options):
    return mutants.run(ROOT, _cinder(options), options.pattern)


def _upstream(options):
    part = upstream.CORE if options.core else ''
    return upstream.run(
        ROOT, _cinder(options), f'^(?=.*(?:{options.pattern}))(?:{part})',
        options.threads, lambda test: not _is_ours(test))


def _tooz(options):
    built = tree.build(ROOT, releases.default(ROOT, projects.TOOZ),
                       project=projects.TOOZ)
    files = git.Git(built, ours=True).line('ls-files').split('\n')
    return tooz_suite.run(built, files, options.pattern, options.threads)


def _docs(options):
    return docs.build_pages(ROOT, _cinder(options))


def _releasenotes(options):
    return docs.build_notes(ROOT, _cinder(options))


def _wheel(options):
    return wheel.run(ROOT, CINDER, _cinder(options))


def _builds(_options):
    wanted = [(project, version) for project in projects.here(ROOT)
              for version in releases.load(ROOT, project)]
    for project, version in wanted:
        tree.build(ROOT, version, project=project)
    return results.Result(len(wanted))


def _trees(options):
    trees.make(ROOT, trees.lay_out(ROOT, _cinder(options), 'upstream'),
               trees.Tree('upstream', 'upstream', {}, {}))


CHECKS = {'pep8': _pep8, 'tools': _tools, 'unit': _unit,
          'functional': _functional, 'tooz': _tooz, 'release': _release,
          'mutants': _mutants, 'upstream': _upstream, 'docs': _docs,
          'releasenotes': _releasenotes, 'wheel': _wheel, 'builds': _builds,
          'trees': _trees}


if __name__ == '__main__':
    main()
