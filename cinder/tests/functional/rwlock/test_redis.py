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

"""Read and write locks on real Redis servers."""

import logging
import time
from unittest import mock

import ddt
import fixtures
import redis
import tooz

from cinder.rwlock import base as rwlock_base
from cinder.rwlock import redis as redis_locks
from cinder.rwlock import redis_scripts
from cinder.tests.functional.rwlock import redis_server
from cinder.tests.functional.rwlock import server_case
from cinder.tests.functional.rwlock import server_contract
from cinder.tests.unit.rwlock import base

KINDS = server_contract.KINDS


class RedisTestCase(base.RWLockTestCase):
    """What the tests on every kind of Redis server need."""

    def setUp(self):
        super().setUp()
        self.redis = self.server.client()
        self.addCleanup(self.redis.close)
        self.writer = self.coordinator.coordinator.get_lock(
            ('cinder-' + self.name).encode()).name
        self.readers = self.writer + b'_readers'

    def tokens(self):
        return (self.redis.get(self.writer),
                self.redis.zrange(self.readers, 0, -1))


class RedisContractTestCase(server_contract.ServerContract, RedisTestCase):
    """The contract, with a server that forgets all when it restarts."""

    SERVER = redis_server.RedisServer
    LEASE = 3
    ACQUIRE = RELEASE = b'-delete_volume'
    REQUEST_SECONDS = 6  # 2, but redis-py makes a connection in many attempts
    EXCLUDED = frozenset([('tooz', 'read'), ('tooz', 'write'),
                          ('write', 'tooz')])

    def break_lock(self, lock):
        self.redis.zrem(self.readers, lock._token)
        if self.redis.get(self.writer) == lock._token:
            self.redis.delete(self.writer)

    def traces(self):
        return self.tokens()


