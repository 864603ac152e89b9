# SPDX-License-Identifier: Apache-2.0

"""The parent's hold on a child: it starts, answers, and always ends."""

import contextlib
import json
import os
import pathlib
import sys
import tempfile

import jinja2

from tools.cloud.services import service
from tools.measure.process import environment
from tools.measure.storm.client import Client

HERE = pathlib.Path(__file__).resolve().parent


def is_environment(tree):
    """Return whether a directory is a virtual environment.

    :param tree: pathlib.Path of the directory
    """
    return (tree / 'pyvenv.cfg').is_file()


class Cloud(service.Daemon):
    """One tree's Cinder in a child process.

    :param directory: pathlib.Path of an empty directory for its files
    :param tree: pathlib.Path of the Cinder source tree, or of the virtual
        environment that it is installed in
    :param seconds: how long one create from a source takes, as a float
    :param threads: True for native threads, False for eventlet
    :param log: pathlib.Path of the file that gets all the child says
    :ivar client: a Client of its API, once it answers
    :ivar versions: dict of distribution name to version, likewise
    :ivar workers: how many creates it works on at once, likewise
    """

    def __init__(self, directory, tree, seconds, threads, log):
        tree = tree.resolve()
        for name in ('volumes', 'locks'):
            (directory / name).mkdir()
        config = directory / 'cinder.conf'
        template = jinja2.Template((HERE / 'cinder.conf.j2').read_text())
        config.write_text(template.render(
            directory=directory, tree=tree, seconds=seconds))
        python, source = sys.executable, tree
        if is_environment(tree):
            python, source = tree / 'bin/python', None
        log.write_text('')
        super().__init__(
            'Cinder', [python, '-m', 'tools.measure.storm.cloud', config, tree,
                       os.getpid()],
            log, environment(not threads, source), directory, self._read)

    def _read(self):
        ready = json.loads((self._folder / 'ready.json').read_text())
        self.client = Client(ready['api'], ready['observer'])
        self.versions = ready['versions']
        self.workers = ready['workers']


@contextlib.contextmanager
def running(*how):
    """Start a Cinder; end it, and remove its files, after the ``with`` block.

    Should the parent be killed, the child does the same itself.

    :param how: what Cloud gets besides its directory
    :returns: the Cloud
    :raises ToolError: if it does not start
    """
    with tempfile.TemporaryDirectory(
            prefix='storm-', ignore_cleanup_errors=True) as directory:
        cloud = Cloud(pathlib.Path(directory), *how)
        try:
            cloud.start()
            yield cloud
        finally:
            cloud.kill()
