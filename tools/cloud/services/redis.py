# SPDX-License-Identifier: Apache-2.0

"""A Redis server, for locks."""

import redis

from tools.cloud.services import service
from tools.cloud import site as sites

LOCKS = '*_tooz*_lock*'
"""The pattern of the keys of all locks, of tooz 8 too."""


class Redis(service.Daemon):
    """A Redis server.

    :param site: the tools.cloud.site.Site
    """

    def __init__(self, site):
        folder = site.folder('redis')
        self._port = site.port()
        self._password = site.password('redis')
        config = site.render('redis.conf', folder / 'redis.conf',
                             folder=folder, port=self._port)
        super().__init__('redis', ['redis-server', config], site.log('redis'),
                         site.environment(), ready=self.locks)

    def url(self, _number):
        """Return the coordination URL, the same for all services."""
        return f'redis://:{self._password}@{sites.ADDRESS}:{self._port}'

    def locks(self):
        """Return the keys of all locks as a list of text."""
        with redis.Redis(sites.ADDRESS, self._port, password=self._password,
                         socket_timeout=5, decode_responses=True) as client:
            return sorted(client.scan_iter(LOCKS))
