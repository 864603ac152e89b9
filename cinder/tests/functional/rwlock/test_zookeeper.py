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

"""Read and write locks on a real ZooKeeper server."""

import time
from unittest import mock

import ddt
import fixtures
from kazoo import exceptions
from kazoo.protocol import states
import tooz
from tooz import coordination

from cinder.rwlock import base as rwlock_base
from cinder.rwlock import tooz_internals
from cinder.rwlock import zookeeper
from cinder.rwlock import zookeeper_session
from cinder.tests.functional.rwlock import server
from cinder.tests.functional.rwlock import server_case
from cinder.tests.functional.rwlock import server_contract
from cinder.tests.functional.rwlock import zookeeper_server
from cinder.tests.unit.rwlock import base
from cinder.tests.unit.rwlock import contract

KINDS = server_contract.KINDS


class ZooKeeperTestCase(server_case.ServerTestCase):
    """What the tests on ZooKeeper need."""

    SERVER = zookeeper_server.ZooKeeperServer

    def setUp(self):
        self._sessions = {}
        super().setUp()
        self.zookeeper = self.server.client()
        self.addCleanup(self.zookeeper.close)
        self.addCleanup(self.zookeeper.stop)
        self.path = tooz_internals.zookeeper_path(
            self.coordinator.coordinator, ('cinder-' + self.name).encode())

    def lock(self, *args, **kwargs):
        lock = super().lock(*args, **kwargs)
        self._sessions.setdefault(lock._session, lock._session.number)
        return lock

    def signs_of_lateness(self, error):
        yield from super().signs_of_lateness(error)
        if any(session.number != number
               for session, number in self._sessions.items()):
            yield 'a session has ended'

    def queue(self):
        """Return the nodes of the queue of ``self.name``."""
        try:
            return sorted(self.zookeeper.get_children(self.path))
        except exceptions.NoNodeError:
            return []

    def empty_queue(self):
        """Delete all nodes of the queue, as an operator could."""
        for node in self.queue():
            self.zookeeper.delete('%s/%s' % (self.path, node))

    def end_session(self, coordinator):
        """Have the server end the session of a coordinator."""
        client = tooz_internals.zookeeper_client(coordinator.coordinator)
        thief = self.server.client(client.client_id)
        thief.stop()
        thief.close()


class ZooKeeperContractTestCase(server_contract.ServerContract,
                                ZooKeeperTestCase):
    """The contract; to list a long queue takes the server longer."""

    LEASE = zookeeper_server.TIMEOUT + 2 * zookeeper_server.TICK
    REQUEST_SECONDS = zookeeper_server.TIMEOUT
    ACQUIRE = b'process '
    RELEASE = b'lock__0000000'
    CROWD_COST = 3
    EXCLUDED = frozenset([('tooz', 'read'), ('tooz', 'write'),
                          ('write', 'tooz')])

    def break_lock(self, lock):
        self.end_session(self.coordinator)

    def traces(self):
        return self.queue()


