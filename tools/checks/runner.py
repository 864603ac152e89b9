# SPDX-License-Identifier: Apache-2.0

"""Run tests of one source tree and read what became of them."""

import dataclasses
import io
import os
import pathlib
import subprocess
import sys
import tempfile

import subunit
import testtools

from tools.series import imports

TEST_SECONDS = 1200
"""After how long a test that hangs is stopped."""

DAMAGED_SECONDS = 60
"""The same on a tree that is damaged, where tests are expected to hang."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one test.

    :param str status: ``success``, ``skip``, or how it failed
    :param str details: traceback, log and reason, as far as there are any
    """

    status: str
    details: str = ''


def run_all(tree, tests, pattern, threads=False, workers=os.cpu_count(),
            within=(), first=''):
    """Find tests and run them with stestr.

    :param pathlib.Path tree: the source tree, which is imported from
    :param tests: a folder of the tree in which tests are looked for, or the
        paths of modules, which is faster
    :param str pattern: a regular expression that finds the ids to run
    :param bool threads: native threads instead of eventlet
    :param int workers: how many processes run them
    :param within: a command that runs the one behind it, as words
    :param str first: a statement that each process runs before it imports
        the modules
    :returns: id -> Outcome of every test that ran
    :rtype: dict[str, Outcome]
    """
    with tempfile.TemporaryDirectory() as folder:
        top = '.'
        if not isinstance(tests, str):
            top = os.path.join(folder, 'chosen')
            tests = _chosen(top, tests, first)
        stestr = [sys.executable, '-m', 'stestr.cli', '--test-path', tests,
                  '--top-dir', top, '--repo-url', folder]
        subprocess.run([*within, *stestr, 'run', '--concurrency', str(workers),
                        pattern], cwd=tree, env=_environment(tree, threads))
        stream = subprocess.run([*stestr, 'last', '--subunit'], cwd=tree,
                                stdout=subprocess.PIPE).stdout
    return _read(stream)


def _chosen(folder, paths, first):
    """Make a folder in which discovery finds the tests of some modules.

    Every worker looks for tests by itself, and to import all tests of Cinder
    takes a quarter of a minute.
    """
    os.mkdir(folder)
    with open(os.path.join(folder, 'test_chosen.py'), 'w') as module:
        module.write(f'{first}\n'
                     f'def load_tests(loader, tests, pattern):\n'
                     f'    return loader.loadTestsFromNames('
                     f'{sorted(map(name, paths))})\n')
    return folder


def name(path):
    """Return what Python calls the module of a path.

    :param str path: the path, from the top of the tree
    :rtype: str
    """
    return path.removesuffix('.py').replace('/', '.')


def find(tree, tests):
    """Find the variations that ddt made of some tests.

    :param pathlib.Path tree: the source tree, which is imported from
    :param list[str] tests: ids of methods
    :returns: the ids of all their variations
    :rtype: list[str]
    """
    listed = subprocess.run(
        [sys.executable, '-m', 'testtools.run', '--list',
         *sorted({_module(test) for test in tests})], cwd=tree,
        env=_environment(tree), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE).stdout.decode().split()
    return [variation for variation in listed
            if any(is_variation(variation, test) for test in tests)]


def run_some(tree, tests, log, threads=False, within=()):
    """Run a few tests one after the other, without looking for others.

    :param pathlib.Path tree: the source tree, which is imported from
    :param list[str] tests: ids
    :param log: a file object for what the tests print
    :param bool threads: native threads instead of eventlet
    :param within: a command that runs the one behind it, as words
    :returns: id -> Outcome of every test that ran
    :rtype: dict[str, Outcome]
    """
    with tempfile.NamedTemporaryFile('w') as wanted:
        wanted.write('\n'.join(tests))
        wanted.flush()
        try:
            stream = subprocess.run(
                [*within, sys.executable, '-m', 'stestr.subunit_runner.run',
                 '--load-list', wanted.name,
                 *sorted({_module(test) for test in tests})],
                cwd=tree,
                env=_environment(tree, threads, DAMAGED_SECONDS),
                stderr=log, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                timeout=DAMAGED_SECONDS * (1 + 2 * len(tests))).stdout
        except subprocess.TimeoutExpired as error:
            stream = error.stdout or b''
    return _read(stream)


def is_variation(test_id, method):
    """Return whether an id is a method's own or one that ddt made of it."""
    head, _, tail = test_id.partition(method)
    return not head and (not tail or tail[0] == '_' and tail[1:2].isdigit())


def _module(test):
    return test.rsplit('.', 2)[0]


def _environment(tree, threads=False, seconds=TEST_SECONDS):
    return dict(
        os.environ,
        PYTHONPATH=imports.path(pathlib.Path(tree)),
        PYTHONWARNINGS='ignore',
        # A test of Cinder's that lets all files exist would find translations.
        LANGUAGE='C',
        OS_CINDER_DISABLE_EVENTLET_PATCHING=str(int(threads)),
        OS_STDOUT_CAPTURE='1',
        OS_STDERR_CAPTURE='1',
        OS_TEST_TIMEOUT=str(seconds))


def _read(stream):
    outcomes = {}

    def note(test):
        told = test['details']
        if test['status'] == 'skip':
            told = {name: told[name] for name in told if name == 'reason'}
        details = '\n'.join(content.as_text() for content in told.values())
        outcomes[test['id']] = Outcome(test['status'], details)

    result = testtools.StreamToDict(note)
    result.startTestRun()
    subunit.ByteStreamToStreamResult(
        io.BytesIO(stream), non_subunit_name='stdout').run(result)
    result.stopTestRun()
    return outcomes
