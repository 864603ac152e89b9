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

"""The installed tooz has what the locks use of its private parts."""

from unittest import mock

import ddt
from kazoo import client as kazoo_client
import psycopg2
from tooz import coordination
from tooz.drivers import redis as tooz_redis

from cinder import rwlock
from cinder.rwlock import exclusive
from cinder.rwlock import tooz_internals
from cinder.tests.unit import test

ETCD3 = 'etcd3+http://127.0.0.1:1'
POSTGRESQL = 'postgresql://127.0.0.1:1/cinder'
REDIS = 'redis://127.0.0.1:1'
ZOOKEEPER = 'zookeeper://127.0.0.1:1'


@ddt.ddt
class ToozInternalsTestCase(test.TestCase):

    MOCK_TOOZ = False

    def coordinator(self, url):
        """Return a tooz coordinator that is started without a server."""
        self.redis = mock.Mock()
        self.redis.info.return_value = {'redis_version': '7.0.15'}
        self.connection = mock.Mock(server_version=150000)
        self.connection.info.dsn_parameters = {}
        for target, attribute, new in (
                (kazoo_client.KazooClient, 'start', mock.DEFAULT),
                (kazoo_client.KazooClient, 'ensure_path', mock.DEFAULT),
                (psycopg2, 'connect', lambda **kwargs: self.connection),
                (tooz_redis.RedisDriver, '_make_client',
                 lambda *args: self.redis)):
            patch = mock.patch.object(target, attribute, new)
            patch.start()
            self.addCleanup(patch.stop)
        coordinator = coordination.get_coordinator(url, b'member')
        if url == ETCD3:
            coordinator.client.lease = mock.Mock()
        coordinator.start()
        return coordinator

    @ddt.data(ETCD3, REDIS)
    def test_every_heartbeat_of_tooz_is_ours_too(self, url):
        coordinator = self.coordinator(url)
        heartbeat = mock.Mock()
        tooz_internals.beat_with(coordinator, heartbeat)
        for beats in (1, 2):
            coordinator.heartbeat()
            self.assertEqual(beats, heartbeat.call_count)

    @ddt.data(ETCD3, REDIS)
    def test_tooz_stops_although_our_heart_beats(self, url):
        coordinator = self.coordinator(url)
        tooz_internals.beat_with(coordinator, mock.Mock())
        coordinator.stop()
        self.assertFalse(coordinator.is_started)

    def test_redis_client(self):
        coordinator = self.coordinator(REDIS)
        self.assertIs(self.redis, tooz_internals.redis_client(coordinator))

    def test_zookeeper_session(self):
        coordinator = self.coordinator(ZOOKEEPER + '?timeout=7')
        self.assertIsInstance(tooz_internals.zookeeper_client(coordinator),
                              kazoo_client.KazooClient)
        self.assertEqual(7, tooz_internals.zookeeper_timeout(coordinator))
        self.assertEqual(
            '/tooz/locks/name',
            tooz_internals.zookeeper_path(coordinator, b'name'))

    def test_postgresql_session(self):
        coordinator = self.coordinator(POSTGRESQL)
        self.assertIs(self.connection,
                      tooz_internals.postgresql_connection(coordinator))
        # The first two bytes of the MD5 sum of the name.
        self.assertEqual((0x0c, 0xc1),
                         tooz_internals.postgresql_key(coordinator, b'a'))

    @ddt.data((ETCD3, '_acquired_locks'),
              (POSTGRESQL, '_conn'),
              (REDIS, '_acquired_locks'),
              (REDIS, '_client'),
              (ZOOKEEPER, '_coord'),
              (ZOOKEEPER, 'timeout'))
    @ddt.unpack
    def test_a_coordinator_that_has_changed_means_exclusive_locks(
            self, url, attribute):
        coordinator = self.coordinator(url)
        # The tooz that has changed does without the attribute itself.
        lock = coordinator.get_lock(b'any')
        coordinator.get_lock = lambda name: lock
        delattr(coordinator, attribute)
        self.assertFallsBack(url, coordinator, '%s has no %s any more' % (
            type(coordinator).__name__, attribute))

    @ddt.data((POSTGRESQL, 'key'), (ZOOKEEPER, '_lock'))
    @ddt.unpack
    def test_a_lock_that_has_changed_means_exclusive_locks(self, url,
                                                           attribute):
        coordinator = self.coordinator(url)
        coordinator.get_lock = lambda name: object()
        self.assertFallsBack(url, coordinator,
                             'object has no %s any more' % attribute)

    @ddt.data(ETCD3, POSTGRESQL, REDIS, ZOOKEEPER)
    def test_the_installed_tooz_means_shared_locks(self, url):
        with mock.patch.object(rwlock.LOG, 'warning') as warning:
            backend = rwlock.get_backend(url, self.coordinator(url))
        self.assertNotIsInstance(backend, exclusive.Backend)
        warning.assert_not_called()

    def assertFallsBack(self, url, coordinator, reason):
        with (mock.patch.object(rwlock.LOG, 'info') as info,
                mock.patch.object(rwlock.LOG, 'warning') as warning):
            backend = rwlock.get_backend(url, coordinator)
        self.assertIsInstance(backend, exclusive.Backend)
        info.assert_called_once()
        self.assertIn(reason, info.call_args.args[0] % info.call_args.args[1:])
        warning.assert_called_once()
