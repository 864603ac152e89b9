# SPDX-License-Identifier: Apache-2.0

"""The checks of this repository, each of which tox.ini names.

    python -m tools.checks pep8             style, of the series commit by commit, and
                                    the lists of what must fail where
    python -m tools.checks tools            our own tools' tests
    python -m tools.checks unit             Cinder's tests of what the series touches
    python -m tools.checks functional       real services, concurrent requests
    python -m tools.checks locks            the locks on every backend, real servers
    python -m tools.checks unpatched        each test fails where it must
    python -m tools.checks upstream         Cinder's whole unit suite
    python -m tools.checks docs             Cinder's documentation with ours in it
    python -m tools.checks releasenotes     the release notes of the series
    python -m tools.checks wheel            the wheel, installed: a storm on it
    python -m tools.checks sum CHECK ...    add results up; the last line is the sum
    python -m tools.checks trees            make the trees that the storm compares

``unit``, ``functional``, ``locks`` and ``upstream`` take ``--threads`` for
native threads instead of eventlet; ``unit``, ``functional`` and ``locks``
take ``--cinder RELEASE``, and ``upstream`` takes ``--core``, without drivers
that the series does not touch. Results are kept in build/results/.
"""

import argparse
import os
import subprocess
import sys

from tools.checks import docs
from tools.checks import results
from tools.checks import runner
from tools.checks import trees
from tools.checks import unpatched
from tools.checks import upstream
from tools.checks import wheel
from tools.common import errors
from tools.common.paths import ROOT
from tools.series import releases
from tools.series import tree

CINDER = releases.default(ROOT)
OURS = ('tools', 'tests')
TOUCHED = (r'cinder\.tests\.unit\.(rwlock|message|backup\.test_backup\b|'
           r'test_coordination|test_synchronized|test_lock_file_removal|'
           r'test_utils|group\.test_groups_manager|volume\.flows|'
           r'volume\.drivers\.test_(lvm|rbd)|'
           r'volume\.test_(volume|snapshot|volume_migration|volume_retype|'
           r'absent_source|source_is_gone|source_state)\b)')
"""Cinder's unit tests of the modules that the series touches."""
CORE = r'^cinder\.tests\.unit\.(?!volume\.drivers\.)|' + TOUCHED
"""Cinder's unit tests without those of other drivers, two thirds of all."""
RACES = (r'functional\.test_(create_without_request|parallel_creates|'
         r'exclusive_creates|failed_clone|damaged_source|image_volumes|'
         r'group_sources|rewritten_sources|restored_sources|migrated_sources|'
         r'lost_source_lock)\b')
"""The functional tests of creates and of what endangers their sources."""
NOT_OURS = (r'(?!.*(rwlock|test_synchronized|test_lock_file_removal|'
            r'test_absent_source|test_source_is_gone|test_source_state|'
            r'test_lvm_parallel_creates|'
            r'test_rbd_(event_loop|exclusive_clones)|' +
            RACES + '))')
"""Tests that Cinder itself may skip, in the one mode or the other."""


def main():
    options = _parser().parse_args()
    try:
        sys.exit(options.check(options))
    except errors.ToolError as error:
        sys.exit(f'error: {error}')


def _parser():
    parser = argparse.ArgumentParser(
        prog='python -m tools.checks', description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    checks = parser.add_subparsers(required=True, metavar='CHECK')
    for name, check in (('pep8', _pep8), ('tools', _tools), ('unit', _unit),
                        ('functional', _functional), ('locks', _locks),
                        ('unpatched', _unpatched), ('upstream', _upstream),
                        ('docs', _docs), ('releasenotes', _releasenotes),
                        ('trees', _trees), ('wheel', _wheel)):
        check_parser = checks.add_parser(name)
        check_parser.set_defaults(check=check)
        if check in (_unit, _functional, _locks, _upstream):
            check_parser.add_argument('--threads', action='store_true')
        if check is _upstream:
            check_parser.add_argument('--core', action='store_true')
        if check in (_unit, _functional, _locks):
            check_parser.add_argument('--cinder', default=CINDER,
                                      metavar='RELEASE')
    add_up = checks.add_parser('sum')
    add_up.add_argument('names', nargs='+')
    add_up.set_defaults(check=lambda options: results.add_up(options.names))
    return parser


def _cinder(version=CINDER):
    return tree.build(ROOT, version)


def _pep8(_options):
    commands = ([sys.executable, '-m', 'tools.series', 'check'],
                [sys.executable, '-m', 'flake8', *OURS])
    failed = [' '.join(command[1:]) for command in commands
              if subprocess.run(command, cwd=ROOT).returncode]
    passed = len(commands) - len(failed)
    complaints = unpatched.complaints(ROOT, _cinder())
    return results.tell('pep8', results.Result(
        passed + (not complaints), (*failed, *complaints)))


def _trees(_options):
    trees.make(ROOT, trees.lay_out(ROOT, _cinder(), 'upstream'),
               trees.Tree('upstream', 'upstream', {}, {}))


def _tools(_options):
    return results.tell('tools', results.of(
        runner.run_all(ROOT, 'tests', '')))


def _unit(options):
    return _in_cinder('unit', './cinder/tests/unit', TOUCHED, options)


def _functional(options):
    # These tests wait for each other a third of the time.
    return _in_cinder('functional', './cinder/tests/functional',
                      RACES, options, workers=3 * os.cpu_count() // 2)


def _locks(options):
    # These tests wait for leases and dead servers most of the time.
    return _in_cinder('locks', './cinder/tests/functional',
                      r'functional\.rwlock', options,
                      workers=3 * os.cpu_count())


def _in_cinder(name, path, pattern, options, **how):
    if options.cinder != CINDER:
        name += f'-{options.cinder}'
    return results.tell(
        _in_mode(name, options.threads),
        results.of(runner.run_all(_cinder(options.cinder), path, pattern,
                                  options.threads, **how), NOT_OURS))


def _in_mode(name, threads):
    return name + ('-threads' if threads else '')


def _unpatched(_options):
    return results.tell('unpatched', unpatched.run(ROOT, _cinder()))


def _upstream(options):
    name = 'upstream-core' if options.core else 'upstream'
    return results.tell(
        _in_mode(name, options.threads),
        upstream.run(ROOT, _cinder(), CORE if options.core else '',
                     options.threads, NOT_OURS))


def _docs(_options):
    return results.tell('docs', docs.build_pages(ROOT, _cinder()))


def _releasenotes(_options):
    return results.tell('releasenotes', docs.build_notes(ROOT, _cinder()))


def _wheel(_options):
    return results.tell('wheel', wheel.run(ROOT, CINDER, _cinder()))


if __name__ == '__main__':
    main()
