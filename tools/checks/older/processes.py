# SPDX-License-Identifier: Apache-2.0

"""The processes: those that take locks, and a server that can be killed."""

from concurrent import futures
import contextlib
import os
import signal
import socket
import sys
from urllib import parse

import psutil
import redis

from tools.cloud.services import service
from tools.common.errors import ToolError
from tools.common.paths import ROOT
from tools.common import progress
from tools.common.waiting import wait_for
from tools.measure.locks import program
from tools.measure import process

LOCKER = ROOT / 'tooz/tooz/tests/lock_process.py'
GREETS = '''
import json, runpy, sys
from importlib import metadata
from tooz import coordination
print(json.dumps([metadata.version("tooz"), hasattr(
    coordination.Characteristics, "SHARED_LOCKS")]), flush=True)
runpy.run_path(sys.argv.pop(1), run_name="__main__")
'''
LEASES = {'file': None, 'etcd3gw': 5, 'redis': 5, 'zookeeper': 8}
"""After how many seconds the lock of a dead holder is free; None for at
once."""
OPTIONS = {'etcd3gw': 'lock_timeout', 'redis': 'lock_timeout',
           'zookeeper': 'timeout'}


class Locker(program.Program):
    """A process that takes locks on request, as those of tooz's tests do.

    :param str name: what it is
    :param python: the path of the Python that has an older tooz
    :param str url: the coordination URL
    :param tree: pathlib.Path of tooz with the series, to be used instead
    :raises ToolError: if it does not start, or with another tooz
    """

    def __init__(self, name, python, url, tree=None):
        environment = dict(os.environ, PYTHONPATH=str(tree or ''))
        super().__init__(
            name, [str(python), '-P', '-W', 'ignore', '-c', GREETS,
                   str(LOCKER), url, ''], environment)
        self.name = name
        self._pool = futures.ThreadPoolExecutor(1)
        version, shares = self.greeting
        if shares != (tree is not None):
            self.stop()
            raise ToolError(f'expected {name}, found tooz {version} '
                            f'{"with" if shares else "without"} shared locks')

    def ask_later(self, action, *args):
        """Send a request, and return a Future of its answer."""
        return self._pool.submit(self.ask, action, *args)

    def kill(self):
        """Kill it and return when it is dead."""
        self._process.kill()
        self._process.wait()

    def pause(self):
        """Stop it with SIGSTOP and return when it stands still."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self):
        """Continue it after :meth:`pause`."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self):
        self._process.kill()
        super().stop()


class Server:
    """A server, or a directory.

    :param str name: one of :data:`LEASES`
    :param str url: what tooz calls it
    :ivar lease: the seconds of a lease, or None
    :ivar url: the coordination URL, with the lease in it
    """

    def __init__(self, name, url):
        self.name = name
        self.lease = LEASES[name]
        self.url = url
        self._port = parse.urlsplit(url).port
        self._restarted = None
        if self.lease:
            self.url += ('&' if '?' in url else '?') + (
                f'{OPTIONS[name]}={self.lease}')
        if name == 'redis':
            # Otherwise it forgets the locks with everything else.
            with redis.Redis(port=self._port) as client:
                client.config_set('appendonly', 'yes')
                client.config_set('appendfsync', 'always')

    def restart(self):
        """Kill it, and start it again with its files.

        :raises ToolError: if that takes as long as a lease
        """
        running = psutil.Process(self._pid())
        command = running.cmdline()
        if self.name == 'redis':
            # It had its configuration from a pipe.
            command = ['redis-server', '--port', self._port,
                       '--appendonly', 'yes', '--appendfsync', 'always']
        self._restarted = service.Daemon(
            self.name, command, process.LOG, running.environ(), running.cwd(),
            self._connect)
        begun = progress.seconds()
        running.kill()
        # As long as it dies, it can accept connections.
        wait_for(f'{self.name} to be gone',
                 lambda: service.demand_dead([running]), self.lease)
        self._restarted.start()
        took = progress.seconds() - begun
        if took >= self.lease:
            raise ToolError(f'{self.name} took {took:.1f} s to start again, '
                            f'as long as the lease of {self.lease} s')

    def _pid(self):
        for found in psutil.net_connections('tcp'):
            if (found.status == psutil.CONN_LISTEN and found.pid and
                    found.laddr.port == self._port):
                return found.pid
        raise ToolError(f'{self.name}: no process listens on {self._port}')

    def _connect(self):
        socket.create_connection(('localhost', self._port)).close()

    def stop(self):
        """End what :meth:`restart` started."""
        if self._restarted:
            self._restarted.kill()


class Site(contextlib.ExitStack):
    """A server and the processes that take locks on it, as a context.

    :param str name: one of :data:`LEASES`
    :param pathlib.Path tree: tooz with the series
    :param pythons: dict of the version of an older tooz -> its python
    :ivar server: the :class:`Server`
    :ivar ours: four lockers on tooz with the series
    :ivar olders: the version -> a locker on that tooz
    :raises ToolError: if anything does not start
    """

    def __init__(self, name, tree, pythons):
        super().__init__()
        self._pythons = pythons
        try:
            self.server = Server(
                name, self.enter_context(program.server(name)))
            self.callback(self.server.stop)
            self.ours = [
                self._start('tooz with the series', sys.executable, tree)
                for _number in range(4)]
            self.olders = self._start_olders()
        except BaseException:
            self.close()
            raise

    def _start_olders(self):
        return {version: self._start(f'tooz {version}', python)
                for version, python in self._pythons.items()}

    def _start(self, name, python, tree=None):
        started = Locker(name, python, self.server.url, tree)
        self.callback(started.stop)
        return started

    def restart(self):
        """Restart the server, and then all older ones.

        Theirs is no lock at this time, and they raise errors for each
        connection that has broken.

        :raises ToolError: as :meth:`Server.restart`
        """
        self.server.restart()
        for older in self.olders.values():
            older.stop()
        self.olders = self._start_olders()
