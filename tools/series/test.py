# SPDX-License-Identifier: Apache-2.0

"""Test every commit by itself, because each has to be correct by itself.

Of each commit, checked out: the modules that it touches are imported, their
style is checked as ``python -m tools.series check`` does, and their unit tests run.
Those are the tests that the commit touches, and for a module
``cinder/volume/manager.py`` those in ``cinder/tests/unit/volume/`` that are
named after it or its package: ``test_manager.py``, ``test_manager_*.py``,
``test_volume_manager.py`` and ``test_volume.py``; or, where there are none,
those in the folder above.
"""

import concurrent.futures
import contextlib
import importlib.util
import os
import pathlib
import queue
import re
import subprocess
import sys
import tempfile
import time

from tools.common import errors
from tools.common import progress
from tools.series import check
from tools.series import commits
from tools.series import git
from tools.series import show
from tools.series import tree

UNIT = 'cinder/tests/unit'
TEST_SECONDS = 600
"""After how long a test that hangs is stopped."""

_IMPORT = ('import importlib, sys\n'
           'for name in sys.argv[1:]: importlib.import_module(name)')


def test(root, wanted, version, endpoint=None):
    """Test commits of the series, as many at once as there are processors.

    :param pathlib.Path root: the top of this repository
    :param str wanted: ``A..B`` for the commits from A to B, both included,
        each as :func:`tools.series.show.find` takes it or left out; or one commit;
        None for all
    :param str version: the release of Cinder
    :param str endpoint: the address of the package index
    :raises ToolError: naming each commit that fails, or if Cinder itself
        cannot be imported
    """
    series = commits.load(root)
    first, last = _ends(series, wanted)
    built = tree.build(root, version, endpoint)
    chosen = [(commit, made) for commit, made in _made(built, series)
              if first <= commit.number <= last]
    if not chosen:
        raise errors.ToolError(
            f'None of the commits {wanted} is in {built.name}.')
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(built, pathlib.Path(folder))
        bench.check_environment()
        failed = list(filter(None, bench.map(bench.test, chosen)))
    if failed:
        raise errors.ToolError('\n'.join(
            [f'{len(failed)} of {len(chosen)} commits fail:', *failed]))
    progress.say(f'{len(chosen)} commits pass, each by itself')


def tests_of(path, files):
    """Find the unit tests of a file.

    :param str path: the file, relative to the top of Cinder
    :param files: all the files of the commit
    :returns: those that test it
    :rtype: set[str]
    """
    file = pathlib.PurePosixPath(path)
    if path.startswith('cinder/tests/'):
        return {path} if _is_test(file) else set()
    if file.parts[0] != 'cinder' or file.suffix != '.py':
        return set()
    module, package = re.escape(file.stem), re.escape(file.parent.name)
    names = rf'test_({module}(_\w+)?|{package}_{module}|{package})\.py'
    mirrored = UNIT / file.parent.relative_to('cinder')
    for folder in (mirrored, mirrored.parent):
        found = {other for other in files
                 if re.fullmatch(f'{re.escape(str(folder))}/{names}', other)}
        if found:
            return found
    return set()


def _is_test(file):
    return file.is_relative_to(UNIT) and file.match('test_*.py')


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


def _made(built, series):
    """Pair the commits of the series with those of the tree."""
    listed = git.Git(built, ours=True).line(
        'log', '--reverse', f'upstream..{tree.BRANCH}',
        '--format=%H %(trailers:key=Change-Id,valueonly,separator=%x20)')
    by_change = {commit.change_id: commit for commit in series}
    for line in listed.splitlines():
        made, change = line.split()
        yield by_change[change], made


