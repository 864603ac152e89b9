# SPDX-License-Identifier: Apache-2.0

"""What the servers of locks tell of the locks that are held."""

import shutil
import unittest

import redis
from tooz import coordination

from tests.cloud import made_up
from tools.cloud.services import etcd
from tools.cloud.services.redis import Redis
from tools.cloud import site as sites
from tools.common.paths import ROOT


class EtcdTest(unittest.TestCase):

    def test_the_keys_are_those_of_tooz_with_the_series(self):
        text = (ROOT / 'tooz/tooz/drivers/_etcd3gw_keys.py').read_text()

        for prefix in etcd.LOCKS:
            self.assertIn(f"_PREFIX = b'{prefix}'\n", text)


@unittest.skipUnless(shutil.which('redis-server'), 'needs redis-server')
class RedisTest(unittest.TestCase):

    def setUp(self):
        site = sites.Site(made_up.folder(self))
        site.make()
        self.server = Redis(site)
        self.addCleanup(self.server.stop)
        self.server.start()

    def test_a_lock_is_there_while_it_is_held(self):
        coordinator = coordination.get_coordinator(
            self.server.url(1), b'member')
        coordinator.start()
        self.addCleanup(coordinator.stop)

        self.assertEqual([], self.server.locks())
        with coordinator.get_lock(b'source'):
            self.assertIn('_tooz_source_lock', self.server.locks())
        self.assertEqual([], self.server.locks())

    def test_nobody_gets_in_without_the_password(self):
        stranger = self.server.url(1).rpartition('@')[2]

        with redis.Redis.from_url(f'redis://{stranger}') as client, \
                self.assertRaises(redis.AuthenticationError):
            client.ping()
