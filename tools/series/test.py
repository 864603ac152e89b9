# SPDX-License-Identifier: Apache-2.0

"""Test every commit by itself, because each has to be correct by itself.

Of each commit, checked out: the modules that it touches are imported, their
style is checked as ``./series check`` does, and their unit tests run, as
:mod:`tools.series.tests_of` finds them, and the functional tests that the
commit adds.
"""

import functools
import pathlib
import re
import tempfile
import time

from tools.common import errors
from tools.common import progress
from tools.series import bench as benches
from tools.series import commits
from tools.series import projects
from tools.series import show
from tools.series import style
from tools.series import tests_of
from tools.series import tree

_IMPORT = ('import importlib, sys\n'
           'for name in sys.argv[1:]: importlib.import_module(name)')


def test(root, wanted, version, endpoint=None, project=projects.CINDER,
         functional=True):
    """Test commits of a project, as many at once as there are processors.

    :param pathlib.Path root: the top of this repository
    :param str wanted: ``A..B`` for the commits from A to B, both included,
        each as :func:`tools.series.show.find` takes it or left out; or one
        commit; None for all
    :param str version: the release
    :param str endpoint: the address of the package index
    :param tools.series.projects.Project project: the project
    :param bool functional: whether functional tests run too
    :raises ToolError: naming each commit that fails, or if the project itself
        cannot be imported
    """
    series = commits.load(root, project)
    first, last = _ends(series, wanted)
    built = tree.build(root, version, endpoint, project)
    chosen = [(commit, made) for commit, made in tree.made(built, series)
              if first <= commit.number <= last]
    if not chosen:
        raise errors.ToolError(
            f'None of the commits {wanted} is in {built.name}.')
    with tempfile.TemporaryDirectory() as folder:
        bench = benches.Bench(built, pathlib.Path(folder), project)
        _check_environment(bench, project)
        failed = list(filter(None, bench.map(
            functools.partial(_test, root, bench, functional), chosen)))
    if failed:
        raise errors.ToolError('\n'.join(
            [f'{len(failed)} of {len(chosen)} commits fail:', *failed]))
    progress.say(f'{len(chosen)} commits pass, each by itself')


def _ends(series, wanted):
    """Read ``A..B``; return the numbers of the first and the last."""
    first, dots, last = (wanted or '..').partition('..')
    if not dots:
        last = first
    numbers = (show.find(series, first).number if first else 1,
               show.find(series, last).number if last else len(series))
    if numbers[0] > numbers[1]:
        raise errors.ToolError(
            f'{wanted}: expected A..B with A before B, but A is number '
            f'{numbers[0]} and B number {numbers[1]}.')
    return numbers


def _check_environment(bench, project):
    """Tell what is missing here apart from what a commit breaks."""
    with bench.checked_out('upstream') as repository:
        status, told = bench.python(
            repository, '-c', _IMPORT, _name(project.unit))
    if status:
        raise errors.ToolError(
            f'{project.title} as released cannot be imported, "tox -e '
            f'commits" has what it needs: {_last_line(told)}')


def _test(root, bench, functional, commit, made):
    """Test a commit; return what fails, or None, and print its output."""
    begun = time.monotonic()
    with bench.checked_out(made) as repository:
        touched = repository.paths(
            'diff-tree', '-r', '--name-only', '--no-commit-id',
            '--diff-filter=d', made)
        files = repository.paths('ls-files')
        modules = sorted(path for path in touched
                         if path.startswith(f'{commit.project.name}/') and
                         path.endswith('.py'))
        tests = {found for path in touched
                 for found in tests_of.tests_of(path, files, commit.project)}
        problems = [*_imports(bench, repository, commit, modules),
                    *style.findings(root, repository, commit, made)]
        ran = 0
        functional_tests = tests_of.functional(commit) if functional else ()
        for chosen in tests, functional_tests:
            passed, failed = _run(bench, repository, commit, chosen)
            ran += passed
            problems += failed
    name = f'[{commit.number}] {commit.subject}'
    if problems:
        progress.say(f'{name}: FAILED')
        return '\n'.join(problems)
    progress.say(f'{name}: {len(modules)} modules, {ran} tests, '
                 f'{time.monotonic() - begun:.0f} s')
    return None


def _imports(bench, repository, commit, modules):
    """Import modules; return what cannot be imported."""
    if not modules:
        return []
    status, told = bench.python(
        repository, '-c', _IMPORT, _name(commit.project.unit),
        *map(_name, modules))
    if not status:
        return []
    print(told, flush=True)
    return [f'Commit {commit.name}: a module that it touches cannot be '
            f'imported: {_last_line(told)}']


def _run(bench, repository, commit, tests):
    """Run test modules; return how many tests, and what failed."""
    if not tests:
        return 0, []
    status, told = bench.python(
        repository, '-m', 'testtools.run', *map(_name, sorted(tests)))
    ran = re.search(r'^Ran (\d+) test', told, re.MULTILINE)
    number = int(ran[1]) if ran else 0
    if number and not status:
        return number, []
    print(told, flush=True)
    failed = re.findall(r'^(?:FAIL|ERROR): .+', told, re.MULTILINE)
    if not failed:
        failed = [f'{number} tests ran, of {", ".join(sorted(tests))}']
    return number, [f'Commit {commit.name}: {line}' for line in failed]


def _last_line(told):
    return (told.splitlines() or ['it printed nothing'])[-1]


def _name(path):
    """Return what Python calls a module."""
    return path.removesuffix('.py').removesuffix('/__init__').replace('/', '.')
