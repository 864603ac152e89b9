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

"""Locks on Redis servers that fail, or that an older tooz uses as well."""

import functools
import gc
import itertools
import logging
import os
import random
import shutil
import signal
import socket
import subprocess  # noqa: S404
import time
from unittest import mock

import ddt
import fixtures
import redis
from testtools import testcase

import tooz
from tooz import _sharing
from tooz import coordination
from tooz.drivers import _redis_connections
from tooz.drivers import _redis_lock
from tooz.drivers.redis import RedisDriver
from tooz.tests import lock_process
from tooz.tests import proxy
from tooz.tests import test_shared_locks

PASSWORD = 'secret'  # noqa: S105
PATIENCE = lock_process.PATIENCE
ATTEMPTS = 5


def free_port():
    """Return a port that nobody uses and that no client is given."""
    while True:
        port = random.randrange(20000, 32000)  # noqa: S311
        with socket.socket() as probe:
            try:
                probe.bind(('127.0.0.1', port))
            except OSError:
                continue
            return port


def eventually(condition, message):
    """Wait until a condition is true, whether or not the server answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if condition():
                return
        except redis.ConnectionError:
            pass
        if time.monotonic() > deadline:
            raise AssertionError(message)
        time.sleep(0.01)


def within(seconds):
    """Start a test over if it fails when it took longer than a lease.

    The machine stood still then, and the lease ran out. What fails so often
    fails for another reason.
    """

    def decorate(test):
        @functools.wraps(test)
        def start_over(self, *args):
            for attempts_left in reversed(range(ATTEMPTS)):
                began = _sharing.now()
                try:
                    return test(self, *args)
                except Exception:
                    is_late = _sharing.now() - began >= seconds
                    if not is_late or not attempts_left:
                        raise
                self.rename()

        return start_over

    return decorate


class RedisServer(fixtures.Fixture):
    """A Redis server that wants a password and can be broken.

    :param options: Of ``redis-server``.
    """

    _process: subprocess.Popen[bytes]

    def __init__(self, *options):
        super().__init__()
        self._options = options
        self.port = free_port()

    def _setUp(self):
        self._folder = self.useFixture(fixtures.TempDir()).path
        self.start()

    def _command(self):
        return [
            *('redis-server', '--port', str(self.port), '--bind', '127.0.0.1'),
            *('--dir', self._folder, '--save', ''),
            *('--requirepass', PASSWORD, '--masterauth', PASSWORD),
            *('--repl-diskless-sync-delay', '0', *self._options),
        ]

    def start(self):
        self._process = subprocess.Popen(  # noqa: S603
            self._command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(self.kill)
        eventually(lambda: self.client().ping(), 'The server does not start')

    def kill(self):
        self._process.kill()
        self._process.wait()

    def pause(self):
        """Stop the server: it has connections, but is silent."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)

    def client(self):
        return redis.Redis(port=self.port, password=PASSWORD)


class Sentinel(RedisServer):
    """What watches a server and its replica.

    :param server: The server that is the master at first.
    """

    NAME = 'main'

    def __init__(self, server):
        super().__init__()
        self._server = server

    def _command(self):
        path = os.path.join(self._folder, 'sentinel.conf')
        with open(path, 'w') as stream:
            for line in (
                f'port {self.port}',
                'bind 127.0.0.1',
                f'dir {self._folder}',
                f'requirepass {PASSWORD}',
                f'sentinel monitor {self.NAME} 127.0.0.1 {self._server.port}'
                ' 1',
                f'sentinel auth-pass {self.NAME} {PASSWORD}',
                f'sentinel down-after-milliseconds {self.NAME} 60000',
                f'sentinel failover-timeout {self.NAME} 1000',
            ):
                stream.write(line + '\n')
        return ['redis-sentinel', path]

    def knows_replica(self):
        return self.client().sentinel_slaves(self.NAME)

    def fail_over(self, replica):
        """Kill the master, and wait until the replica is in its place."""
        self._server.kill()
        self.client().sentinel_set(self.NAME, 'down-after-milliseconds', 500)
        eventually(
            lambda: replica.client().role()[0] == b'master', 'No failover'
        )
        eventually(
            lambda: (
                self.client().sentinel_get_master_addr_by_name(self.NAME)[1]
                == replica.port
            ),
            'The sentinel does not tell of the failover',
        )


