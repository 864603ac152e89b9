# SPDX-License-Identifier: Apache-2.0

"""Work trees in which commits are checked out and Python runs."""

import concurrent.futures
import contextlib
import importlib.util
import os
import queue
import subprocess
import sys

from tools.common import errors
from tools.series import git
from tools.series import imports
from tools.series import projects

TEST_SECONDS = 600
"""After how long a test that hangs is stopped."""


class Bench:
    """Work trees, one for each processor, and what runs in them.

    :param pathlib.Path built: the tree that ``./series build`` made
    :param pathlib.Path folder: where the work trees go
    :param tools.series.projects.Project project: the project
    """

    def __init__(self, built, folder, project=projects.CINDER):
        self._project = project
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

    @contextlib.contextmanager
    def checked_out(self, revision):
        """Borrow a work tree with a revision.

        :param str revision: the revision
        :returns: a context manager that gives the tree's repository
        """
        repository = self._free.get()
        try:
            changed = repository.paths('diff', '--name-only', 'HEAD', revision)
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
            env=self._environment(repository.path), stdin=subprocess.DEVNULL,
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

    def _environment(self, path):
        return os.environ | {
            'PYTHONPATH': imports.path(path),
            'PYTHONWARNINGS': 'ignore',
            # A test of Cinder's that lets all files exist would find
            # translations.
            'LANGUAGE': 'C',
            'OS_STDOUT_CAPTURE': '1',
            'OS_STDERR_CAPTURE': '1',
            'OS_TEST_TIMEOUT': str(TEST_SECONDS)
        } | {key: value.format(tree=path)
             for key, value in self._project.environment.items()}
