#
# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""What can go wrong between the locks of the driver and ZooKeeper."""

import functools
import gc
import math
import os
import time
from unittest import mock
from urllib import parse

import ddt
from kazoo import client
from kazoo import exceptions
from kazoo.handlers import threading as threading_handler
from kazoo import security
from testtools import testcase

import tooz
from tooz import _sharing
from tooz import coordination
from tooz.drivers import _zookeeper_lock
from tooz.drivers import _zookeeper_session
from tooz import tests
from tooz.tests import lock_process
from tooz.tests import proxy
from tooz.tests import test_shared_locks

TIMEOUT = 6
"""Seconds of a session; a server with the default ticks allows no less."""

Background = test_shared_locks.Background


def starts_over(test):
    """Run a test again if a session has ended because nobody ran for long."""

    @functools.wraps(test)
    def run(self, *args):
        for attempt in range(10):
            self.leases = {}
            try:
                return test(self, *args)
            except (AssertionError, tooz.ToozError):
                if attempt == 9 or all(
                    session.lease is lease
                    for session, lease in self.leases.items()
                ):
                    raise
            self.set_up_name()

    return run


@ddt.ddt
class TestZooKeeperLock(testcase.TestCase):
    def setUp(self):
        super().setUp()
        url = parse.urlsplit(os.getenv('TOOZ_TEST_URL', ''))
        if url.scheme not in ('zookeeper', 'kazoo'):
            self.skipTest('This is for ZooKeeper')
        self.address = url.hostname, url.port
        self.leases = {}
        self.zookeeper = self.client()
        self.set_up_name()

    def set_up_name(self):
        self.name = tests.get_random_uuid()
        self.path = f'/tooz/locks/{self.name.decode()}'

    def client(self, client_id=None):
        """Return a client that looks into the server.

        :param client_id: The session that it takes over.
        """
        zookeeper = client.KazooClient(
            '{}:{}'.format(*self.address),
            client_id=client_id,
            handler=_zookeeper_session.HANDLERS['threading'](),
        )
        zookeeper.start(lock_process.PATIENCE)
        self.addCleanup(zookeeper.close)
        self.addCleanup(zookeeper.stop)
        return zookeeper

    def url(self, port=None):
        host, server_port = self.address
        port = port or server_port
        return f'zookeeper://{host}:{port}?timeout={TIMEOUT}'

    def coordinator(self, port=None, options=''):
        coordinator = coordination.get_coordinator(
            self.url(port) + options, tests.get_random_uuid()
        )
        coordinator.start(start_heart=True)
        self.addCleanup(coordinator.stop)
        session = coordinator._session  # type: ignore[attr-defined]
        self.leases[session] = session.lease
        return coordinator

    def behind_proxy(self):
        """Return a proxy and a coordinator that has used the lock."""
        between = proxy.Proxy(self.address[1])
        self.addCleanup(between.kill)
        coordinator = self.coordinator(between.port)
        self.addCleanup(between.hear)
        lock = coordinator.get_lock(self.name)
        self.assertTrue(lock.acquire())
        self.assertTrue(lock.release())
        return between, coordinator

    def held(self, shared, coordinator=None):
        coordinator = coordinator or self.coordinator()
        lock = coordinator.get_lock(self.name)
        self.assertTrue(lock.acquire(blocking=False, shared=shared))
        return lock

    def is_free(self, shared=False, coordinator=None):
        lock = (coordinator or self.coordinator()).get_lock(self.name)
        return lock.acquire(blocking=False, shared=shared) and lock.release()

    def waits(self, lock, shared):
        """Let another thread acquire a lock, and return once it waits."""
        waiter = Background(lock.acquire, True, shared)
        self.eventually(lambda: self.has_a_place(lock), 'It does not wait')
        return waiter

    def has_a_place(self, lock):
        """Return whether a waiter of this process stands in the queue."""
        queue = self.queue()
        return any(
            hold.waits and hold.node in queue
            for hold in _sharing._all_holds()
            if isinstance(hold, _zookeeper_lock._ZooKeeperHold)
            and hold.key == lock.key
        )

    def older(self):
        """Return what the exclusive lock of tooz up to 9.1 is."""
        return self.zookeeper.Lock(self.path, 'member-1')

    def queue(self):
        try:
            return sorted(self.zookeeper.get_children(self.path))
        except exceptions.NoNodeError:
            return []

    def empty_queue(self):
        """Delete the nodes of the queue, as an operator could."""
        for node in self.queue():
            self.zookeeper.delete(f'{self.path}/{node}')

    def end_session(self, coordinator):
        thief = self.client(coordinator._coord.client_id)
        thief.stop()

    def eventually(self, condition, message):
        deadline = time.monotonic() + lock_process.PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, message)
            time.sleep(0.005)

    # An older tooz

    @ddt.data(False, True)
    @starts_over
    def test_the_lock_of_an_older_tooz_is_waited_for(self, shared):
        older = self.older()
        self.assertTrue(older.acquire(blocking=False))
        lock = self.coordinator().get_lock(self.name)
        self.assertFalse(lock.acquire(blocking=False, shared=shared))
        (owner,) = lock.owners()
        self.assertEqual((True, False, None), owner[:3])
        self.assertEqual('member member-1', owner.purpose)
        waiter = self.waits(lock, shared)
        older.release()
        self.assertIs(True, waiter.result())
        self.assertTrue(lock.release())

    @ddt.data([False], [True], [True, True])
    @starts_over
    def test_an_older_tooz_waits_for_the_lock(self, kinds):
        for leave in (list, reversed):
            coordinator = self.coordinator()
            locks = [self.held(shared, coordinator) for shared in kinds]
            self.assertFalse(self.older().acquire(blocking=False))
            older = self.older()
            waiter = Background(older.acquire)
            self.eventually(
                lambda: len(self.queue()) > len(locks), 'It does not wait'
            )
            self.assertFalse(self.is_free(True, coordinator))
            for lock in leave(locks):
                self.assertFalse(waiter.ended.is_set())
                self.assertTrue(lock.release())
            self.assertIs(True, waiter.result())
            self.assertFalse(self.is_free(True, coordinator))
            older.release()

    @starts_over
    def test_a_dead_holder_keeps_no_older_tooz_from_waiting_for_others(self):
        """The one who dies can be the first or the last one in the queue."""
        for number in (0, 1):
            coordinators = [self.coordinator(), self.coordinator()]
            locks = [self.held(True, one) for one in coordinators]
            dead = coordinators.pop(number)
            del self.leases[dead._session]
            self.end_session(dead)
            self.assertFalse(self.older().acquire(blocking=False))
            self.assertTrue(locks[1 - number].release())
            self.assertFalse(locks[number].release())
            older = self.older()
            self.assertTrue(older.acquire(blocking=False))
            older.release()

    # Requests

    @ddt.data(False, True)
    @starts_over
    def test_acquire_and_release_take_one_round_trip_each(self, shared):
        between, coordinator = self.behind_proxy()
        trips = []
        for _attempt in range(5):  # The heart may beat in between.
            lock = coordinator.get_lock(self.name)
            between.trips()
            lock.acquire(shared=shared)
            lock.release()
            trips.append(between.trips())
        self.assertEqual(2, min(trips))

    @starts_over
    def test_a_waiter_asks_for_nothing_until_the_server_tells_it(self):
        """It watches the last of those that it waits for."""
        holders = self.held(True), self.held(True)
        lock = self.coordinator().get_lock(self.name)
        asked = mock.Mock(side_effect=lock.session.client.get_children_async)
        with (
            mock.patch.object(lock, 'FIRST_PAUSE', 600),
            mock.patch.object(
                lock.session.client, 'get_children_async', asked
            ),
        ):
            waiter = self.waits(lock, False)
            self.assertTrue(holders[0].release())
            time.sleep(0.1)
            self.assertEqual(2, asked.call_count)
            self.assertTrue(holders[1].release())
            self.assertIs(True, waiter.result())
        self.assertEqual(3, asked.call_count)
        lock.release()

    @starts_over
    def test_a_list_without_the_own_node_is_not_believed(self):
        """A member of the ensemble that lags behind can give it."""
        coordinator = self.coordinator()
        self.assertTrue(self.is_free(False, coordinator))
        get = coordinator._coord.get_children_async
        paths = ['/']
        with mock.patch.object(
            coordinator._coord,
            'get_children_async',
            lambda path: get(paths.pop() if paths else path),
        ):
            lock = coordinator.get_lock(self.name)
            self.assertTrue(lock.acquire(lock_process.PATIENCE / 2))
        self.assertEqual([lock._holds[0].node], self.queue())
        self.assertTrue(lock.release())

    # Sessions

    @ddt.data(False, True)
    @starts_over
    def test_the_end_of_the_session_is_the_end_of_a_lock(self, shared):
        coordinator = self.coordinator()
        held = self.held(shared, coordinator)
        lease = self.leases.pop(coordinator._session)
        self.end_session(coordinator)
        self.eventually(
            lambda: coordinator._session.lease is not lease,
            'It goes unnoticed',
        )
        self.assertEqual(0, lease.left())
        self.assertFalse(held.is_still_owner())
        self.assertFalse(held.release())
        self.assertTrue(self.is_free(False, coordinator))

    @ddt.data(*test_shared_locks.CONFLICTS)
    @ddt.unpack
    @starts_over
    def test_a_waiter_whose_session_has_ended_enters_again(
        self, holder, other
    ):
        held = self.held(holder)
        coordinator = self.coordinator()
        lock = coordinator.get_lock(self.name)
        waiter = self.waits(lock, other)
        del self.leases[coordinator._session]
        before = self.queue()
        self.end_session(coordinator)
        self.eventually(
            lambda: len(self.queue()) == 2 and self.queue() != before,
            'It does not come back',
        )
        self.assertTrue(held.release())
        self.assertIs(True, waiter.result())
        self.assertTrue(lock.is_still_owner())
        self.assertTrue(lock.release())

    @starts_over
    def test_a_node_of_another_session_than_expected_is_not_used(self):
        """The session ends while a request is about to be sent."""
        coordinator = self.coordinator()
        session = coordinator._session
        self.assertTrue(self.is_free(False, coordinator))
        create = coordinator._coord.create_async
        ends = [True]

        def create_async(*args, **kwargs):
            if ends and ends.pop():
                for state in ('LOST', 'CONNECTED'):
                    session._changed(state)
            return create(*args, **kwargs)

        with mock.patch.object(
            coordinator._coord, 'create_async', create_async
        ):
            lock = coordinator.get_lock(self.name)
            self.assertTrue(lock.acquire(lock_process.PATIENCE / 2))
        self.assertIs(session.lease, lock._holds[0].lease)
        self.assertEqual([lock._holds[0].node], self.queue())
        self.leases[session] = session.lease
        self.assertTrue(lock.release())

    @ddt.data(False, True)
    @starts_over
    def test_a_lock_whose_node_is_deleted_is_lost(self, shared):
        held = self.held(shared)
        self.empty_queue()
        self.assertFalse(held.is_still_owner())
        self.assertFalse(held.release())
        self.assertTrue(self.is_free())

    @ddt.data(False, True)
    @starts_over
    def test_a_lock_and_a_waiter_survive_a_break_of_the_connection(
        self, shared
    ):
        between, coordinator = self.behind_proxy()
        stranger = self.held(False)
        lock = coordinator.get_lock(self.name)
        waiter = self.waits(lock, shared)
        queue = self.queue()
        between.cut()
        between.mend()
        self.assertEqual(queue, self.queue())
        self.assertTrue(stranger.release())
        self.assertIs(True, waiter.result())
        between.cut()
        between.mend()
        self.assertTrue(lock.is_still_owner())
        self.assertTrue(lock.release())
        self.assertEqual([], self.queue())

    @starts_over
    def test_a_busy_process_leaves_a_connection_that_is_silent(self):
        """And soon enough to keep its session."""
        between, coordinator = self.behind_proxy()
        held = self.held(True, coordinator)
        client_id = coordinator._coord.client_id
        busy = [True]

        def ask():
            while busy:
                coordinator._coord.exists_async('/')
                time.sleep(0.1)

        asking = Background(ask)
        between.silence_old_connections()
        ends = _sharing.now() + 2 * TIMEOUT
        self.eventually(
            lambda: coordinator._session.lease._end > ends,
            'It stays with the silent connection',
        )
        busy.clear()
        asking.result()
        self.assertEqual(client_id, coordinator._coord.client_id)
        self.assertTrue(held.release())

    # A server that does not answer

    @ddt.data((False, True), (True, True), (False, False), (True, False))
    @ddt.unpack
    @starts_over
    def test_the_clock_decides_while_the_server_is_silent(self, shared, held):
        between, coordinator = self.behind_proxy()
        lock = self.held(shared, coordinator)
        if not held:
            lock._holds[0].lease = _sharing.Lease(
                TIMEOUT, _sharing.now() - TIMEOUT
            )
        between.silence()
        self.assertIs(held, lock.is_still_owner())
        self.assertIs(held, lock.release())
        if shared:  # What is deleted in vain has to be deleted again.
            between.cut()
            between.mend()
        between.hear()
        self.eventually(lambda: not self.queue(), 'The node is left behind')

    @ddt.data(False, True)
    @starts_over
    def test_a_release_without_a_connection_is_made_good(self, shared):
        between, coordinator = self.behind_proxy()
        client_id = coordinator._coord.client_id
        lock = self.held(shared, coordinator)
        between.cut()
        self.assertTrue(lock.is_still_owner())
        self.assertTrue(lock.release())
        between.mend()
        self.eventually(lambda: not self.queue(), 'The node is left behind')
        self.assertEqual(client_id, coordinator._coord.client_id)

    @ddt.data(False, True)
    @starts_over
    def test_a_release_whose_answer_is_lost_is_a_release(self, shared):
        between, coordinator = self.behind_proxy()
        lock = self.held(shared, coordinator)
        between.lose_answer_to(b'lock__0000')
        self.assertTrue(lock.release())
        self.assertEqual([], self.queue())

    @ddt.data(False, True)
    @starts_over
    def test_an_acquire_whose_answer_is_lost_has_one_node(self, shared):
        between, coordinator = self.behind_proxy()
        between.lose_answer_to(b'__lock__')
        lock = self.held(shared, coordinator)
        self.eventually(
            lambda: [hold.node for hold in lock._holds] == self.queue(),
            'It has another node',
        )
        self.assertTrue(lock.release())
        self.assertEqual([], self.queue())

    @ddt.data(False, True)
    @starts_over
    def test_the_server_hears_of_an_acquire_after_it_has_failed(self, shared):
        between, coordinator = self.behind_proxy()
        client_id = coordinator._coord.client_id
        between.silence()
        lock = coordinator.get_lock(self.name)
        self.assertFalse(lock.acquire(0.1, shared))
        between.hear()
        self.eventually(
            lambda: self.is_free(False, coordinator), 'It has left a lock'
        )
        self.eventually(lambda: not self.queue(), 'It has left a node')
        self.assertEqual(client_id, coordinator._coord.client_id)

    @ddt.data(*test_shared_locks.CONFLICTS)
    @ddt.unpack
    @starts_over
    def test_a_wait_that_ends_without_a_connection_leaves_no_node(
        self, holder, other
    ):
        between, coordinator = self.behind_proxy()
        client_id = coordinator._coord.client_id
        held = self.held(holder)
        lock = coordinator.get_lock(self.name)
        waiter = Background(lock.acquire, 2, other)
        self.eventually(lambda: self.has_a_place(lock), 'It does not wait')
        coordinator.heart.stop()
        between.cut()
        self.assertIs(False, waiter.result())
        self.assertEqual(2, len(self.queue()))
        between.mend()
        self.eventually(lambda: len(self.queue()) == 1, 'The node is left')
        self.assertTrue(held.release())
        self.assertEqual(client_id, coordinator._coord.client_id)

    def test_an_answer_that_is_later_than_the_lease_is_not_believed(self):
        session = self.coordinator()._session
        request = mock.Mock()
        request.return_value.get = lambda timeout: time.sleep(0.3)
        with mock.patch.object(
            session, 'lease', _sharing.Lease(0.2, _sharing.now())
        ):
            self.assertRaises(
                coordination.OperationTimedOut, session.ask, request
            )

    @starts_over
    def test_nothing_is_sent_without_a_connection(self):
        """It would block the sender once there is too much of it."""
        between, coordinator = self.behind_proxy()
        session = coordinator._session
        between.cut()

        def sends():
            request = mock.Mock(side_effect=StopIteration)
            try:
                session.ask(request, _sharing.now() + 0.1)
            except (StopIteration, coordination.OperationTimedOut):
                return request.called

        self.eventually(lambda: not sends(), 'It sends to nobody')
        between.mend()

    def test_a_request_that_is_refused_is_repeated_with_pauses(self):
        session = self.coordinator()._session
        request = mock.Mock()
        request.return_value.get.side_effect = exceptions.ConnectionLoss
        self.assertRaises(
            coordination.OperationTimedOut,
            session.ask,
            request,
            _sharing.now() + 0.2,
        )
        self.assertLess(request.call_count, 2 + 0.2 / session.RETRY_PAUSE)

    def test_a_coordinator_that_is_stopped_fails_at_once(self):
        coordinator = self.coordinator()
        lock = coordinator.get_lock(self.name)
        lock.acquire()
        coordinator.stop()
        with mock.patch.object(
            coordinator._session, '_is_connected'
        ) as is_connected:
            self.assertRaises(
                coordination.ToozConnectionError,
                coordinator.get_lock(self.name).acquire,
            )
            self.assertFalse(lock.release())
        is_connected.wait.assert_not_called()
        coordinator.start()
        self.assertEqual([], self.queue())

    def test_what_the_server_refuses_is_an_error(self):
        self.zookeeper.ensure_path(self.path)
        self.zookeeper.set_acls(
            self.path, [security.make_acl('world', 'anyone', read=True)]
        )
        lock = self.coordinator().get_lock(self.name)
        error = self.assertRaises(tooz.ToozError, lock.acquire, timeout=20)
        self.assertIn('NoAuth', str(error))

    # What is left behind

    @ddt.data(False, True)
    @starts_over
    def test_a_lock_that_is_dropped_is_free(self, shared):
        coordinator = self.coordinator()
        lock = self.held(shared, coordinator)
        with mock.patch.object(_sharing.LOG, 'warning'):
            del lock
            gc.collect()
        self.eventually(lambda: not self.queue(), 'The node is left behind')

    @ddt.data(False, True)
    @starts_over
    def test_an_exception_in_a_wait_leaves_no_node(self, shared):
        held = self.held(False)
        coordinator = self.coordinator()
        error = KeyboardInterrupt()
        with mock.patch.object(_sharing._Turn, 'wait', side_effect=error):
            self.assertRaises(
                KeyboardInterrupt,
                coordinator.get_lock(self.name).acquire,
                shared=shared,
            )
        self.eventually(lambda: len(self.queue()) == 1, 'The node is left')
        self.assertTrue(held.release())

    # The client

    @ddt.data('threading', 'eventlet')
    @starts_over
    def test_both_handlers_share_locks(self, handler):
        if handler == 'eventlet' and not lock_process.uses_eventlet():
            self.skipTest('eventlet is not used')
        coordinator = self.coordinator(options=f'&handler={handler}')
        held = self.held(True, coordinator)
        lock = coordinator.get_lock(self.name)
        waiter = self.waits(lock, False)
        self.assertTrue(held.release())
        self.assertIs(True, waiter.result())
        self.assertTrue(lock.release())

    def test_the_pauses_between_connections_do_not_outlast_the_session(self):
        coordinator = self.coordinator()
        with mock.patch.object(client, 'KazooClient') as new_client:
            coordination.get_coordinator(self.url(), b'a')
        retry = new_client.call_args.kwargs['connection_retry']
        self.assertLess(retry.max_delay, TIMEOUT / 5)
        self.assertTrue(coordinator.heart.is_alive())


