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

"""A PostgreSQL server for the tests of read and write locks."""

import contextlib
import glob
import os
import pwd
import subprocess
import time

import fixtures
import psutil
import psycopg2

from cinder.tests.functional.rwlock import server

USER = 'cinder'
PASSWORD = 'secret'
CONNECTIONS = 1200


class PostgreSQLServer(server.Server):
    """A PostgreSQL server that wants a password.

    PostgreSQL refuses to run as root, which pifpaf's driver has no way
    around: root runs it as the user that Debian's package has made.
    """

    NAME = 'postgresql'
    PROGRAMS = {'postgres': 'postgresql', 'initdb': 'postgresql'}
    FOLDERS = sorted(glob.glob('/usr/lib/postgresql/*/bin'), reverse=True)

    def _setUp(self):
        folder = self.useFixture(fixtures.TempDir()).path
        self._data = os.path.join(folder, 'data')
        self._identity = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam('postgres')
            self._identity = {'user': user.pw_uid, 'group': user.pw_gid,
                              'extra_groups': ()}
            os.chown(folder, user.pw_uid, user.pw_gid)
        password_file = os.path.join(folder, 'password')
        with open(password_file, 'w') as stream:
            stream.write(PASSWORD)
        subprocess.run(
            [self.paths['initdb'], '-D', self._data,
             '--no-sync', '--username', USER, '--auth', 'scram-sha-256',
             '--pwfile', password_file],
            check=True, cwd=folder, stdout=subprocess.DEVNULL,
            **self._identity)
        self.addCleanup(self.kill)
        self._start()

    def url(self, port=None):
        return 'postgresql://%s:%s@127.0.0.1:%d?dbname=postgres' % (
            USER, PASSWORD, port or self.port)

    def connect(self):
        """Return a connection of psycopg2 that commits by itself.

        It has none of the limits that a test gives to the role.
        """
        connection = psycopg2.connect(
            host='127.0.0.1', port=self.port, dbname='postgres', user=USER,
            password=PASSWORD, connect_timeout=server.PATIENCE,
            options='-c statement_timeout=0 -c lock_timeout=0')
        connection.autocommit = True
        return connection

    def restart(self):
        self.kill()
        self._start()

    def kill(self):
        processes = self.processes()
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.kill()
        self._process.wait()
        while any(process.is_running() for process in processes):
            time.sleep(0.01)

    def processes(self):
        # Each session has a process, which does not listen.
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._process.pid)
            return [process, *process.children()]
        return []

    def wait_until_ready(self):
        deadline = time.monotonic() + server.PATIENCE
        while True:
            try:
                self.connect().close()
                return
            except psycopg2.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _start(self):
        self._process = subprocess.Popen(
            [self.paths['postgres'], '-D', self._data,
             '-p', str(self.port), '-k', '',
             '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off',
             '-c', 'autovacuum=off',
             '-c', 'max_connections=%d' % CONNECTIONS],
            cwd=self._data, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            **self._identity)
        self.wait_until_ready()