@ddt.ddt
class RedisLockTestCase(server_case.ServerTestCase, RedisTestCase):

    SERVER = redis_server.RedisServer

    def test_the_writers_key_is_that_of_tooz(self):
        held = self.held('write')
        tooz_lock = self.coordinator.get_lock(self.name)
        self.assertEqual(tooz_lock.name.decode(), held.name)
        self.assertEqual(self.redis.get(tooz_lock.name), held._token)

    def test_a_live_reader_does_not_keep_a_dead_one(self):
        live = self.held('read')
        seconds, _microseconds = self.redis.time()
        self.redis.zadd(self.readers, {'dead': seconds * 1000 - 1})
        self.assertTrue(live.release())
        self.assertEqual([b'dead'], self.tokens()[1])
        self.assertTrue(self.is_free('write'))
        live = self.held('read')
        self.assertTrue(live.is_still_owner())
        self.assertEqual([live._token], self.tokens()[1])

    def test_the_readers_are_swept_away_after_the_latest_of_them(self):
        held = self.held('read')
        self.assertIn(self.redis.pttl(self.readers), range(1, 3001))
        self.redis.pexpire(self.readers, 60000)
        self.held('read')
        self.assertTrue(held.is_still_owner())
        self.assertGreater(self.redis.pttl(self.readers), 3000)

    @ddt.data(*KINDS)
    def test_scripts_that_the_server_has_forgotten_are_sent_again(self, kind):
        self.redis.script_flush()
        lock = self.lock(kind)
        self.assertTrue(lock.acquire(blocking=False))
        self.redis.script_flush()
        self.assertTrue(lock.is_still_owner())
        self.redis.script_flush()
        self.assertTrue(lock.release())

    @ddt.data(*KINDS)
    def test_an_acquire_whose_answer_is_lost_is_sent_again(self, kind):
        """A writer comes while the first answer is lost."""
        between, coordinator = self.through_proxy()
        lock = self.lock(kind, coordinator)
        self.assertTrue(lock.acquire())
        self.assertTrue(lock.release())
        waiter = self.lock('write')
        exchange = redis_locks._exchange
        begun = []
        waiters = []

        def wait_and_exchange(*args):
            if not begun and self.tokens() != (None, []):
                begun.append(waiter)
                waiters.append(self.waits(waiter))
            return exchange(*args)

        between.lose_answer_to(self.name.encode())
        with mock.patch.object(redis_locks, '_exchange', wait_and_exchange):
            self.assertTrue(lock.acquire(blocking=False))
        self.assertEqual(1, len(waiters))
        self.assertTrue(lock.release())
        self.assertAcquires(waiters[0])

    @ddt.data(*KINDS)
    def test_a_heartbeat_removes_what_a_failed_acquire_has_left(self, kind):
        """It expires, too, but later; here the expiry is taken away."""
        self.assertTrue(self.is_free(kind))
        exchange = redis_locks._exchange

        def lose_answer(*args):
            exchange(*args)
            raise redis.exceptions.TimeoutError()

        with mock.patch.object(redis_locks, '_exchange', lose_answer):
            self.assertRaises(tooz.ToozError, self.lock(kind).acquire)
        self.redis.persist(self.writer)
        self.redis.persist(self.readers)
        self.eventually(lambda: self.tokens() == (None, []),
                        'No heartbeat removes the token')

    @ddt.data(*KINDS)
    def test_a_heartbeat_tells_that_a_lock_is_lost(self, kind):
        with mock.patch.object(rwlock_base.LOG, 'warning') as warning:
            held = self.held(kind)
            self.redis.delete(self.writer, self.readers)
            self.eventually(lambda: base.told_of(warning, held),
                            'Nobody is told')

    @ddt.data(*KINDS)
    def test_the_lease_ends_by_the_local_clock(self, kind):
        held = self.held(kind)
        self.assertTrue(held.is_still_owner())
        later = time.monotonic() + 3
        with (mock.patch.object(redis_locks.time, 'monotonic',
                                return_value=later),
                mock.patch.object(redis_locks.Backend, 'ask') as ask):
            self.assertFalse(held.is_still_owner())
        ask.assert_not_called()

    @ddt.data(*KINDS)
    def test_the_clock_decides_while_the_server_does_not_say(self, kind):
        # redis-py tries to connect for longer than the lease of the others.
        between, coordinator = self.through_proxy('&lock_timeout=60')
        held = self.held(kind, coordinator)
        between.cut()
        try:
            self.assertTrue(held.is_still_owner())
            with mock.patch.object(held, '_valid_until', 0):
                self.assertFalse(held.is_still_owner())
        finally:
            between.mend()

    @ddt.data(*KINDS)
    def test_a_release_after_the_lease_is_too_late(self, kind):
        held = self.held(kind)
        later = time.monotonic() + 3
        with mock.patch.object(redis_locks.time, 'monotonic',
                               return_value=later):
            self.assertFalse(held.release())
        self.assertTrue(self.is_free('write'))

    @ddt.data(*KINDS)
    def test_an_answer_later_than_the_lease_is_not_believed(self, kind):
        lock = self.lock(kind)
        ask = lock._backend.ask

        def ask_late(*args, **kwargs):
            answer = ask(*args, **kwargs)
            time.sleep(0.2)
            return answer

        with (mock.patch.object(lock._backend, 'lease', 0.1),
                mock.patch.object(lock._backend, 'ask', ask_late)):
            self.assertFalse(lock.acquire(blocking=False))
        self.assertFalse(lock.is_still_owner())
        self.assertTrue(self.is_free('write'))

    @ddt.data(('read', 'write'), ('write', 'read'), ('write', 'write'))
    @ddt.unpack
    def test_a_release_ends_the_pause_of_another_process(self, holder, other):
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', holder, self.name, False))
        lock = self.lock(other)
        with (mock.patch.object(lock._backend, 'lease', 600),
                mock.patch.object(lock, 'FIRST_PAUSE', 600),
                mock.patch.object(lock, 'LONGEST_PAUSE', 600)):
            waiter = self.waits(lock)
            self._wait_until_it_listens(lock._backend)
            self.assertTrue(process.do('release', 'a'))
            self.assertAcquires(waiter)

    def _wait_until_it_listens(self, backend):
        heard = mock.call(backend.queue(b'hint'))
        with mock.patch.object(redis_locks.turns, 'wake_first') as wake_first:
            self.eventually(
                lambda: (self.redis.publish(redis_scripts.CHANNEL, 'hint') and
                         heard in wake_first.mock_calls), 'It does not listen')

    @ddt.data(*KINDS)
    def test_locks_do_without_the_right_to_publish(self, kind):
        self.redis.acl_setuser('quiet', enabled=True, keys='*',
                               categories=['+@all'], reset_channels=True,
                               passwords='+' + redis_server.PASSWORD)
        quiet = self.new_coordinator(
            self.server.url().replace('//:', '//quiet:'))
        lock = self.lock(kind, quiet)
        waiter = self.waits(self.lock('write', quiet)) if (
            lock.acquire()) else None
        self.assertTrue(lock.release())
        self.assertAcquires(waiter)

    def test_a_waiter_is_told_of_every_reader(self):
        other = self.new_coordinator(self.url)
        self.held('read', other, 'volume 4711')
        self.held('read', other, 'volume 4712')
        writer = self.write_lock()
        self.waits(writer, 5)
        told = '; '.join(sorted(self.read_lock()._holders()))
        self.assertRegex(told, '^process .* for volume 4711; '
                               'process .* for volume 4712$')

    def test_a_waiter_is_told_of_a_lock_of_tooz(self):
        process = self.process()
        process.do('acquire', 'a', 'tooz', self.name, False)
        self.assertEqual(['a lock of tooz'], self.read_lock()._holders())

    def test_the_password_is_told_to_nobody(self):
        logged = self.useFixture(fixtures.FakeLogger(level=logging.DEBUG))
        between, coordinator = self.through_proxy()
        lock = self.lock('write', coordinator)
        between.cut()
        refused = self.assertRaises(tooz.ToozError, lock.acquire)
        self.redis.config_set('requirepass', 'other')
        self.addCleanup(self.redis.config_set, 'requirepass',
                        redis_server.PASSWORD)
        between.mend()
        wrong = self.assertRaises(tooz.ToozError, lock.acquire)
        for text in (str(refused), str(wrong), logged.output):
            self.assertNotIn(redis_server.PASSWORD, text)

    def test_an_old_server_is_refused(self):
        with mock.patch.object(redis.Redis, 'info', return_value={
                'redis_version': '4.0.14'}):
            self.assertRaisesRegex(
                tooz.NotImplemented, '4.0.14', redis_locks.Backend,
                self.url, self.coordinator.coordinator)

    @ddt.data(*KINDS)
    def test_a_restart_without_persistence_is_known(self, kind):
        held = self.held(kind)
        self.server.restart()
        self.assertFalse(held.is_still_owner())
        stranger = self.new_coordinator(self.url)
        self.assertTrue(self.is_free('write', stranger))
        self.assertFalse(held.release())