class TestHandler(testcase.TestCase):
    """What a select of kazoo's handlers gives."""

    def select(self, answers, *args):
        with mock.patch.object(
            threading_handler.SequentialThreadingHandler,
            'select',
            side_effect=answers,
        ) as select:
            ready = _zookeeper_session.HANDLERS['threading']().select(*args)
        self.timeouts = [call.args[3] for call in select.call_args_list]
        return list(ready)

    def test_what_a_tls_socket_has_read_already_is_ready(self):
        tls = mock.Mock(**{'pending.return_value': 1})
        other = mock.Mock(spec=['fileno'])
        for ready in ([], [other], [tls, other]):
            answer = [ready, [], []]
            read = self.select([answer], [tls, other], [], [], 60)[0]
            self.assertEqual({tls, *ready}, set(read))
            self.assertEqual([0], self.timeouts)
        tls.pending.return_value = 0
        answer = [[other], [], []]
        self.assertEqual(answer, self.select([answer], [tls], [], [], 60))
        self.assertEqual([60], self.timeouts)

    def test_a_select_that_ends_early_goes_on(self):
        nothing: list[list[str]] = [[], [], []]
        something = [[], ['socket'], []]
        self.assertEqual(
            something, self.select([nothing, something], [], [], [], 60)
        )
        self.assertEqual(nothing, self.select([nothing], [], [], [], 0))


class TestOwner(testcase.TestCase):
    def test_nobody_knows_what_others_write(self):
        for data in (b'', b'7', b'[]', b'\xff', b'null', b'"a"'):
            owner = _zookeeper_lock._owner('a', True, data, 0)
            self.assertEqual((None, ''), owner[2:4])

    def test_a_name_below_that_of_a_lock_is_no_owner(self):
        nodes = ['a__lock__-5', 'b__lock__0000000007', 'c__lock__c']
        self.assertEqual(
            [-5, 7, math.inf],
            [_zookeeper_lock._place(node) for node in nodes],
        )
