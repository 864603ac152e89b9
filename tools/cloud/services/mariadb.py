# SPDX-License-Identifier: Apache-2.0

"""A MariaDB server, with a database and a user for each service."""

import pymysql

from tools.cloud.services import service
from tools.cloud import site as sites


class MariaDB(service.Daemon):
    """A MariaDB server.

    Its data survives a kill of the server, not a crash of the machine.

    :param site: the tools.cloud.site.Site
    :param names: list of text; each gets a database and a user of that name
    """

    def __init__(self, site, names):
        self._site = site
        self._names = names
        self._port = site.port()
        self._data = site.folder('mariadb') / 'data'
        self._first = site.render(
            'mariadb.sql', site.folder('mariadb') / 'first.sql', names=names)
        super().__init__(
            'mariadb',
            ['mariadbd', '--no-defaults', '--user=root',
             f'--datadir={self._data}', '--socket=mariadb.sock',
             '--pid-file=mariadb.pid', f'--init-file={self._first}',
             f'--bind-address={sites.ADDRESS}', f'--port={self._port}',
             '--max-connections=1000', '--skip-name-resolve',
             '--innodb-flush-log-at-trx-commit=2',
             '--character-set-server=utf8mb4'],
            site.log('mariadb'), site.environment(), ready=self._connect)

    def url(self, name):
        """Return the URL of a database, as text for oslo.db.

        It disables TLS, which the server does not have: PyMySQL would make an
        SSL context for each connection, which takes longer than most queries.

        :param name: of the database and its user
        """
        return (f'mysql+pymysql://{name}:{self._site.password(name)}@'
                f'{sites.ADDRESS}:{self._port}/{name}?charset=utf8mb4'
                '&ssl_disabled=true')

    def launch(self):
        if not self._data.exists():
            service.run(
                'the creation of the databases',
                ['mariadb-install-db', '--no-defaults', '--user=root',
                 '--skip-test-db', f'--datadir={self._data}'], self.log,
                self._environment)
        super().launch()

    def _connect(self):
        pymysql.connect(
            host=sites.ADDRESS, port=self._port, user=self._names[0],
            password=self._site.password(self._names[0]),
            database=self._names[0], connect_timeout=5).close()