class RedisTestCase(testcase.TestCase):
    OPTIONS = 'timeout=30'

    server: RedisServer
    client: redis.Redis
    coord: RedisDriver
    stranger: RedisDriver

    def setUp(self):
        super().setUp()
        if not os.environ.get('TOOZ_TEST_URL', '').startswith('redis'):
            self.skipTest('The driver is not tested')
        if shutil.which('redis-sentinel') is None:
            self.skipTest('There is no Redis to start')
        self.rename()

    def rename(self):
        """Use another lock from now on."""
        self.name = os.urandom(8).hex().encode()
        self.key = b'_tooz_%s_lock' % self.name
        self.locks = (self.key, b"b'_tooz'_b'%s'_lock" % self.name)

    def url(self, options=OPTIONS, port=None):
        return (
            f'redis://:{PASSWORD}@127.0.0.1:{port or self.server.port}'
            f'?{options}'
        )

    def coordinator(self, url=None):
        """Return a coordinator without a heart."""
        coordinator = coordination.get_coordinator(
            url or self.url(), os.urandom(8).hex().encode()
        )
        coordinator.start()
        self.addCleanup(self._stop, coordinator)
        return coordinator

    def _stop(self, coordinator):
        if coordinator.running:
            coordinator.stop()

    def proxied(self, options=OPTIONS):
        """Return a proxy, and a coordinator on the other side of it."""
        between = proxy.Proxy(self.server.port)
        self.addCleanup(between.kill)
        coordinator = self.coordinator(self.url(options, between.port))
        return between, coordinator

    def lock(self, coordinator=None):
        return (coordinator or self.coord).get_lock(self.name)

    def held(self, shared, coordinator=None):
        lock = self.lock(coordinator)
        self.assertTrue(lock.acquire(blocking=False, shared=shared))
        return lock

    def is_free(self, shared=False):
        lock = self.lock(self.stranger)
        return lock.acquire(blocking=False, shared=shared) and lock.release()

    def waits(self, lock, shared, *bound):
        """Let another thread acquire a lock, and return once it waits."""
        before = len(self.waiters())
        waiter = test_shared_locks.Background(
            lock.acquire, *(bound or (True,)), shared
        )
        eventually(lambda: len(self.waiters()) > before, 'It does not wait')
        return waiter

    def waiters(self):
        return self.client.zrange(self.key + b'_queue', 0, -1)

    def keys(self):
        return self.client.keys(b'*%s*' % self.name)


