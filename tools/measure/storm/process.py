# SPDX-License-Identifier: Apache-2.0

"""The parent's hold on a child: it starts, answers, and always ends.

Leaving the ``with`` block of a Cloud, by whatever way, ends the child and
removes its directory. Should the parent be killed, the child sees its
standard input end and does the same itself.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import jinja2

from tools.common.errors import ToolError
from tools.common.waiting import wait_for
from tools.measure.process import environment
from tools.measure.storm.client import Client

START_SECONDS = 120
STOP_SECONDS = 10
HERE = pathlib.Path(__file__).resolve().parent


def is_environment(tree):
    """Return whether a directory is a virtual environment.

    :param tree: pathlib.Path of the directory
    """
    return (tree / 'pyvenv.cfg').is_file()


class Cloud:
    """One tree's Cinder in a child process.

    :param tree: pathlib.Path of the Cinder source tree, or of the virtual
        environment that it is installed in
    :param seconds: how long one create from a source takes, as a float
    :param threads: True for native threads, False for eventlet
    :param log: pathlib.Path of the file that gets all the child says
    """

    def __init__(self, tree, seconds, threads, log):
        self._tree = tree.resolve()
        self._seconds = seconds
        self._threads = threads
        self._log = log
        self._child = None
        self._directory = None
        self.client = None
        self.versions = None
        self.workers = None

    def __enter__(self):
        self._directory = tempfile.TemporaryDirectory(
            prefix='storm-', ignore_cleanup_errors=True)
        try:
            self._start(pathlib.Path(self._directory.name))
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_exception):
        self._stop()

    def _start(self, directory):
        for name in ('volumes', 'locks'):
            (directory / name).mkdir()
        config = directory / 'cinder.conf'
        template = jinja2.Template((HERE / 'cinder.conf.j2').read_text())
        config.write_text(template.render(
            directory=directory, tree=self._tree, seconds=self._seconds))
        python, path = sys.executable, [self._tree]
        if is_environment(self._tree):
            python, path = str(self._tree / 'bin/python'), []
        # Ctrl-C must reach the parent alone, which then ends the child.
        with open(self._log, 'wb') as log:
            self._child = subprocess.Popen(
                [python, '-m', 'tools.measure.storm.cloud', str(config),
                 str(self._tree)],
                cwd=directory, env=environment(not self._threads, *path),
                stdin=subprocess.PIPE, stdout=log, stderr=log,
                start_new_session=True)
        ready = self._wait_for(directory / 'ready.json')
        self.client = Client(ready['api'], ready['observer'])
        self.versions = ready['versions']
        self.workers = ready['workers']

    def _wait_for(self, ready):
        def read():
            self.check()
            return json.loads(ready.read_text())
        return wait_for('Cinder to start', read, START_SECONDS)

    def check(self):
        """Raise ToolError when the child has ended."""
        status = self._child.poll()
        if status is not None:
            said = self._log.read_text(errors='replace').split('\n')
            last = [line.strip() for line in said if line.strip()][-1:]
            raise ToolError(f'Cinder ended with status {status}, its last '
                            f'words: {last[0] if last else "none"}')

    def _stop(self):
        if self._child is not None:
            self._child.stdin.close()
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._directory.cleanup()