class Bench:
    """Work trees, one for each processor, and what is tested in them.

    :param pathlib.Path built: the tree that ``python -m tools.series build`` made
    :param pathlib.Path folder: where the work trees go
    """

    def __init__(self, built, folder):
        self._built = built
        self._running = set()
        self._stopped = False
        self._free = queue.SimpleQueue()
        self._workers = os.cpu_count()
        for number in range(self._workers):
            git.Git(built, ours=True).run(
                'clone', '--quiet', '--shared', '--no-checkout', '.',
                str(folder / f'{number}'))
            self._free.put(git.Git(folder / f'{number}', ours=True))

    def map(self, function, arguments):
        """Call a function on all arguments, and leave nothing running.

        :param function: what to call
        :param arguments: a list of the arguments of each call
        :returns: an iterator of what it returns, in order
        """
        pool = concurrent.futures.ThreadPoolExecutor(self._workers)
        try:
            yield from pool.map(lambda each: function(*each), arguments)
        finally:
            self._stopped = True
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(self._running):
                process.kill()
            pool.shutdown()

    def check_environment(self):
        """Tell what is missing here apart from what a commit breaks.

        :raises ToolError: if Cinder as released cannot be imported
        """
        with self.checked_out('upstream') as repository:
            status, told = self.python(
                repository, '-c', _IMPORT, _name(UNIT))
        if status:
            raise errors.ToolError(
                f'Cinder as released cannot be imported, "tox -e commits" '
                f'has what it needs: {_last_line(told)}')

    def test(self, commit, made):
        """Test a commit.

        :param tools.series.commits.Commit commit: the commit
        :param str made: its hash
        :returns: what fails, or None; its output is printed
        """
        begun = time.monotonic()
        with self.checked_out(made) as repository:
            touched = _list(repository, 'diff-tree', '-r', '--name-only',
                            '--no-commit-id', '--diff-filter=d', made)
            files = _list(repository, 'ls-files')
            modules = sorted(path for path in touched
                             if path.startswith('cinder/') and
                             path.endswith('.py'))
            tests = sorted({found for path in touched
                            for found in tests_of(path, files)})
            problems = [*self._imports(repository, commit, modules),
                        *check.style(repository, commit, made)]
            ran, failed = self._unit_tests(repository, commit, tests)
            problems += failed
        name = f'[{commit.number}] {commit.subject}'
        if problems:
            progress.say(f'{name}: FAILED')
            return '\n'.join(problems)
        progress.say(
            f'{name}: {len(modules)} modules, {ran} unit tests, '
            f'{time.monotonic() - begun:.0f} s')
        return None

    @contextlib.contextmanager
    def checked_out(self, revision):
        """Borrow a work tree with a revision.

        :param str revision: the revision
        :returns: a context manager that gives the tree's repository
        """
        repository = self._free.get()
        try:
            changed = _list(repository, 'diff', '--name-only', 'HEAD',
                            revision)
            repository.run('checkout', '--quiet', '--force', '--detach',
                           revision)
            # Python tells bytecode to be old by whole seconds.
            for path in changed:
                if path.endswith('.py'):
                    compiled = importlib.util.cache_from_source(path)
                    (repository.path / compiled).unlink(missing_ok=True)
            yield repository
        finally:
            self._free.put(repository)

    def _imports(self, repository, commit, modules):
        """Import modules; return what cannot be imported."""
        if not modules:
            return []
        status, told = self.python(
            repository, '-c', _IMPORT, _name(UNIT), *map(_name, modules))
        if not status:
            return []
        print(told, flush=True)
        return [f'Commit {commit.name}: a module that it touches cannot be '
                f'imported: {_last_line(told)}']

    def _unit_tests(self, repository, commit, tests):
        """Run test modules; return how many tests, and what failed."""
        if not tests:
            return 0, []
        status, told = self.python(
            repository, '-m', 'testtools.run', *map(_name, tests))
        ran = re.search(r'^Ran (\d+) test', told, re.MULTILINE)
        number = int(ran[1]) if ran else 0
        if number and not status:
            return number, []
        print(told, flush=True)
        failed = re.findall(r'^(?:FAIL|ERROR): .+', told, re.MULTILINE)
        if not failed:
            failed = [f'{number} tests ran, of {", ".join(tests)}']
        return number, [f'Commit {commit.name}: {line}' for line in failed]

    def python(self, repository, *arguments):
        """Run Python on a work tree.

        :param tools.series.git.Git repository: the tree's repository
        :param str arguments: the arguments of Python
        :returns: its exit status and all that it printed
        :rtype: tuple[int, str]
        :raises ToolError: if the tests are being stopped
        """
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=repository.path,
            env=_environment(repository.path), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors='replace')
        self._running.add(process)
        if self._stopped:
            process.kill()
        told, _ = process.communicate()
        self._running.discard(process)
        if self._stopped:
            raise errors.ToolError('stopped')
        return process.returncode, told


def _list(repository, *command):
    """Run a git command that lists paths."""
    return [path for path in repository.line(*command, '-z').split('\0')
            if path]


def _last_line(told):
    return (told.splitlines() or ['it printed nothing'])[-1]


def _name(path):
    """Return what Python calls a module."""
    return path.removesuffix('.py').removesuffix('/__init__').replace('/', '.')


def _environment(path):
    return os.environ | {
        'PYTHONPATH': str(path),
        'PYTHONWARNINGS': 'ignore',
        # A test of Cinder's that lets all files exist would find translations.
        'LANGUAGE': 'C',
        'OS_CINDER_DISABLE_EVENTLET_PATCHING': '0',
        'OS_STDOUT_CAPTURE': '1',
        'OS_STDERR_CAPTURE': '1',
        'OS_TEST_TIMEOUT': str(TEST_SECONDS)}
