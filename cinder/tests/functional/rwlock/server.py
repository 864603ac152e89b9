#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""Real servers for the tests of read and write locks."""

import contextlib
import os
import random
import select
import signal
import socket
import subprocess
import time
import unittest

import fixtures
import psutil

PATIENCE = 60
"""Seconds after which a server that does not come or go is an error."""

if not hasattr(select, 'poll'):
    # Eventlet has taken it away, and psutil would wait for processes with it.
    psutil._psposix.can_use_pidfd_open = lambda: False


def free_port():
    """Return a TCP port of the loopback interface that nobody uses.

    It is none of those that the kernel gives to clients, since one of the
    thousands of a test could get it before the server does.
    """
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(('127.0.0.1', port))
            return port


def need(server, program, package, folders=()):
    """Return the path of a server's program, or skip the tests that need it.

    The environment variable ``CINDER_TEST_SERVERS`` lists the servers whose
    tests must run: their names, separated by commas, or ``all``.

    :param str server: The name of the server.
    :param str program: The name or path of the program, or of another file
        that the server is made of.
    :param str package: The Debian package that has it.
    :param folders: Where to look for it after ``PATH``.
    :raises unittest.SkipTest: It is not installed.
    :raises RuntimeError: It is not installed, although the tests of its
        server must run.
    """
    path = os.pathsep.join([os.environ.get('PATH', os.defpath), *folders])
    for folder in path.split(os.pathsep):
        candidate = os.path.join(folder, program)
        if os.path.exists(candidate):
            return candidate
    reason = ('The locks on %s are not tested: %s is not installed, try '
              'apt-get install %s' % (server, program, package))
    wanted = os.environ.get('CINDER_TEST_SERVERS', '').split(',')
    if server in wanted or 'all' in wanted:
        raise RuntimeError(reason)
    raise unittest.SkipTest(reason)


class Server(fixtures.Fixture):
    """A server on the loopback interface, on a free port.

    A subclass starts it in :meth:`_setUp` and has its URL.

    :cvar str NAME: Its name in ``CINDER_TEST_SERVERS``.
    :cvar dict PROGRAMS: Program that it needs -> the Debian package of that.
    :cvar FOLDERS: Where to look for the programs after ``PATH``.
    :ivar dict paths: Program -> its path.
    :ivar int port: Where it listens.
    :raises unittest.SkipTest: As by :func:`need`, for which fixtures have no
        way later on.
    """

    NAME = None
    PROGRAMS = {}
    FOLDERS = ()

    def __init__(self):
        super().__init__()
        self.paths = {program: need(self.NAME, program, package, self.FOLDERS)
                      for program, package in self.PROGRAMS.items()}
        self.port = free_port()

    def url(self, port=None):
        """Return the coordination URL, with short timeouts and leases.

        :param int port: That of a proxy before the server; default is the
            server's own.
        """
        raise NotImplementedError

    def pause(self):
        """Stop the server with SIGSTOP: it takes requests, but is silent.

        A thread on another core runs on for a moment after the signal, long
        enough for an answer, and may start or end a process meanwhile.
        """
        while running := [process for process in self.processes()
                          if self._runs(process)]:
            for process in running:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGSTOP)
            time.sleep(0.001)

    @staticmethod
    def _runs(process):
        try:
            states = {psutil.Process(thread.id).status()
                      for thread in process.threads()}
        except psutil.NoSuchProcess:
            return True
        return not states <= {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}

    def resume(self):
        """Let a paused server go on."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)

    def restart(self):
        """Kill the server with SIGKILL and start it with its data again."""
        commands = [(process.cmdline(), process.environ(), process.cwd())
                    for process in self.processes()]
        self.kill()
        for command, environment, folder in commands:
            subprocess.Popen(command, env=environment, cwd=folder,
                             start_new_session=True,
                             stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        self.wait_until_ready()

    def kill(self):
        """End the server with SIGKILL, and wait until it is gone."""
        processes = self.processes()
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, PATIENCE)

    def processes(self):
        """Return the psutil.Process of who listens on the port."""
        pids = {connection.pid
                for connection in psutil.net_connections('inet')
                if connection.status == psutil.CONN_LISTEN and
                connection.laddr.port == self.port}
        return [psutil.Process(pid) for pid in pids if pid]

    def wait_until_ready(self):
        """Wait until the server takes connections."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
