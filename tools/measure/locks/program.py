# SPDX-License-Identifier: Apache-2.0

"""The processes of a measure: servers, workers, and a proxy between them."""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
from urllib import parse

from tools.checks import tooz_suite
from tools.cloud.services import service
from tools.common.errors import ToolError
from tools.common.paths import ROOT
from tools.measure import process

SERVER = ('import json, os, sys; '
          'print(json.dumps(os.environ["TOOZ_TEST_URL"]), flush=True); '
          'sys.stdin.read()')
WORKER = ('import sys; from tools.measure.locks import worker; '
          'worker.main(sys.argv[1])')
ANSWER_SECONDS = 300
STOP_SECONDS = 30


class Program:
    """A process that greets and answers requests, a line of JSON each.

    It ends when its standard input does.

    :param str name: what it is, for errors
    :param list[str] command: its words
    :param environment: dict of its environment; default is that of ours
    :ivar greeting: what it said first
    :raises ToolError: if it does not start
    """

    def __init__(self, name, command, environment=None):
        self._name = name
        process.LOG.parent.mkdir(parents=True, exist_ok=True)
        with open(process.LOG, 'ab') as errors, service.found(name, command):
            self._process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=errors, text=True,
                start_new_session=True)
        try:
            self.greeting = self._answer()
        except BaseException:
            self.stop()
            raise

    def ask(self, action, *args):
        """Send a request and return its answer.

        :param str action: what it should do
        :param args: with what
        :raises ToolError: if it does not answer
        """
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps([action, *args]) + '\n')
            self._process.stdin.flush()
        return self._answer()

    def _answer(self):
        stdout = self._process.stdout
        ready, _, _ = select.select([stdout], [], [], ANSWER_SECONDS)
        if not ready:
            raise ToolError(f'{self._name} did not answer within '
                            f'{ANSWER_SECONDS} seconds')
        line = stdout.readline()
        if not line:
            raise ToolError(
                f'{self._name} failed{service.last_words(process.LOG)}')
        return json.loads(line)

    def stop(self):
        """End the process, and its descendants with it."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, 9)
        self._process.wait()
        self._process.stdout.close()


@contextlib.contextmanager
def server(name):
    """Start the server of a backend, and end it with the context.

    :param str name: one of tools.measure.locks.backends.BACKENDS
    :returns: its coordination URL
    :raises ToolError: if it is not installed or does not start
    """
    with (tempfile.TemporaryDirectory(prefix='measure-') as folder,
          contextlib.ExitStack() as stack):
        started = Program(f'the server of {name}', [
            *tooz_suite.within(name, folder), sys.executable, '-c', SERVER])
        stack.callback(started.stop)
        yield coordination_url(started.greeting)


def coordination_url(url):
    """Return what tooz calls a server.

    :param str url: what pifpaf calls it
    """
    if url.startswith('etcd:'):
        # As tooz's tests do.
        return url.replace('etcd:', 'etcd3+http:') + '?api_version=v3beta'
    return url


class Site:
    """Where a measure is taken: a server, and processes in one mode.

    It is a context, which ends the processes.

    :param str name: one of tools.measure.locks.backends.BACKENDS
    :param str url: the coordination URL of its server
    :param str mode: one of tools.measure.process.MODES
    :param pathlib.Path tree: tooz with the series
    """

    def __init__(self, name, url, mode, tree):
        self.name = name
        self._url = url
        self._mode = mode
        self._tree = tree
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._stack.close()

    def _start(self, *args):
        started = Program(*args)
        self._stack.callback(started.stop)
        return started

    def patched(self, port=None):
        """Start a worker on tooz with the series.

        :param int port: where it connects to; default is the server's
        :rtype: Program
        """
        return self._worker('tooz with the series', [self._tree, ROOT], port)

    def released(self, port=None):
        """Start a worker on the tooz that is installed.

        :param int port: as for :meth:`patched`
        :rtype: Program
        """
        return self._worker('tooz as released', [ROOT], port)

    def _worker(self, tooz, folders, port):
        patch = tooz_suite.PATCHED if self._mode == 'eventlet' else ''
        worker = self._start(
            f'{tooz} on {self.name}',
            [sys.executable, '-W', 'ignore', '-c', f'{patch}\n{WORKER}',
             with_port(self._url, port) if port else self._url],
            dict(os.environ, PYTHONPATH=os.pathsep.join(map(str, folders))))
        if ('shared' in worker.greeting) != (self._tree in folders):
            raise ToolError(f'expected {tooz} in {folders[0]}, found another')
        return worker

    def proxy(self):
        """Start a proxy before the server, which counts round trips.

        :rtype: Program
        """
        return self._start('the proxy', [
            sys.executable, str(self._tree / 'tooz/tests/proxy.py'),
            str(parse.urlsplit(self._url).port)])


def with_port(url, port):
    """Return a URL with another port."""
    address = parse.urlsplit(url)
    host = address.netloc.rpartition(':')[0]
    return address._replace(netloc=f'{host}:{port}').geturl()
