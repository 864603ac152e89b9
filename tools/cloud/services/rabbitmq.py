# SPDX-License-Identifier: Apache-2.0

"""RabbitMQ, and the port mapper of Erlang that it asks for its own port.

Debian's own command runs it as the user rabbitmq. The server's program is
below it, with a home, and so a cookie, of its own.
"""

import kombu

from tools.cloud.services import service
from tools.cloud import site as sites

PROGRAM = '/usr/lib/rabbitmq/bin/rabbitmq-server'
USER = 'cinder'


class PortMapper(service.Daemon):
    """Erlang's epmd, one for this cloud alone.

    :param site: the tools.cloud.site.Site
    """

    def __init__(self, site):
        self.port = site.port()
        super().__init__(
            'epmd', ['epmd', '-address', sites.ADDRESS, '-port', self.port],
            site.log('epmd'), site.environment())


class RabbitMQ(service.Daemon):
    """A RabbitMQ server.

    :param site: the tools.cloud.site.Site
    :param mapper: the PortMapper
    """

    def __init__(self, site, mapper):
        port = site.port()
        folder = site.folder('rabbitmq')
        self.url = (f'rabbit://{USER}:{site.password("rabbitmq")}@'
                    f'{sites.ADDRESS}:{port}/')
        config = site.render('rabbitmq.conf', folder / 'rabbitmq.conf',
                             user=USER, port=port)
        cookie = folder / '.erlang.cookie'
        cookie.write_text(site.password('erlang'))
        cookie.chmod(0o400)
        super().__init__(
            'rabbitmq', [PROGRAM], site.log('rabbitmq'),
            site.environment(
                HOME=folder,
                ERL_EPMD_ADDRESS=sites.ADDRESS,
                ERL_EPMD_PORT=mapper.port,
                RABBITMQ_NODENAME='rabbit@localhost',
                RABBITMQ_DIST_PORT=site.port(),
                RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=(
                    '-kernel inet_dist_use_interface {127,0,0,1}'),
                RABBITMQ_CONF_ENV_FILE=folder / 'none',
                RABBITMQ_CONFIG_FILE=config,
                RABBITMQ_ADVANCED_CONFIG_FILE=folder / 'none.config',
                RABBITMQ_ENABLED_PLUGINS_FILE=folder / 'no_plugins',
                RABBITMQ_MNESIA_BASE=folder / 'mnesia',
                RABBITMQ_LOG_BASE=folder,
                RABBITMQ_LOGS='-',
                RABBITMQ_PID_FILE=folder / 'pid'),
            folder, self._connect)

    def _connect(self):
        with kombu.Connection(self.url.replace('rabbit:', 'amqp:'),
                              connect_timeout=5) as connection:
            connection.connect()
