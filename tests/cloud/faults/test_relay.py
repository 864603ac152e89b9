# SPDX-License-Identifier: Apache-2.0

import socket
import unittest

from tests.cloud import made_up
from tools.cloud.faults import relay
from tools.cloud.services import etcd
from tools.cloud import site as sites


class RelayTest(unittest.TestCase):

    def setUp(self):
        self.site = sites.Site(made_up.folder(self))
        self.site.make()
        self.server = socket.create_server((etcd.HOST, 0))
        self.addCleanup(self.server.close)
        self.server.settimeout(20)
        self.relay = relay.Relay(self.site, self.server.getsockname()[1])
        self.relay.start()
        self.addCleanup(self.relay.kill)
        # That of the relay's start.
        self.server.accept()[0].close()

    def test_a_paused_relay_is_a_partition(self):
        client = socket.create_connection((sites.ADDRESS, self.relay.port), 20)
        self.addCleanup(client.close)
        server = self.server.accept()[0]
        self.addCleanup(server.close)
        server.settimeout(20)
        client.sendall(b'heard')
        self.assertEqual(b'heard', server.recv(5))
        self.relay.pause()
        client.sendall(b'later')
        server.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            server.recv(5)
        server.settimeout(20)
        self.relay.resume()
        self.assertEqual(b'later', server.recv(5))
        server.close()
        self.assertEqual(b'', client.recv(5))

    def test_one_host_alone_asks_through_it(self):
        cluster = relay.RelayedCluster(self.site)
        urls = [cluster.url(number) for number in (1, 2, 3)]

        self.assertEqual(
            [number == relay.MEMBER for number in (1, 2, 3)],
            [url.endswith(f':{cluster.relay.port}') for url in urls])