@ddt.ddt
class TestRedisLock(RedisTestCase):
    def setUp(self):
        super().setUp()
        self.server = self.useFixture(RedisServer())
        self.client = self.server.client()
        self.coord = self.coordinator()
        self.stranger = self.coordinator()

    def older(self, key):
        """Return the lock that an older tooz takes.

        :param key: One of ``self.locks``, for tooz 9 and for those before.
        """
        return self.client.lock(key.decode(), timeout=30, thread_local=False)

    def older_gets_it(self):
        """Return whether one of all the older ones gets the lock."""
        gotten = [
            older.acquire(blocking=False) and not older.release()
            for older in map(self.older, self.locks)
        ]
        self.assertEqual(1, len(set(gotten)), 'They do not agree')
        return gotten[0]

    # An older tooz

    @ddt.data(*itertools.product((False, True), (0, 1)))
    @ddt.unpack
    def test_the_lock_of_an_older_tooz_is_waited_for(self, shared, key):
        older = self.older(self.locks[key])
        self.assertTrue(older.acquire(blocking=False))
        lock = self.lock()
        self.assertFalse(lock.acquire(blocking=False, shared=shared))
        self.assertEqual(
            [(True, False, None)], [owner[:3] for owner in lock.owners()]
        )
        waiter = self.waits(lock, shared)
        self.assertTrue(older.owned())
        older.release()
        self.assertIs(True, waiter.result())
        self.assertTrue(lock.release())

    @ddt.data(False, True)
    def test_an_older_tooz_does_not_get_the_lock(self, shared):
        lock = self.held(shared)
        self.assertFalse(self.older_gets_it())
        self.coord.heartbeat()
        self.assertFalse(self.older_gets_it())
        self.assertTrue(lock.is_still_owner())
        self.assertTrue(lock.release())
        self.assertEqual([], self.keys())
        self.assertTrue(self.older_gets_it())

    def test_the_last_to_leave_lets_an_older_tooz_in(self):
        for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
            locks = [self.held(True) for _number in order]
            for number in order:
                self.assertFalse(self.older_gets_it())
                self.assertTrue(locks[number].release())
            self.assertTrue(self.older_gets_it())

    @ddt.data(0, 1, 2)
    def test_the_lock_is_shared_until_the_last_of_the_living(self, dead):
        """Those who die have the longest lease of all."""
        coordinators = [
            self.coordinator(self.url(f'timeout={60 if n == dead else 30}'))
            for n in range(3)
        ]
        locks = [self.held(True, coord) for coord in coordinators]
        self.assertLess(30000, self.client.pttl(self.key))
        seconds, _microseconds = self.client.time()
        self.client.zadd(
            self.key + b'_shared',
            {locks[dead]._holds[0].token: seconds * 1000 - 1},
        )
        living = [n for n in range(3) if n != dead]
        coordinators[living[0]].heartbeat()
        self.assertIn(self.client.pttl(self.key), range(1, 30001))
        self.assertEqual(2, self.client.zcard(self.key + b'_shared'))
        self.assertTrue(locks[living[0]].release())
        self.assertIn(self.client.pttl(self.key), range(1, 30001))
        self.assertFalse(self.older_gets_it())
        self.assertTrue(locks[living[1]].release())
        self.assertTrue(self.older_gets_it())
        self.assertFalse(locks[dead].release())

    def test_who_leaves_takes_its_longer_lease_along(self):
        longer = self.coordinator(self.url('timeout=60'))
        lock, stays = self.held(True, longer), self.held(True)
        self.assertTrue(lock.release())
        self.assertIn(self.client.pttl(self.key), range(1, 30001))
        self.assertTrue(stays.release())

    @ddt.data(0, 1)
    def test_a_lock_that_an_older_tooz_breaks_is_not_shared_any_more(
        self, key
    ):
        lost = self.held(True)
        self.client.delete(self.locks[key])
        lock = self.held(True)
        self.assertFalse(lost.is_still_owner())
        self.assertFalse(lost.release())
        self.assertTrue(lock.is_still_owner())
        self.assertTrue(lock.release())

    @ddt.data(*itertools.product((False, True), (0, 1)))
    @ddt.unpack
    def test_a_lock_that_an_older_tooz_takes_over_is_lost(self, shared, key):
        lock, older = self.held(shared), self.older(self.locks[key])
        self.client.delete(self.locks[key])
        self.assertTrue(older.acquire(blocking=False))
        self.coord.heartbeat()
        self.assertFalse(lock.is_still_owner())
        self.assertFalse(lock.release())
        self.assertTrue(older.owned())

    # Expiry

    @ddt.data(False, True)
    def test_the_clock_of_the_server_is_stepped_forward(self, shared):
        """All that expires by it does so; here, it is made to."""
        lock = self.held(shared)
        seconds, _microseconds = self.client.time()
        if shared:
            self.client.zadd(
                self.key + b'_shared',
                {lock._holds[0].token: seconds * 1000 - 1},
            )
        for key in self.locks:
            self.client.pexpire(key, 1)
        eventually(lambda: not self.client.exists(*self.locks), 'It stays')
        with mock.patch.object(_redis_lock.LOG, 'warning') as warning:
            self.coord.heartbeat()
        told = test_shared_locks.told_of(self.name, warning)
        self.assertEqual(1, len(told))
        self.assertFalse(lock.is_still_owner())
        self.assertTrue(self.is_free())
        self.assertFalse(lock.release())

    @ddt.data(False, True)
    def test_a_lease_ends_by_the_local_clock(self, shared):
        lock = self.held(shared)
        later = _sharing.now() + 30
        with mock.patch.object(_sharing, 'now', return_value=later):
            self.assertFalse(lock.is_still_owner())
            self.assertFalse(lock.release())
        self.assertTrue(self.is_free())

    @ddt.data(False, True)
    def test_a_heartbeat_gives_another_lease(self, shared):
        lock = self.held(shared)
        now = _sharing.now
        with mock.patch.object(_sharing, 'now', lambda: now() + 20):
            self.coord.heartbeat()
        with mock.patch.object(_sharing, 'now', lambda: now() + 40):
            self.assertTrue(lock.release())

    @ddt.data(False, True)
    def test_a_lease_that_is_over_is_not_renewed(self, shared):
        lock = self.held(shared)
        now = _sharing.now
        with mock.patch.object(_sharing, 'now', lambda: now() + 30):
            self.coord.heartbeat()
            self.assertFalse(lock.is_still_owner())
        self.assertTrue(lock.release())

    @ddt.data(False, True)
    def test_an_answer_later_than_the_lease_is_not_believed(self, shared):
        lock = self.lock()
        exchange = _redis_connections._exchange
        now = _sharing.now
        late = [0]

        def exchange_late(*args):
            answers = exchange(*args)
            late[0] = 30
            return answers

        with (
            mock.patch.object(_sharing, 'now', lambda: now() + late[0]),
            mock.patch.object(_redis_connections, '_exchange', exchange_late),
        ):
            self.assertFalse(lock.acquire(blocking=False, shared=shared))
        self.assertTrue(self.is_free())

    @ddt.data(False, True)
    @within(30)
    def test_a_holder_that_is_paused_for_too_long_loses_its_lock(self, shared):
        process = lock_process.LockProcess(
            self.url('timeout=30&lock_timeout=1')
        )
        self.addCleanup(process.kill)
        self.assertTrue(
            process.do('acquire', 'a', self.name.decode(), shared, True)
        )
        process.signal(signal.SIGSTOP)
        lock = self.lock()
        self.assertTrue(lock.acquire(PATIENCE))
        process.signal(signal.SIGCONT)
        self.assertFalse(process.do('is_still_owner', 'a'))
        self.assertFalse(process.do('release', 'a'))
        self.assertTrue(lock.is_still_owner())
        self.assertTrue(lock.release())

    def test_a_waiter_that_asks_no_more_loses_its_place(self):
        self.client.zadd(self.key + b'_queue', {'exclusive dead': 1})
        seconds, _microseconds = self.client.time()
        asked = self.key + b'_asked'
        self.client.zadd(asked, {'exclusive dead': seconds * 1000 + 60000})
        lock = self.lock()
        self.assertFalse(lock.acquire(blocking=False))
        self.client.zadd(asked, {'exclusive dead': seconds * 1000 - 1})
        self.assertTrue(lock.acquire(blocking=False))
        self.assertTrue(lock.release())
        self.assertEqual([], self.keys())

    @ddt.data(False, True)
    def test_a_waiter_keeps_its_place_only_as_long_as_it_asks(self, shared):
        held = self.held(False)
        lock = self.lock(self.stranger)
        waiter = self.waits(lock, shared)
        for key in (b'_queue', b'_asked'):
            self.assertIn(self.client.pttl(self.key + key), range(1, 10001))
        self.assertTrue(held.release())
        self.assertIs(True, waiter.result())
        self.assertTrue(lock.release())
        self.assertEqual([], self.keys())

    # Order

    def test_nobody_overtakes_a_waiter_of_another_process(self):
        processes = [
            lock_process.LockProcess(self.url()) for _number in range(4)
        ]
        for process in processes:
            self.addCleanup(process.kill)
        lock = self.held(False)
        kinds = (False, True, True, False)
        for number, (process, shared) in enumerate(zip(processes, kinds)):
            process.ask('acquire', 'a', self.name.decode(), shared, True)
            eventually(lambda: len(self.waiters()) > number, 'No place')
        self.assertFalse(self.is_free(True))
        self.assertTrue(lock.release())
        self.assertTrue(processes[0].answer())
        self.assertFalse(self.is_free(True))
        self.assertEqual(3, len(self.waiters()))
        self.assertTrue(processes[0].do('release', 'a'))
        for process in processes[1:3]:
            self.assertTrue(process.answer())
        self.assertEqual(1, len(self.waiters()))
        for process in processes[1:3]:
            self.assertFalse(self.is_free(True))
            self.assertTrue(process.do('release', 'a'))
        self.assertTrue(processes[3].answer())
        self.assertTrue(processes[3].do('release', 'a'))
        self.assertTrue(self.is_free())

    @ddt.data(*test_shared_locks.CONFLICTS)
    @ddt.unpack
    def test_a_waiter_is_told_of_its_turn(self, holder, other):
        held = self.held(holder, self.stranger)
        waiters, locks = [], [self.lock(), self.lock(self.coordinator())]
        for lock in locks[: 1 + other]:
            with mock.patch.multiple(
                _redis_lock.RedisLock, FIRST_PAUSE=1000, LONGEST_PAUSE=1000
            ):
                waiters.append(self.waits(lock, other))
        eventually(
            lambda: self._listeners() == len(waiters), 'They do not listen'
        )
        self.assertTrue(held.release())
        for waiter in waiters:
            self.assertIs(True, waiter.result())
        for lock in locks[: len(waiters)]:
            self.assertTrue(lock.release())

    def _listeners(self):
        ((_channel, number),) = self.client.pubsub_numsub('_tooz_lock_turns')
        return number

    def test_who_gives_up_tells_the_next(self):
        """Behind a waiter that leaves, others can share the lock."""
        self.held(True, self.stranger)
        first = self.waits(self.lock(self.coordinator()), False, 1)
        lock = self.lock()
        with mock.patch.multiple(
            _redis_lock.RedisLock, FIRST_PAUSE=1000, LONGEST_PAUSE=1000
        ):
            waiter = self.waits(lock, True)
        self.assertIs(False, first.result())
        self.assertIs(True, waiter.result())
        self.assertTrue(lock.release())

    def test_a_lock_does_without_the_right_to_publish(self):
        self.client.acl_setuser(
            'quiet',
            enabled=True,
            keys='*',
            categories=['+@all'],
            reset_channels=True,
            passwords='+' + PASSWORD,
        )
        quiet = self.coordinator(self.url().replace('//:', '//quiet:'))
        held = self.held(False, quiet)
        lock = self.lock(self.coordinator(self.url()))
        waiter = self.waits(lock, False)
        with mock.patch.object(_sharing.LOG, 'warning') as warning:
            self.assertTrue(held.release())
        self.assertEqual([], test_shared_locks.told_of(self.name, warning))
        self.assertIs(True, waiter.result())
        self.assertTrue(lock.release())

    # Requests

    @ddt.data(False, True)
    def test_acquire_and_release_take_a_round_trip_each(self, shared):
        between, coordinator = self.proxied()
        self.held(shared, coordinator).release()
        lock = self.lock(coordinator)
        between.trips()
        self.assertTrue(lock.acquire(shared=shared))
        self.assertEqual(1, between.trips())
        self.assertTrue(lock.release())
        self.assertEqual(1, between.trips())

    def test_all_locks_are_renewed_in_one_round_trip(self):
        between, coordinator = self.proxied()
        locks = [self.held(True, coordinator) for _number in range(20)]
        coordinator.heartbeat()
        self.client.pexpire(self.key, 20000)
        # All is sent before the first answer arrives.
        between.delay(0.5)
        between.trips()
        coordinator.heartbeat()
        self.assertEqual(1, between.trips())
        between.delay(0)
        self.assertLess(20000, self.client.pttl(self.key))
        self.assertEqual([True] * 20, [lock.release() for lock in locks])

    def test_requests_wait_when_there_are_too_many(self):
        """redis-py would refuse them from the hundredth on."""
        between, coordinator = self.proxied()
        between.delay(0.05)
        locks = [coordinator.get_lock(b'%d' % number) for number in range(200)]
        threads = [
            test_shared_locks.Background(lock.acquire) for lock in locks
        ]
        self.assertEqual([True] * 200, [t.result() for t in threads])
        self.assertLess(len(self.client.client_list()), 100)
        between.delay(0)
        self.assertEqual([True] * 200, [lock.release() for lock in locks])

    @ddt.data(False, True)
    def test_scripts_that_the_server_has_forgotten_are_sent(self, shared):
        self.client.script_flush()
        lock = self.held(shared)
        self.client.script_flush()
        self.assertTrue(lock.is_still_owner())
        self.client.script_flush()
        self.coord.heartbeat()
        self.client.script_flush()
        self.assertTrue(lock.release())

    def test_what_the_server_refuses_is_an_error(self):
        self.client.rpush(self.key, 'no lock')
        self.assertRaises(tooz.ToozError, self.lock().acquire)
        self.client.delete(self.key)
        self.assertTrue(self.is_free())

    def test_the_password_is_told_to_nobody(self):
        logged = self.useFixture(fixtures.FakeLogger(level=logging.DEBUG))
        between, coordinator = self.proxied('timeout=30&lock_timeout=1')
        lock = self.lock(coordinator)
        between.cut()
        refused = self.assertRaises(tooz.ToozError, lock.acquire)
        self.client.config_set('requirepass', 'other')
        self.addCleanup(self.client.config_set, 'requirepass', PASSWORD)
        between.mend()
        wrong = self.assertRaises(tooz.ToozError, lock.acquire)
        for text in (str(refused), str(wrong), logged.output):
            self.assertNotIn(PASSWORD, text)

    def test_an_old_server_is_refused(self):
        info = {'redis_version': '4.0.14'}
        with mock.patch.object(redis.Redis, 'info', return_value=info):
            self.assertRaises(tooz.NotImplemented, self.coordinator)

    # Failures that are shorter than the lease

    @ddt.data(False, True)
    @within(12)
    def test_a_silent_server_takes_no_lock(self, shared):
        between, coordinator = self.proxied('timeout=12')
        lock = self.held(shared, coordinator)
        between.silence()
        self.assertRaises(
            coordination.ToozConnectionError, coordinator.heartbeat
        )
        self.assertTrue(lock.is_still_owner())
        between.hear()
        coordinator.heartbeat()
        self.assertLess(9000, self.client.pttl(self.key))
        self.assertTrue(lock.release())
        self.assertTrue(self.is_free())

    @within(16)
    def test_a_silent_connection_is_not_waited_for(self):
        """A request is tried again on a new connection, within the lease."""
        between, coordinator = self.proxied('timeout=16&membership_timeout=60')
        locks = [self.held(True, coordinator) for _number in range(2)]
        # There are two connections, as after two requests at a time.
        between.delay(0.2)
        threads = [
            test_shared_locks.Background(lock.is_still_owner) for lock in locks
        ]
        self.assertEqual([True] * 2, [thread.result() for thread in threads])
        between.delay(0)
        between.silence_old_connections()
        self.assertRaises(
            coordination.ToozConnectionError, coordinator.heartbeat
        )
        coordinator.heartbeat()
        self.assertEqual([True] * 2, [lock.release() for lock in locks])
        self.assertTrue(self.is_free())

    @ddt.data('timeout=8', 'timeout=8&socket_timeout=60&retry_on_timeout=yes')
    @within(8)
    def test_an_acquire_goes_on_with_a_server_that_was_silent(self, options):
        coordinator = self.coordinator(self.url(options))
        lock = self.lock(coordinator)
        exchange = _redis_connections._exchange
        with mock.patch.object(
            _redis_connections, '_exchange', side_effect=exchange
        ) as tries:
            self.server.pause()
            try:
                thread = test_shared_locks.Background(lock.acquire)
                eventually(lambda: tries.call_count > 1, 'It is not tried')
            finally:
                self.server.resume()
            self.assertIs(True, thread.result())
        self.assertTrue(lock.release())

    @ddt.data(False, True)
    def test_a_wait_ends_in_time_when_the_server_is_silent(self, shared):
        between, coordinator = self.proxied('timeout=100000')
        self.held(shared, coordinator).release()
        between.silence()
        lock = self.lock(coordinator)
        thread = test_shared_locks.Background(lock.acquire, 1, shared)
        self.assertIs(False, thread.result())
        between.hear()
        # The server has heard it, if late.
        coordinator.heartbeat()
        eventually(self.is_free, 'It is left')

    @ddt.data(False, True)
    @within(12)
    def test_a_release_that_is_not_answered_was_held(self, shared):
        between, coordinator = self.proxied('timeout=12')
        lock = self.held(shared, coordinator)
        between.silence()
        self.assertTrue(lock.release())
        self.assertFalse(lock.acquired)
        between.hear()
        for key in self.locks:
            self.client.persist(key)
        coordinator.heartbeat()
        eventually(self.is_free, 'It is left')

    @ddt.data(False, True)
    def test_a_release_whose_answer_is_lost_was_held(self, shared):
        between, coordinator = self.proxied()
        # From now on the server knows the scripts.
        self.held(shared, coordinator).release()
        lock = self.held(shared, coordinator)
        between.lose_answer_to(lock._holds[0].token)
        self.assertTrue(lock.release())
        self.assertTrue(self.is_free())

    @ddt.data(False, True)
    def test_an_acquire_whose_answer_is_lost_holds_once(self, shared):
        """Somebody waits in the meantime."""
        between, coordinator = self.proxied()
        self.held(shared, coordinator).release()
        lock, other = self.lock(coordinator), self.lock(self.stranger)
        waiters: list[test_shared_locks.Background] = []
        waited: list[bool] = []
        exchange = _redis_connections._exchange

        def wait_and_exchange(connection, requests, bound):
            if not waited and self.client.exists(self.key):
                waited.append(True)
                waiters.append(self.waits(other, False))
            return exchange(connection, requests, bound)

        between.lose_answer_to(self.name)
        with mock.patch.object(
            _redis_connections, '_exchange', wait_and_exchange
        ):
            self.assertTrue(lock.acquire(blocking=False, shared=shared))
        self.assertTrue(lock.is_still_owner())
        (waiter,) = waiters
        self.assertFalse(waiter.ended.is_set())
        self.assertTrue(lock.release())
        self.assertIs(True, waiter.result())
        self.assertTrue(other.release())

    @ddt.data(False, True)
    @within(2)
    def test_an_acquire_that_comes_late_is_nobodys_for_a_lease(self, shared):
        between, coordinator = self.proxied('timeout=30&lock_timeout=2')
        self.held(shared, coordinator).release()
        between.keep(self.name)
        lock = self.lock(coordinator)
        # It is sent again, on another connection.
        self.assertTrue(lock.acquire(shared=shared))
        self.assertTrue(between.kept())
        lock.release()
        between.deliver()
        coordinator.heartbeat()
        self.assertTrue(self.lock(self.stranger).acquire(PATIENCE))

    @ddt.data(False, True)
    def test_what_a_failed_acquire_has_left_goes_with_a_heartbeat(
        self, shared
    ):
        exchange = _redis_connections._exchange

        def lose_answer(*args):
            exchange(*args)
            raise redis.TimeoutError('There is no answer')

        with mock.patch.object(_redis_connections, '_exchange', lose_answer):
            self.assertFalse(self.lock().acquire(1, shared))
        for key in self.locks:
            self.client.persist(key)
        self.client.persist(self.key + b'_shared')
        self.coord.heartbeat()
        self.assertEqual([], self.keys())
        assert self.coord._lock_server is not None  # narrow type
        self.assertEqual(0, len(self.coord._lock_server.abandoned))

    @ddt.data(False, True)
    def test_a_lock_that_is_dropped_asks_nothing(self, shared):
        """The collector can come in the middle of another request."""
        lock = self.held(shared)
        with mock.patch.object(_redis_connections, '_exchange') as exchange:
            del lock
            gc.collect()
        exchange.assert_not_called()
        self.coord.heartbeat()
        self.assertEqual([], self.keys())

    def test_a_coordinator_that_stops_releases_its_locks(self):
        coordinator = self.coordinator()
        locks = [self.held(True, coordinator) for _number in range(3)]
        coordinator.stop()
        self.assertEqual([], self.keys())
        for lock in locks:
            self.assertFalse(lock.acquired)
            self.assertFalse(lock.release())

    def test_a_leader_leads_until_its_coordinator_stops(self):
        leader, other = self.coordinator(), self.coordinator()
        elected = []
        leader.create_group(b'group').get()
        for coordinator in (leader, other):
            coordinator.join_group(b'group').get()
            coordinator.watch_elected_as_leader(
                b'group', lambda event: elected.append(event.member_id)
            )
        for _turn in range(2):
            for coordinator in (leader, other):
                coordinator.run_watchers()
                gc.collect()
                coordinator.heartbeat()
        self.assertEqual([leader._member_id], elected)
        leader.stop()
        other.run_watchers()
        self.assertEqual([leader._member_id, other._member_id], elected)

    # Restarts

    @ddt.data(False, True)
    def test_a_server_that_forgets_its_locks_is_noticed(self, shared):
        lock = self.held(shared)
        self.server.kill()
        self.server.start()
        self.assertFalse(lock.is_still_owner())
        self.assertTrue(self.is_free())
        self.assertFalse(lock.release())


