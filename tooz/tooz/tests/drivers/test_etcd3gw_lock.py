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

"""The locks of the etcd3gw driver on a server with faults."""

import base64
import gc
import os
import shutil
import signal
import socket
import subprocess  # noqa: S404
import time
import unittest
from unittest import mock
import uuid

import ddt
import fixtures
import requests
from testtools import testcase

import tooz
from tooz import _sharing
from tooz import coordination
from tooz.drivers import _etcd3gw_gateway
from tooz.drivers import _etcd3gw_session
from tooz.tests import interrupts
from tooz.tests import lock_process
from tooz.tests import proxy
from tooz.tests import test_shared_locks

FILES = (
    '_sharing.py',
    '_etcd3gw_lock.py',
    '_etcd3gw_session.py',
    '_etcd3gw_gateway.py',
)
"""Those in which an interrupt may hit any line."""

PUT = b'"request_put"'
PATIENCE = lock_process.PATIENCE


def encode(data):
    return base64.b64encode(data).decode()


class EtcdServer(fixtures.Fixture):
    """An etcd server, which keeps its data when it is killed.

    :ivar port: Where it listens.
    """

    scheme = 'http'
    arguments: tuple[str, ...] = ()

    def _setUp(self):
        self._folder = self.useFixture(fixtures.TempDir()).path
        self.port, self._peer_port = free_ports(2)
        self._requests = requests.Session()
        self.addCleanup(self._requests.close)
        self.start()
        self.addCleanup(self.kill)

    def start(self):
        url = f'{self.scheme}://127.0.0.1:{self.port}'
        self._process = subprocess.Popen(  # noqa: S603
            [
                shutil.which('etcd') or 'etcd',
                '--data-dir',
                self._folder,
                '--listen-client-urls',
                url,
                '--advertise-client-urls',
                url,
                '--listen-peer-urls',
                f'http://127.0.0.1:{self._peer_port}',
                *self.arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.keys()
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def pause(self):
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)

    def url(self, port=None, **options):
        options = {'timeout': PATIENCE, 'lock_timeout': PATIENCE, **options}
        text = '&'.join(f'{key}={value}' for key, value in options.items())
        address = f'{self.scheme}://127.0.0.1:{port or self.port}'
        return f'etcd3+{address}?api_version=v3&{text}'

    def ask(self, path, **request):
        """Send a request as another client would, and return the answer."""
        response = self._requests.post(
            f'{self.scheme}://127.0.0.1:{self.port}/v3{path}',
            json=request,
            timeout=PATIENCE,
        )
        response.raise_for_status()
        return response.json()

    def keys(self, name=b''):
        """Return the keys that stand on the server and have a name in them."""
        answer = self.ask('/kv/range', key='AA==', range_end='AA==')
        found = [base64.b64decode(kv['key']) for kv in answer.get('kvs', ())]
        return [key for key in found if name in key]


class EtcdTLSServer(EtcdServer):
    """An etcd server that speaks TLS, with a certificate of its own."""

    scheme = 'https'

    def start(self):
        folder = self.useFixture(fixtures.TempDir()).path
        key = os.path.join(folder, 'key.pem')
        self.certificate = os.path.join(folder, 'certificate.pem')
        request = (
            'openssl req -x509 -newkey ec -pkeyopt'
            ' ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=etcd'
            ' -addext subjectAltName=IP:127.0.0.1 -keyout'
        )
        subprocess.run(  # noqa: S603
            [*request.split(), key, '-out', self.certificate],
            check=True,
            capture_output=True,
        )
        self.arguments = '--cert-file', self.certificate, '--key-file', key
        for variable in ('REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'):
            # These come before what a session or a URL says.
            self.useFixture(fixtures.EnvironmentVariable(variable))
        self._requests.verify = self.certificate
        return super().start()

    def url(self, port=None, **options):
        return super().url(port, ca_cert=self.certificate, **options)


def free_ports(number):
    sockets = [socket.create_server(('127.0.0.1', 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class OlderTooz:
    """A lock as tooz up to 9.1 takes it.

    :param server: The server.
    :param name: The name of the lock.
    """

    def __init__(self, server, name):
        self._server = server
        self._key = encode(b'/tooz/locks' + name)
        self._value = encode(uuid.uuid4().bytes)

    def acquire(self):
        lease = self._server.ask('/lease/grant', TTL=PATIENCE)['ID']
        free = {
            'key': self._key,
            'result': 'EQUAL',
            'target': 'CREATE',
            'create_revision': 0,
        }
        put = {'key': self._key, 'value': self._value, 'lease': lease}
        answer = self._server.ask(
            '/kv/txn', compare=[free], success=[{'request_put': put}]
        )
        return answer.get('succeeded', False)

    def release(self):
        own = {
            'key': self._key,
            'result': 'EQUAL',
            'target': 'VALUE',
            'value': self._value,
        }
        delete = {'request_delete_range': {'key': self._key}}
        answer = self._server.ask('/kv/txn', compare=[own], success=[delete])
        return answer.get('succeeded', False)

    def is_free(self):
        """Return whether it can be acquired, and release it."""
        return self.acquire() and self.release()


class EtcdTestCase(testcase.TestCase):
    """Coordinators without a heart: a test says when they beat."""

    SERVER = EtcdServer
    PROGRAMS: tuple[str, ...] = ('etcd',)
    server: EtcdServer

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for program in cls.PROGRAMS:
            if not shutil.which(program):
                raise unittest.SkipTest(f'{program} is not installed')
        cls.server = cls.SERVER()
        cls.server.setUp()
        cls.addClassCleanup(cls.server.cleanUp)

    def setUp(self):
        super().setUp()
        self.name = uuid.uuid4().hex.encode()
        self.older = OlderTooz(self.server, self.name)
        self.coordinators = {}

    def coordinator(self, key='a', port=None, start_heart=False, **options):
        """Return the coordinator of a key, as another host would have it."""
        if key not in self.coordinators:
            coordinator = coordination.get_coordinator(
                self.server.url(port, **options), key.encode()
            )
            coordinator.start(start_heart)
            self.addCleanup(coordinator.stop)
            self.coordinators[key] = coordinator
        return self.coordinators[key]

    def through_proxy(self, **options):
        """Return a proxy, and a coordinator that goes through it."""
        between = proxy.Proxy(self.server.port)
        self.addCleanup(between.kill)
        return between, self.coordinator('proxy', between.port, **options)

    def lock(self, key='a'):
        return self.coordinator(key).get_lock(self.name)

    def lock_that_watches(self, key):
        """Return a lock that nothing but the server's watch wakes in time."""
        lock = self.lock(key)
        # A release in the same process wakes those of the same key.
        lock.key = 'another key'
        lock.FIRST_PAUSE = lock.LONGEST_PAUSE = 1000
        return lock

    def held(self, shared, key='a'):
        lock = self.lock(key)
        self.assertTrue(lock.acquire(blocking=False, shared=shared))
        self.addCleanup(lock.release)
        return lock

    def is_free(self, shared=False, key='stranger'):
        lock = self.lock(key)
        return lock.acquire(blocking=False, shared=shared) and lock.release()

    def keys(self):
        return self.server.keys(self.name)

    def dies(self, key):
        """Let the server end the lease of a coordinator that has died."""
        lease = self.coordinators[key]._session.lease()
        self.server.ask('/lease/revoke', ID=lease.id)

    def eventually(self, condition, message):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, message)
            time.sleep(0.001)

    def waits(self, lock, shared, blocking=True):
        """Let another thread acquire a lock, and return once it has a ticket.

        No other waiter of this process may come first.
        """
        tickets = len([key for key in self.keys() if b'/waits/' in key])
        waiter = test_shared_locks.Background(lock.acquire, blocking, shared)
        self.addCleanup(lock.release)
        self.eventually(
            lambda: (
                len([key for key in self.keys() if b'/waits/' in key])
                > tickets
            ),
            'It does not wait',
        )
        return waiter


@ddt.ddt
class TestOlderTooz(EtcdTestCase):
    """An exclusive lock of a tooz that cannot share."""

    @ddt.data(False, True)
    def test_its_lock_is_waited_for(self, shared):
        self.assertTrue(self.older.acquire())
        lock = self.lock()
        self.assertFalse(lock.acquire(blocking=False, shared=shared))
        self.assertFalse(lock.acquire(0.1, shared=shared))
        (owner,) = lock.owners()
        self.assertEqual((True, False, None, '', None, ''), owner)
        waiter = self.waits(lock, shared)
        self.assertTrue(self.older.release())
        self.assertIs(True, waiter.result())
        self.assertFalse(self.older.is_free())
        self.assertTrue(lock.release())
        self.assertTrue(self.older.is_free())

    @ddt.data(1, 2, 3)
    def test_it_waits_for_all_who_share(self, number):
        locks = [self.held(True, key) for key in 'abc'[:number]]
        for _turn in range(number):
            self.assertFalse(self.older.is_free())
            self.assertTrue(locks.pop(0).release())
        self.assertTrue(self.older.is_free())

    def test_it_waits_for_an_exclusive_lock(self):
        lock = self.held(False)
        self.assertFalse(self.older.is_free())
        self.assertTrue(lock.release())
        self.assertTrue(self.older.is_free())

    @ddt.data(0, 1, 2)
    def test_the_dead_take_no_lock_from_those_who_share(self, dead):
        """Two of three live on, much longer than a lease of the third."""
        while not self._survive(dead):
            # The machine stood still for longer than a lease.
            self.name = uuid.uuid4().hex.encode()
            self.older = OlderTooz(self.server, self.name)

    def _survive(self, dead):
        run = uuid.uuid4().hex
        keys = [f'{run} {number}' for number in range(3)]
        for key in keys:
            self.coordinator(key, lock_timeout=2)
        locks = [self.lock(key) for key in keys]
        for lock in locks:
            self.assertTrue(lock.acquire(PATIENCE, shared=True))
        dead_id = self.coordinators[keys.pop(dead)]._session.lease().id
        dead_lock = locks.pop(dead)
        leases = [lock._holds[-1].lease for lock in locks]
        ended = None
        while ended is None or time.monotonic() - ended < 6:
            for key in keys:
                self.coordinators[key].heartbeat()
            are_held = [lock.is_still_owner() for lock in locks]
            acquired = self.older.acquire()
            if not all(lease.left() for lease in leases):
                return False
            self.assertEqual((False, [True, True]), (acquired, are_held))
            answer = self.server.ask('/lease/timetolive', ID=dead_id)
            if ended is None and int(answer.get('TTL', 0)) < 0:
                ended = time.monotonic()
            time.sleep(0.1)
        self.assertFalse(dead_lock.is_still_owner())
        ends = [(self.older.is_free(), lock.release()) for lock in locks]
        ends.append((self.older.is_free(), False))
        if not all(lease.left() for lease in leases):
            return False
        self.assertEqual([(False, True), (False, True), (True, False)], ends)
        return True

    def test_what_the_dead_have_shared_is_free(self):
        """Though the lease under which the lock was shared lives on."""
        first, others = self.held(True), self.held(True, 'b')
        self.assertTrue(first.release())
        self.coordinator().heartbeat()
        self.assertFalse(self.older.is_free())
        self.dies('b')
        self.assertFalse(self.older.is_free())
        self.coordinator().heartbeat()
        self.assertTrue(self.older.is_free())
        self.assertFalse(others.release())

    def test_an_exclusive_lock_comes_at_once_after_the_dead(self):
        first, _others = self.held(True), self.held(True, 'b')
        self.assertTrue(first.release())
        self.dies('b')
        self.assertTrue(self.is_free())
        self.assertTrue(self.older.is_free())

    def test_who_comes_after_the_dead_renews_their_lease(self):
        first, _others = self.held(True), self.held(True, 'b')
        self.assertTrue(first.release())
        self.dies('b')
        session = self.coordinator('c')._session
        shared_id = self.coordinator()._session.lease().shared_id
        with mock.patch.object(session, 'keep', wraps=session.keep) as keep:
            lock = self.held(True, 'c')
        self.assertEqual([shared_id], keep.call_args[0][0])
        self.assertFalse(self.older.is_free())
        self.assertTrue(lock.release())
        self.assertTrue(self.older.is_free())

    def test_who_joins_renews_the_lease_whoever_else_shares(self):
        """The keys that it finds may be those of the dead."""
        self.held(True), self.held(True)
        session = self.coordinator('b')._session
        shared_id = self.coordinator()._session.lease().shared_id
        with mock.patch.object(session, 'keep', wraps=session.keep) as keep:
            self.held(True, 'b')
            self.assertEqual([shared_id], keep.call_args[0][0])
            self.held(True, 'b')
            self.assertEqual(1, keep.call_count)

    def test_nobody_shares_under_a_lease_that_ends(self):
        """It ends in the moment in which somebody comes after the dead."""
        first, _others = self.held(True), self.held(True, 'b')
        self.assertTrue(first.release())
        self.dies('b')
        session = self.coordinator('c')._session
        shared_id = self.coordinator()._session.lease().shared_id

        def keep(*args, keep=session.keep):
            self.server.ask('/lease/revoke', ID=shared_id)
            return keep(*args)

        with mock.patch.object(session, 'keep', keep):
            lock = self.held(True, 'c')
        self.assertTrue(lock.is_still_owner())
        self.assertFalse(self.older.is_free())
        self.assertTrue(lock.release())
        self.assertTrue(self.older.is_free())

    def test_the_last_two_of_a_process_leave_at_the_same_time(self):
        lock = self.held(True)
        with mock.patch.object(
            _etcd3gw_session.Session, 'leave', return_value=False
        ):
            self.assertTrue(lock.release())
        self.assertTrue(self.older.is_free())

    def test_nothing_but_a_lock_that_was_shared_is_freed(self):
        """It was taken exclusively since the heartbeat has found its key."""
        lock = self.held(False)
        self.coordinator()._session.free_unshared(
            [lock.keys.lock['key']], PATIENCE
        )
        self.assertTrue(lock.is_still_owner())
        self.assertTrue(lock.release())

    @ddt.data(False, True)
    def test_it_breaks_our_lock(self, shared):
        lock = self.held(shared)
        self.server.ask('/kv/deleterange', **lock.keys.lock)
        self.assertFalse(lock.is_still_owner())
        self.assertTrue(self.older.acquire())
        self.assertFalse(lock.is_still_owner())
        self.assertFalse(lock.release())
        self.assertTrue(self.older.release())

    def test_who_shares_renews_the_lease_of_the_lock_before_its_own(self):
        self.held(True)
        lock = self.held(True, 'b')
        first, second = (
            self.coordinators[key]._session.lease() for key in 'ab'
        )
        session = self.coordinators['b']._session
        with mock.patch.object(session, 'keep', wraps=session.keep) as keep:
            session.heartbeat()
        *before, last = keep.call_args[0][0]
        self.assertEqual({first.shared_id, second.shared_id}, set(before))
        self.assertEqual(second.id, last)
        self.assertTrue(lock.release())

    def test_the_lease_of_a_shared_lock_outlasts_two_of_its_own(self):
        lease = self.coordinator()._session.lease()
        own, shared = (
            int(self.server.ask('/lease/timetolive', ID=id)['grantedTTL'])
            for id in (lease.id, lease.shared_id)
        )
        self.assertEqual(PATIENCE, own)
        self.assertLess(2 * own, shared)


@ddt.ddt
class TestEtcdLock(EtcdTestCase):
    def test_an_acquire_and_a_release_are_one_round_trip_each(self):
        between, _coordinator = self.through_proxy()
        self.assertTrue(self.is_free(key='proxy'))
        # Who is the first of its process to join others renews a lease too.
        for shared, others, trips in (
            (False, '', 1),
            (True, '', 1),
            (True, 'b', 2),
            (True, ('b', 'proxy'), 1),
        ):
            locks = [self.held(True, key) for key in others]
            lock = self.lock('proxy')
            between.trips()
            self.assertTrue(lock.acquire(shared=shared))
            self.assertEqual(trips, between.trips())
            self.assertTrue(lock.release())
            self.assertEqual(1, between.trips())
            for lock in locks:
                lock.release()

    @ddt.data(b'/a', b'%2Fa', b'a', b'/', b'0', b'/shared', b'/waits')
    def test_names_that_begin_alike_do_not_meet(self, rest):
        name = self.name
        for held, other in ((name, name + rest), (name + rest, name)):
            self.name = held
            lock = self.held(True)
            self.name = other
            self.assertTrue(self.is_free())
            self.assertEqual([], self.lock().owners())
            lock.release()

    def test_all_locks_of_a_coordinator_have_one_lease(self):
        locks = [
            self.coordinator().get_lock(self.name + b'%d' % number)
            for number in range(20)
        ]
        threads = [
            test_shared_locks.Background(lock.acquire) for lock in locks
        ]
        self.assertEqual([True] * 20, [each.result() for each in threads])
        lease = self.coordinator()._session.lease()
        answer = self.server.ask('/lease/timetolive', ID=lease.id, keys=True)
        self.assertEqual(21, len(answer['keys']))
        for lock in locks:
            self.assertTrue(lock.release())

    # Waiters

    @ddt.data(*test_shared_locks.CONFLICTS)
    @ddt.unpack
    def test_a_watch_ends_a_pause(self, holder, other):
        held = self.held(holder)
        lock = self.lock_that_watches('b')
        waiter = self.waits(lock, other)
        self.assertTrue(held.release())
        self.assertIs(True, waiter.result())

    @ddt.data(*test_shared_locks.CONFLICTS)
    @ddt.unpack
    def test_a_watch_that_fails_ends_no_wait(self, holder, other):
        held = self.held(holder)
        lock = self.lock('b')
        lock.key = 'another key'
        with mock.patch.object(
            self.coordinator('b')._session.gateway,
            'watch',
            side_effect=ValueError,
        ) as watch:
            waiter = self.waits(lock, other)
            self.eventually(lambda: watch.called, 'It does not watch')
            self.assertTrue(held.release())
            self.assertIs(True, waiter.result())

    def test_a_watch_tells_that_the_one_in_front_gives_up(self):
        self.held(True)
        first = self.waits(self.lock('b'), False, blocking=2)
        lock = self.lock_that_watches('c')
        second = test_shared_locks.Background(lock.acquire, True, True)
        self.addCleanup(lock.release)
        self.assertIs(False, first.result())
        self.assertIs(True, second.result())

    def test_nobody_overtakes_a_waiter_of_another_process(self):
        """Waiters come in the order of arrival, whatever their process."""
        processes = [
            lock_process.LockProcess(self.server.url()) for _number in range(3)
        ]
        for process in processes:
            self.addCleanup(process.kill)
        lock = self.held(False)
        name = self.name.decode()
        for number, shared in enumerate((False, True, False)):
            processes[number].ask('acquire', 'a', name, shared, True)
            self.eventually(
                lambda: len(lock.owners()) == number + 2, 'Nobody waits'
            )
        self.assertTrue(lock.release())
        for process in processes:
            self.assertTrue(process.answer())
            self.assertEqual(
                [process.pid],
                [owner.process for owner in lock.owners() if owner.acquired],
            )
            self.assertTrue(process.do('release', 'a'))

    def test_who_waits_to_share_keeps_nobody_from_sharing(self):
        self.server.ask(
            '/kv/put',
            key=encode(b'/tooz/lock_owners/%s/waits/shared/a' % self.name),
            value='e30=',
        )
        self.assertFalse(self.is_free(False))
        self.assertTrue(self.is_free(True))

    # Leases

    @ddt.data(False, True)
    def test_a_lost_lease_does_not_fail_the_next_acquire(self, shared):
        lock = self.held(shared)
        self.dies('a')
        other = self.coordinator().get_lock(self.name + b'b')
        self.assertTrue(other.acquire(blocking=False, shared=shared))
        self.assertTrue(other.release())
        self.assertFalse(lock.is_still_owner())
        self.assertFalse(lock.release())

    def test_a_lost_lease_of_shared_locks_does_not_fail_the_next_one(self):
        session = self.coordinator()._session
        self.server.ask('/lease/revoke', ID=session.lease().shared_id)
        self.assertTrue(self.is_free(True, 'a'))

    def test_a_child_has_a_lease_of_its_own(self):
        session = self.coordinator()._session
        lease = session.lease()
        with mock.patch.object(os, 'getpid', return_value=0):
            self.assertNotEqual(lease.id, session.lease().id)
        self.assertIs(lease, session.lease())

    @ddt.data(False, True)
    def test_a_waiter_that_has_lost_its_lease_waits_on(self, shared):
        held = self.held(False, 'b')
        waiter = self.waits(self.lock(), shared)
        self.dies('a')
        self.eventually(lambda: len(self.keys()) > 1, 'It does not wait')
        self.assertTrue(held.release())
        self.assertIs(True, waiter.result())

    @ddt.data(False, True)
    def test_a_waiter_whose_lease_is_over_by_the_clock_waits_on(self, shared):
        """The server still has the ticket."""
        held = self.held(False, 'b')
        waiter = self.waits(self.lock(), shared)
        self.coordinator()._session.lease().lose()
        self.eventually(lambda: len(self.keys()) > 2, 'It does not wait')
        self.coordinator().heartbeat()
        self.assertTrue(held.release())
        self.assertIs(True, waiter.result())

    def test_many_can_wait(self):
        """A server refuses a transaction of too many operations."""
        for number in range(100):
            self.server.ask(
                '/kv/put',
                key=encode(
                    b'/tooz/lock_owners/%s/waits/exclusive/%d'
                    % (self.name, number)
                ),
                value='e30=',
            )
        self.assertFalse(self.lock().acquire(0.5))
        self.assertFalse(self.lock().acquire(0.5, shared=True))

    @ddt.data(False, True)
    def test_the_lease_ends_by_the_local_clock(self, shared):
        held = self.held(shared)
        self.assertTrue(held.is_still_owner())
        self.coordinator()._session.lease().lose()
        with mock.patch.object(_etcd3gw_gateway.Gateway, 'ask') as ask:
            self.assertFalse(held.is_still_owner())
        ask.assert_not_called()

    @ddt.data(False, True)
    def test_the_clock_decides_while_the_server_does_not_answer(self, shared):
        held = self.held(shared)
        session = self.coordinator()._session
        error = coordination.OperationTimedOut('no answer')

        def no_answer(*_args):
            if losses:
                losses.pop().lose()
            raise error

        losses = []
        with mock.patch.object(session.gateway, 'transact', no_answer):
            self.assertTrue(held.is_still_owner())
            losses.append(session.lease())
            self.assertFalse(held.is_still_owner())

    @ddt.data(False, True)
    def test_an_answer_later_than_the_lease_is_not_believed(self, shared):
        session = self.coordinator()._session

        def transact_late(*args, transact=session.gateway.transact):
            answer = transact(*args)
            session.lease().lose()
            return answer

        session.lease()
        lock = self.lock()
        with mock.patch.object(session.gateway, 'transact', transact_late):
            self.assertFalse(lock.acquire(blocking=False, shared=shared))
        self.assertFalse(lock.acquired)

    def test_locks_are_renewed_before_the_membership(self):
        between, coordinator = self.through_proxy(membership_timeout=2)
        lock = self.held(False, 'proxy')
        session = coordinator._session
        between.keep(b'{"ID": "%d"}' % coordinator._membership_lease.id)
        with mock.patch.object(session, 'heartbeat') as heartbeat:
            self.assertRaises(tooz.ToozError, coordinator.heartbeat)
        self.assertTrue(between.kept())
        heartbeat.assert_called_once_with()
        self.assertTrue(lock.release())

    # Failures

    def test_a_renewal_does_not_wait_for_dead_connections(self):
        """One of them could be waited for, but not all, by the lease."""
        between, coordinator = self.through_proxy(lock_timeout=12)
        lock = self.held(True, 'proxy')
        session = coordinator._session
        lease = session.lease()
        between.delay(0.3)
        requests = [
            test_shared_locks.Background(function, *args)
            for function, *args in (
                [lock.is_still_owner],
                [session.keep, [lease.id], PATIENCE],
            )
            for _number in range(8)
        ]
        for request in requests:
            self.assertTrue(request.result())
        between.delay(0)
        between.silence_old_connections()
        with mock.patch.object(session, 'keep', wraps=session.keep) as keep:
            renewed = session.heartbeat()
        between.hear()
        # Others cannot leave it one of theirs.
        self.assertIsNot(session.gateway._http, session._heart._http)
        # With less than two tries, the machine stood still meanwhile.
        self.assertTrue(renewed or keep.call_count < 2, keep.call_count)

    @ddt.data(False, True)
    def test_a_failure_shorter_than_the_lease_loses_nothing(self, shared):
        """The server stands still for one renewal at least."""
        while not self._outlasts(shared):
            # The machine stood still for as long as a lease.
            self.name = uuid.uuid4().hex.encode()

    def _outlasts(self, shared):
        key = uuid.uuid4().hex
        coordinator = self.coordinator(key, lock_timeout=12)
        lock = self.held(shared, key)
        lease = coordinator._session.lease()
        self.server.pause()
        try:
            with mock.patch.object(_sharing.LOG, 'warning') as warning:
                beat = test_shared_locks.Background(
                    coordinator._session.heartbeat
                )
                self.eventually(lambda: warning.called, 'It does not fail')
        finally:
            self.server.resume()
        outcome = beat.result(), lock.is_still_owner(), lock.release()
        if not lease.left():
            return False
        self.assertEqual((True, True, True), outcome)
        return True

    @ddt.data(False, True)
    def test_a_restart_of_the_server_loses_nothing(self, shared):
        lock = self.held(shared)
        self.server.kill()
        self.assertTrue(lock.is_still_owner())
        self.server.start()
        self.assertTrue(lock.is_still_owner())
        self.assertFalse(self.is_free())
        self.assertTrue(self.is_free(True) or not shared)
        self.assertTrue(lock.release())
        self.assertTrue(self.is_free())

    @ddt.data(False, True)
    def test_a_release_without_an_answer_is_made_up_for(self, shared):
        between, coordinator = self.through_proxy()
        lock = self.held(shared, 'proxy')
        between.cut()
        self.assertTrue(lock.release())
        between.mend()
        self.assertFalse(self.older.is_free())
        between.lose_answer_to(b'"request_put"')
        coordinator.heartbeat()
        coordinator.heartbeat()
        self.assertEqual([], self.keys())
        self.assertFalse(coordinator._session.lease().abandoned)

    def test_what_was_not_deleted_is_deleted_later(self):
        lock = self.lock()
        lock.acquire()
        del lock
        gc.collect()
        coordinator = self.coordinator()
        with mock.patch.object(
            coordinator._session,
            '_write_guard',
            side_effect=tooz.ToozError('no answer'),
        ):
            coordinator.heartbeat()
        self.assertNotEqual([], self.keys())
        coordinator.heartbeat()
        self.assertEqual([], self.keys())

    @ddt.data(False, True)
    def test_a_release_after_the_lease_without_an_answer_is_a_loss(
        self, shared
    ):
        between, coordinator = self.through_proxy()
        lock = self.held(shared, 'proxy')
        between.cut()
        lock._holds[0].lease.lose()
        self.assertFalse(lock.release())
        between.mend()

    @ddt.data(False, True)
    def test_an_acquire_whose_answer_is_lost_leaves_nothing(self, shared):
        between, coordinator = self.through_proxy()
        self.assertTrue(self.is_free(shared, 'proxy'))
        between.lose_answer_to(PUT)
        self.assertRaises(
            tooz.ToozError, self.lock('proxy').acquire, shared=shared
        )
        self.assertNotEqual([], self.keys())
        coordinator.heartbeat()
        self.assertEqual([], self.keys())

    @ddt.data(*test_shared_locks.CONFLICTS, (None, False), (None, True))
    @ddt.unpack
    def test_what_a_server_does_late_leaves_nothing(self, holder, shared):
        """It has got the request of an acquire that was given up since."""
        between, coordinator = self.through_proxy()
        self.assertTrue(self.is_free(shared, 'proxy'))
        before = []
        lock = self.lock('proxy')
        if holder is not None:
            self.held(holder)
            before = self.keys()
            lock._wait = lambda hold, _blocking: self._wait_at_once(hold)
        between.keep(PUT)
        self.assertFalse(lock.acquire(0.5, shared=shared))
        self.eventually(between.kept, 'It does not ask')
        coordinator.heartbeat()
        between.deliver()
        coordinator.heartbeat()
        self.assertEqual(before, self.keys())

    @staticmethod
    def _wait_at_once(hold):
        hold.turn = _sharing._Turn(hold.key)
        return hold.try_acquire()

    def test_an_acquire_beside_what_is_given_up_is_not_refused(self):
        """The revision of the guard has changed since it was sent."""
        session = self.coordinator()._session
        lease = session.lease()
        before = lease.revision
        session._write_guard(lease, [], PATIENCE)
        self.assertLess(before, lease.revision)
        lease.revision = before
        self.assertTrue(self.is_free(key='a'))
        self.assertLess(before, lease.revision)

    def test_what_is_given_up_goes_in_one_transaction(self):
        between, coordinator = self.through_proxy()
        locks = [self.held(number % 3, 'proxy') for number in (1,) * 64]
        between.cut()
        for lock in locks:
            self.assertTrue(lock.release())
        between.mend()
        coordinator._session.heartbeat()
        between.trips()
        coordinator._session.heartbeat()
        usual = between.trips()
        self.assertLessEqual(usual, 2)
        self.assertEqual([], self.keys())

    def test_a_wait_whose_end_is_not_heard_is_made_up_for(self):
        held = self.held(True)
        between, coordinator = self.through_proxy()
        waiter = self.waits(self.lock('proxy'), False, blocking=5)
        between.cut()
        self.assertIsNot(True, waiter.result())
        between.mend()
        self.assertFalse(self.is_free(True))
        coordinator.heartbeat()
        self.assertTrue(self.is_free(True))
        self.assertTrue(held.release())

    @ddt.data(False, True)
    def test_a_silent_server_does_not_stretch_a_wait(self, shared):
        between, _coordinator = self.through_proxy()
        self.assertTrue(self.is_free(shared, 'proxy'))
        between.silence()
        lock = self.lock('proxy')
        waiter = test_shared_locks.Background(lock.acquire, 0.5, shared)
        self.assertIs(False, waiter.result())
        between.hear()

    def test_no_request_follows_one_without_an_answer(self):
        held = self.held(True)
        between, _coordinator = self.through_proxy()
        lock = self.lock('proxy')
        gateway = lock.session.gateway
        asked, answered = [], []

        def transact(*args, transact=gateway.transact):
            asked.append(args)
            answer = transact(*args)
            answered.append(args)
            return answer

        with mock.patch.object(gateway, 'transact', transact):
            waiter = self.waits(lock, False, blocking=3)
            between.silence()
            self.assertIs(False, waiter.result())
        self.assertEqual(1, len(asked) - len(answered))
        between.hear()
        self.assertTrue(held.release())

    def test_a_wait_is_bounded_while_another_thread_gets_the_lease(self):
        between, coordinator = self.through_proxy()
        session = coordinator._session
        between.silence()
        first = test_shared_locks.Background(self.lock('proxy').acquire)
        self.eventually(session._grants.locked, 'It asks for no lease')
        lock = coordinator.get_lock(b'another')
        waiter = test_shared_locks.Background(lock.acquire, 0.5)
        self.assertIs(False, waiter.result())
        between.hear()
        self.assertIs(True, first.result())

    # Exceptions, and locks that are dropped

    @ddt.data(False, True)
    def test_a_lock_that_is_dropped_goes_with_the_heartbeat(self, shared):
        lock = self.lock()
        lock.acquire(shared=shared)
        with mock.patch.object(_etcd3gw_gateway.Gateway, 'ask') as ask:
            del lock
            gc.collect()
        ask.assert_not_called()
        self.coordinator().heartbeat()
        self.assertEqual([], self.keys())

    @ddt.data(False, True)
    def test_an_exception_at_any_line_of_a_use_leaves_no_lock(self, shared):
        """As KeyboardInterrupt and GreenletExit come."""

        def use():
            lock = self.lock()
            lock.acquire(shared=shared)
            lock.release()

        use()
        lines = 0
        while where := interrupts.interrupt(use, lines, FILES):
            self.coordinator().heartbeat()
            self.assertEqual([], self.keys(), where)
            lines += 1
        self.assertLess(50, lines)


@ddt.ddt
class TestEtcdTLS(EtcdTestCase):
    SERVER = EtcdTLSServer
    PROGRAMS = ('etcd', 'openssl')

    @ddt.data(*test_shared_locks.CONFLICTS)
    @ddt.unpack
    def test_locks_watches_and_heartbeats_go_through_tls(self, holder, other):
        held = self.held(holder)
        lock = self.lock_that_watches('b')
        waiter = self.waits(lock, other)
        self.assertTrue(self.coordinator()._session.heartbeat())
        self.assertTrue(held.release())
        self.assertIs(True, waiter.result())
        self.assertTrue(lock.is_still_owner())
