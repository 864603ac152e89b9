# SPDX-License-Identifier: Apache-2.0

"""A PostgreSQL server, for locks."""

import os
import pathlib
import pwd

import psycopg2

from tools.cloud.services import service
from tools.cloud import site as sites

PROGRAMS = pathlib.Path('/usr/lib/postgresql')
"""Debian's directory with the programs of each release, outside PATH."""
USER = 'cinder'
DATABASE = 'postgres'
CONNECTIONS = 1000
"""Each lock that is held or waited for takes one."""


class PostgreSQL(service.Daemon):
    """A PostgreSQL server.

    It refuses to run as root. So it runs in a user namespace in which root,
    the owner of its files, is nobody.

    :param site: the tools.cloud.site.Site
    """

    def __init__(self, site):
        self._site = site
        self._port = site.port()
        self._data = site.folder('postgresql') / 'data'
        nobody = pwd.getpwnam('nobody')
        self._unshare = ['unshare', '--user', f'--map-user={nobody.pw_uid}',
                         f'--map-group={nobody.pw_gid}']
        environment = site.environment()
        environment['PATH'] = os.pathsep.join(
            [*map(str, sorted(PROGRAMS.glob('*/bin'), reverse=True)),
             environment['PATH']])
        super().__init__(
            'postgresql',
            [*self._unshare, 'postgres', '-D', self._data, '-k', '',
             '-c', f'listen_addresses={sites.ADDRESS}',
             '-c', f'port={self._port}',
             '-c', f'max_connections={CONNECTIONS}', '-c', 'fsync=off'],
            site.log('postgresql'), environment, ready=self.locks)

    def url(self, _number):
        """Return the coordination URL, the same for all services.

        Its scheme is the name of the driver in tooz.
        """
        return (f'postgresql://{USER}:{self._site.password("postgresql")}@'
                f'{sites.ADDRESS}:{self._port}?dbname={DATABASE}')

    def launch(self):
        if not self._data.exists():
            password = self._site.folder('postgresql') / 'password'
            password.touch(0o600)
            password.write_text(self._site.password('postgresql'))
            service.run(
                'the creation of a database for locks',
                [*self._unshare, 'initdb', '-D', self._data, '--no-sync',
                 '--username', USER, '--auth', 'scram-sha-256', '--pwfile',
                 password], self.log, self._environment)
        super().launch()

    def locks(self):
        """Return the locks that are held, a line of text for each."""
        connection = psycopg2.connect(
            host=sites.ADDRESS, port=self._port, user=USER, dbname=DATABASE,
            password=self._site.password('postgresql'), connect_timeout=5)
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT mode, classid, objid, query FROM pg_locks "
                    "JOIN pg_stat_activity USING (pid) "
                    "WHERE locktype = 'advisory' AND granted")
                return [' '.join(map(str, row)) for row in cursor.fetchall()]
        finally:
            connection.close()
