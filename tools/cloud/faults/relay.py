# SPDX-License-Identifier: Apache-2.0

"""A relay between a service and its etcd, to be cut.

A paused relay is a network partition: what was sent stays on its way, new
connections get no answer, and nobody gets an error.
"""

import asyncio
import contextlib
import socket
import sys

from tools.cloud.services import etcd
from tools.cloud.services import service
from tools.cloud import site as sites

MEMBER = 2
"""The member behind the relay: the second host alone asks it."""


class Relay(service.Daemon):
    """A process that forwards TCP connections.

    :param site: the tools.cloud.site.Site
    :param target: the port to which it forwards, as an integer
    :ivar port: where it listens, as an integer
    """

    def __init__(self, site, target):
        self.port = site.port()
        super().__init__(
            'relay', [sys.executable, '-m', 'tools.cloud.faults.relay',
                      str(self.port), str(target)],
            site.log('relay'), site.environment(), ready=self._connect)

    def _connect(self):
        socket.create_connection((sites.ADDRESS, self.port), 5).close()


class RelayedCluster(etcd.Cluster):
    """An etcd cluster with a relay before one member.

    :param site: the tools.cloud.site.Site
    :ivar relay: the Relay
    """

    def __init__(self, site):
        super().__init__(site)
        self.relay = Relay(site, self.members[MEMBER - 1].port)

    def url(self, number):
        if number == MEMBER:
            return f'etcd3+http://{sites.ADDRESS}:{self.relay.port}'
        return super().url(number)

    def launch(self):
        super().launch()
        self.relay.start()

    def check(self):
        super().check()
        self.relay.check()

    def stop(self):
        self.relay.stop()
        super().stop()


async def forward(port, target):
    """Forward connections forever.

    :param port: where to listen, as an integer
    :param target: where to connect to, as an integer
    """
    async def pump(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()

    async def meet(reader, writer):
        try:
            further = await asyncio.open_connection(etcd.HOST, target)
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(pump(reader, further[1]),
                                 pump(further[0], writer))
        finally:
            writer.close()
            further[1].close()

    server = await asyncio.start_server(meet, sites.ADDRESS, port)
    await server.serve_forever()


if __name__ == '__main__':
    asyncio.run(forward(*map(int, sys.argv[1:])))