@ddt.ddt
class ZooKeeperLockTestCase(ZooKeeperTestCase):

    def recipe(self, kind):
        """Return a lock of kazoo in another session."""
        return {'read': self.zookeeper.ReadLock,
                'write': self.zookeeper.WriteLock}[kind](self.path)

    # Kazoo and tooz

    @ddt.data(*contract.CONFLICTS)
    @ddt.unpack
    def test_kazoos_recipes_wait_for_us(self, holder, other):
        held = self.held(holder)
        recipe = self.recipe(other)
        self.assertFalse(recipe.acquire(blocking=False))
        waiter = base.Background(recipe.acquire)
        self.eventually(lambda: len(self.queue()) == 2, 'It does not wait')
        self.assertTrue(held.release())
        self.assertAcquires(waiter)
        self.assertFalse(self.is_free('write'))
        recipe.release()

    @ddt.data(*contract.CONFLICTS)
    @ddt.unpack
    def test_we_wait_for_kazoos_recipes(self, holder, other):
        recipe = self.recipe(holder)
        self.assertTrue(recipe.acquire(blocking=False))
        lock = self.lock(other)
        self.assertFalse(lock.acquire(blocking=False))
        waiter = self.waits(lock)
        recipe.release()
        self.assertAcquires(waiter)
        self.assertTrue(lock.release())

    def test_kazoos_readers_run_with_ours(self):
        recipe = self.recipe('read')
        self.assertTrue(recipe.acquire(blocking=False))
        self.held('read')
        self.assertTrue(self.recipe('read').acquire(blocking=False))

    @ddt.data('zookeeper', 'kazoo')
    def test_both_schemes_have_native_locks(self, scheme):
        url = self.server.url().replace('zookeeper', scheme, 1)
        lock = self.lock('read', self.new_coordinator(url))
        self.assertIsInstance(lock, zookeeper.ReadLock)
        self.assertTrue(lock.acquire())
        self.assertEqual(1, len(self.queue()))

    def test_the_next_host_is_asked_if_the_first_is_down(self):
        hosts = ':%d,%s:%d' % (server.free_port(), '127.0.0.1',
                               self.server.port)
        url = self.server.url().replace(':%d' % self.server.port, hosts)
        lock = self.lock('write', self.new_coordinator(url))
        self.assertTrue(lock.acquire())
        self.assertTrue(lock.is_still_owner())
        self.assertFalse(self.is_free('read'))
        self.assertTrue(lock.release())

    def test_the_password_is_told_to_nobody(self):
        logged = self.useFixture(fixtures.FakeLogger(level=0))
        between, coordinator = self.through_proxy()
        held = self.lock('write', coordinator)
        self.assertTrue(held.acquire())
        between.cut()
        error = self.assertRaises(tooz.ToozError,
                                  self.lock('read', coordinator).acquire)
        between.mend()
        self.assertNotIn('secret', str(error))
        self.assertNotIn('secret', logged.output)

    # Requests

    def test_a_waiter_asks_for_nothing_until_the_server_tells_it(self):
        held = self.held('read')
        between, coordinator = self.through_proxy()
        lock = self.lock('write', coordinator)
        with mock.patch.object(lock, 'FIRST_PAUSE', 600):
            waiter = self.waits(lock)
            time.sleep(contract.GLIMPSE)
            between.trips()
            began = time.monotonic()
            time.sleep(contract.GLIMPSE)
            trips = between.trips()
            self.assertLess(trips / (time.monotonic() - began), 5)
            self.assertFalse(waiter.ended.is_set())
            self.assertTrue(held.release())
            self.assertAcquires(waiter)

    def test_a_request_that_is_refused_at_once_is_repeated_with_pauses(self):
        session = self.lock('read')._session
        request = mock.Mock(side_effect=session.client.exists_async)
        with mock.patch.object(session.client, '_state',
                               states.KeeperState.EXPIRED_SESSION):
            self.assertRaises(coordination.ToozConnectionError, session.ask,
                              request, '/',
                              deadline=time.monotonic() + contract.GLIMPSE)
        self.assertLess(request.call_count,
                        2 + contract.GLIMPSE / zookeeper_session.PAUSE)

    # Sessions

    @ddt.data(*KINDS)
    def test_the_end_of_the_session_is_told_at_once(self, kind):
        held = self.held(kind)
        with mock.patch.object(rwlock_base.LOG, 'warning') as warning:
            self.end_session(self.coordinator)
            self.eventually(lambda: base.told_of(warning, held),
                            'Nobody is told')

    @ddt.data(*KINDS)
    def test_a_lock_of_an_earlier_session_is_lost_though_its_node_is_there(
            self, kind):
        held = self.held(kind)
        self.end_session(self.coordinator)
        self.eventually(lambda: held._number != held._session.number,
                        'The end of the session goes unnoticed')
        self.zookeeper.create('%s/%s' % (self.path, held._node))
        held._session.ask(held._client.exists_async, '/')
        self.assertFalse(held.is_still_owner())
        self.assertFalse(held.release())

    @ddt.data(*KINDS)
    def test_a_lock_whose_node_is_deleted_is_lost(self, kind):
        held = self.held(kind)
        self.empty_queue()
        self.assertFalse(held.is_still_owner())
        self.assertFalse(held.release())
        self.assertTrue(self.is_free('write'))

    @ddt.data(*contract.CONFLICTS)
    @ddt.unpack
    def test_a_waiter_whose_node_is_deleted_enters_again(self, holder, other):
        held = self.held(holder)
        lock = self.lock(other)
        waiter = self.waits(lock)
        mine = lock._prefix
        for node in self.queue():
            if node.startswith(mine):
                self.zookeeper.delete('%s/%s' % (self.path, node))
        self.assertTrue(held.release())
        self.assertAcquires(waiter)
        self.assertNotEqual(mine, lock._prefix)
        self.assertTrue(lock.is_still_owner())
        self.assertTrue(lock.release())

    @ddt.data(*KINDS)
    def test_the_lease_ends_by_the_local_clock(self, kind):
        held = self.held(kind)
        self.assertTrue(held.is_still_owner())
        later = time.monotonic() + zookeeper_server.TIMEOUT
        with (mock.patch.object(zookeeper_session.time, 'monotonic',
                                return_value=later),
                mock.patch.object(held._session, 'ask') as ask):
            self.assertFalse(held.is_still_owner())
        ask.assert_not_called()

    @ddt.data(*KINDS)
    def test_an_answer_later_than_the_lease_is_not_believed(self, kind):
        lock = self.lock(kind)
        answer = lock._session.answer

        def answer_late(*args):
            answered = answer(*args)
            time.sleep(0.2)
            return answered

        with (mock.patch.object(lock._session, 'timeout', 0.1),
                mock.patch.object(lock._session, 'answer', answer_late)):
            self.assertRaises(tooz.ToozError, lock.acquire)
        self.assertFalse(lock.acquired)
        self.eventually(lambda: not self.queue(), 'A node is left behind')

    @ddt.data(*KINDS)
    def test_a_held_lock_stays_valid_for_longer_than_the_lease(self, kind):
        held = self.held(kind)
        time.sleep(zookeeper_server.TIMEOUT + zookeeper_server.TICK)
        self.assertTrue(held.is_still_owner())

    @ddt.data(*KINDS)
    def test_a_lock_and_a_waiter_survive_a_break_of_the_connection(self, kind):
        between, coordinator = self.through_proxy()
        stranger = self.held('write')
        lock = self.lock(kind, coordinator)
        waiter = self.waits(lock)
        place = self.queue()
        between.cut()
        between.mend()
        self.assertEqual(place, self.queue())
        self.assertTrue(stranger.release())
        self.assertAcquires(waiter)
        between.cut()
        between.mend()
        self.assertTrue(lock.is_still_owner())
        self.assertTrue(lock.release())
        self.assertEqual([], self.queue())

    # What is left behind

    @ddt.data(*KINDS)
    def test_an_acquire_whose_answer_is_lost_has_its_node(self, kind):
        between, coordinator = self.through_proxy()
        self.assertTrue(self.is_free(kind, coordinator))
        between.lose_answer_to(ZooKeeperContractTestCase.ACQUIRE)
        lock = self.lock(kind, coordinator)
        self.assertTrue(lock.acquire())
        self.assertEqual([lock._node], self.queue())
        self.assertTrue(lock.release())
        self.assertEqual([], self.queue())

    @ddt.data(*KINDS)
    def test_a_node_of_a_failed_acquire_goes_although_the_session_lives(
            self, kind):
        """The server hears of the acquire after it has failed."""
        between, coordinator = self.through_proxy()
        self.assertTrue(self.is_free(kind, coordinator))
        number = self.lock(kind, coordinator)._session.number
        lock = self.lock(kind, coordinator)
        between.silence()
        self.assertIsNot(True, self.acquire_elsewhere(lock, 0.1))
        between.hear()
        self.eventually(lambda: self.is_free(kind, coordinator),
                        'The failed acquire has left a lock')
        self.eventually(lambda: not self.queue(), 'A node is left behind')
        self.assertEqual(number, lock._session.number)

    @ddt.data(*KINDS)
    def test_a_release_whose_answer_is_lost_is_made_good(self, kind):
        between, coordinator = self.through_proxy()
        lock = self.lock(kind, coordinator)
        self.assertTrue(lock.acquire())
        between.lose_answer_to(ZooKeeperContractTestCase.RELEASE)
        self.assertTrue(lock.release())
        self.assertEqual([], self.queue())

    @ddt.data(*KINDS)
    def test_a_release_that_failed_is_made_good(self, kind):
        between, coordinator = self.through_proxy()
        lock = self.lock(kind, coordinator)
        self.assertTrue(lock.acquire())
        number = lock._session.number
        between.silence()
        with mock.patch.object(lock._session, 'timeout', 0.1):
            self.assertTrue(lock.release())
        between.cut()
        between.mend()
        between.hear()
        self.eventually(lambda: not self.queue(), 'The node is left behind')
        self.assertEqual(number, lock._session.number)

    # Others

    def test_a_waiter_is_told_of_every_reader_in_front(self):
        other = self.new_coordinator(self.url)
        self.held('read', other, 'volume 4711')
        self.held('read', other, 'volume 4712')
        waiter = self.lock('write')
        self.waits(waiter)
        late_reader = self.lock('read', purpose='volume 4713')
        self.waits(late_reader)
        for lock in (waiter, late_reader):
            self.assertRegex('; '.join(lock._holders()),
                             '^process .* for volume 4711; '
                             'process .* for volume 4712$')

    def test_a_waiter_is_told_of_the_writer_only(self):
        self.held('write', None, 'volume 4711')
        self.waits(self.lock('write'))
        waiter = self.lock('read')
        self.waits(waiter)
        self.assertRegex('; '.join(waiter._holders()),
                         '^process .* for volume 4711$')

    def test_a_crowd_of_threads_does_not_break_the_connection(self):
        logged = self.useFixture(fixtures.FakeLogger('kazoo'))
        coordinator = self.new_coordinator(self.server.url().replace(
            'timeout=%d' % zookeeper_server.TIMEOUT, 'timeout=10'))
        locks = [self.lock('read', coordinator) for _number in range(64)]
        for method in ('acquire', 'release'):
            workers = [base.Background(getattr(lock, method))
                       for lock in locks]
            for worker in workers:
                self.assertAcquires(worker)
        self.assertNotIn('time-out', logged.output)
        self.assertNotIn('dropped', logged.output)

    def test_a_select_that_ends_early_goes_on(self):
        client = mock.Mock()
        select = client.handler.select
        nothing, something = ([], [], []), (['socket'], [], [])
        select.side_effect = [nothing, something, nothing]
        zookeeper_session.Session(client, 3)
        self.assertEqual(something,
                         client.handler.select(['socket'], [], [], 60))
        self.assertEqual(nothing,
                         client.handler.select(['socket'], [], [], 0))
        self.assertEqual(3, select.call_count)