@ddt.ddt
class TestDurableRedisLock(RedisTestCase):
    def setUp(self):
        super().setUp()
        self.server = self.useFixture(
            RedisServer('--appendonly', 'yes', '--appendfsync', 'always')
        )
        self.client = self.server.client()
        self.coord = self.coordinator()
        self.stranger = self.coordinator()

    @ddt.data(False, True)
    def test_a_lock_survives_a_restart(self, shared):
        lock = self.held(shared)
        self.server.kill()
        thread = test_shared_locks.Background(self.coord.heartbeat)
        self.server.start()
        self.assertEqual(30, thread.result())
        self.assertTrue(lock.is_still_owner())
        self.assertFalse(self.is_free())
        self.assertTrue(lock.release())
        self.assertTrue(self.is_free())


@ddt.ddt
class TestSentinelLock(RedisTestCase):
    def setUp(self):
        super().setUp()
        self.server = self.useFixture(RedisServer())
        self.client = self.server.client()
        self.replica = self.useFixture(
            RedisServer('--replicaof', '127.0.0.1', str(self.server.port))
        )
        self.sentinel = self.useFixture(Sentinel(self.server))
        eventually(self.sentinel.knows_replica, 'There is no replica')
        self.coord = self.coordinator(self.sentinel_url())
        self.stranger = self.coordinator(self.sentinel_url())

    def sentinel_url(self, options='timeout=60'):
        return self.url(
            f'{options}&sentinel={Sentinel.NAME}&sentinel_password={PASSWORD}',
            self.sentinel.port,
        )

    def has_reached_the_replica(self):
        eventually(
            lambda: self.replica.client().exists(self.key),
            'The replica does not hear of the lock',
        )

    @ddt.data(False, True)
    def test_a_lock_that_has_reached_the_replica_survives(self, shared):
        lock = self.held(shared)
        self.has_reached_the_replica()
        self.sentinel.fail_over(self.replica)
        self.coord.heartbeat()
        self.assertTrue(lock.is_still_owner())
        self.assertFalse(self.is_free())
        self.assertTrue(lock.release())
        self.assertTrue(self.is_free())

    @ddt.data(False, True)
    def test_a_lock_that_has_not_reached_the_replica_is_lost(self, shared):
        lock = self.held(shared)
        self.has_reached_the_replica()
        replica = self.replica.client()
        replica.config_set('replica-read-only', 'no')
        replica.delete(*self.locks)
        self.sentinel.fail_over(self.replica)
        self.coord.heartbeat()
        self.assertFalse(lock.is_still_owner())
        self.assertFalse(lock.release())
        self.assertTrue(self.is_free())

    @ddt.data(False, True)
    def test_a_release_waits_for_the_new_master(self, shared):
        lock = self.held(shared)
        self.has_reached_the_replica()
        self.server.kill()
        thread = test_shared_locks.Background(lock.release)
        self.sentinel.fail_over(self.replica)
        self.assertIs(True, thread.result())
        self.coord.heartbeat()
        self.assertTrue(self.is_free())

    def test_a_master_without_replicas_gives_no_lock(self):
        """If it is told so, and none is renewed."""
        coordinator = self.coordinator(self.sentinel_url('lock_timeout=4'))
        lock = self.held(False, coordinator)
        self.replica.kill()
        self.client.config_set('min-replicas-to-write', 1)
        self.assertRaises(
            coordination.ToozConnectionError,
            coordinator.get_lock(b'other').acquire,
        )
        # It could not be renewed.
        self.assertFalse(lock.is_still_owner())
        self.assertFalse(lock.release())
        self.client.config_set('min-replicas-to-write', 0)