@ddt.ddt
class DurableRedisTestCase(RedisTestCase):

    def backend_url(self):
        self.server = self.useFixture(redis_server.DurableRedisServer())
        return self.server.url() + '&lock_timeout=60'

    @ddt.data(*KINDS)
    def test_a_lock_survives_a_restart_with_persistence(self, kind):
        held = self.held(kind)
        self.server.restart()
        self.assertTrue(held.is_still_owner())
        stranger = self.new_coordinator(self.url)
        self.assertFalse(self.is_free('write', stranger))
        self.assertTrue(held.release())
        self.assertTrue(self.is_free('write', stranger))


@ddt.ddt
class SentinelTestCase(RedisTestCase):

    def backend_url(self):
        self.server = self.useFixture(redis_server.SentinelServer())
        return self.server.url()

    @ddt.data(*KINDS)
    def test_a_lock_that_has_reached_the_replica_survives(self, kind):
        stranger = self.new_coordinator(self.url)
        held = self.held(kind)
        self.assertFalse(self.is_free('write', stranger))
        self.eventually(
            lambda: self.replica().exists(self.writer, self.readers),
            'The replica does not hear of the lock')
        self.server.fail_over()
        self.assertTrue(held.is_still_owner())
        self.assertFalse(self.is_free('write', stranger))
        self.assertTrue(held.release())
        self.assertTrue(self.is_free('write', stranger))

    @ddt.data(*KINDS)
    def test_a_lock_that_has_not_reached_the_replica_is_lost(self, kind):
        held = self.held(kind)
        self.replica().config_set('replica-read-only', 'no')
        self.eventually(
            lambda: self.replica().delete(self.writer, self.readers),
            'The replica does not hear of the lock')
        self.server.fail_over()
        self.assertFalse(held.is_still_owner())
        self.assertFalse(held.release())
        self.assertTrue(self.is_free('write'))

    def replica(self):
        return self.server.client(self.server.replica_port)
