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

"""What every driver promises whose locks can be shared."""

import gc
import os
import signal
import threading
import time
from unittest import mock

import ddt
import fixtures

import tooz
from tooz import _sharing
from tooz import coordination
from tooz import tests
from tooz.tests import lock_process

CONFLICTS = ((False, False), (False, True), (True, False))
"""Whether the holder shares its lock, and whether the other one wants to."""

PATIENCE = lock_process.PATIENCE


def told_of(name, log):
    """Return the calls that name a lock; those of other tests may go now.

    :param name: The name of the lock.
    :param log: The mock of a method of a log.
    """
    return [call for call in log.mock_calls if name.decode() in str(call)]


class Background:
    """A function that runs in a thread of its own.

    :param function: What to call.
    """

    def __init__(self, function, *args, **kwargs):
        self._function = function, args, kwargs
        self._result = None
        self.ended = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        function, args, kwargs = self._function
        try:
            self._result = function(*args, **kwargs)
        except BaseException as error:
            self._result = error
        finally:
            self.ended.set()

    def result(self):
        """Wait until the function has ended and return what it gave."""
        if not self.ended.wait(PATIENCE):
            raise AssertionError('It waits for ever')
        return self._result


@ddt.ddt
class TestSharedLocks(tests.TestWithCoordinator):
    """The contract of shared locks, on the driver of ``TOOZ_TEST_URL``."""

    def setUp(self):
        super().setUp()
        if not self._shares():
            self._coord.stop()
            raise tooz.NotImplemented('locks cannot be shared')
        self.name = tests.get_random_uuid()
        # Seconds after which a dead holder's lock is free.
        self.lease = getattr(self._coord, 'lock_timeout', 0)
        self._coord.heart.start()

    def _shares(self):
        return (
            coordination.Characteristics.SHARED_LOCKS
            in self._coord.CHARACTERISTICS
        )

    def lock(self, coordinator=None):
        return (coordinator or self._coord).get_lock(self.name)

    def coordinator(self):
        """Return another coordinator, as another host would have it."""
        coordinator = coordination.get_coordinator(
            self.url, tests.get_random_uuid()
        )
        coordinator.start(start_heart=True)
        self.addCleanup(coordinator.stop)
        return coordinator

    def process(self):
        process = lock_process.LockProcess(self.url)
        self.addCleanup(process.kill)
        return process

    def process_acquires(self, process, shared, blocking=False, key='a'):
        return process.do('acquire', key, self.name.decode(), shared, blocking)

    def held(self, shared, coordinator=None):
        """Return a lock that is acquired."""
        lock = self.lock(coordinator)
        self.assertTrue(lock.acquire(blocking=False, shared=shared))
        self.addCleanup(lock.release)
        return lock

    def is_free(self, shared=False, coordinator=None):
        """Return whether the lock can be acquired, and release it."""
        lock = self.lock(coordinator)
        return lock.acquire(blocking=False, shared=shared) and lock.release()

    def waits(self, lock, shared, blocking=True):
        """Let another thread acquire a lock, and return once it waits."""
        before = self._waiters(lock)
        waiter = Background(lock.acquire, blocking, shared)
        self.addCleanup(lock.release)
        self.eventually(
            lambda: self._waiters(lock) > before, 'It does not wait'
        )
        return waiter

    def _waiters(self, lock):
        # The last waiter of another test may still be on its way out.
        return sum(
            hold.key == lock.key and hold.waits and not hold.acquired
            for hold in _sharing._all_holds()
        )

    def eventually(self, condition, message):
        """Wait until a condition is true, and fail if it never is."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, message)
            time.sleep(0.001)

    # Shared together, exclusive alone

    def test_a_lock_is_shared_by_coordinators_and_processes(self):
        self.held(True)
        other = self.coordinator()
        for coordinator in (self._coord, other) * 4:
            self.held(True, coordinator)
        self.assertTrue(self.process_acquires(self.process(), True))

    @ddt.data(*CONFLICTS)
    @ddt.unpack
    def test_an_exclusive_holder_is_alone(self, holder, other):
        for coordinator in (self._coord, self.coordinator()):
            held = self.held(holder)
            lock = self.lock(coordinator)
            self.assertFalse(lock.acquire(blocking=False, shared=other))
            waiter = self.waits(lock, other)
            self.assertTrue(held.release())
            self.assertIs(True, waiter.result())
            self.assertTrue(lock.release())

    @ddt.data(*CONFLICTS)
    @ddt.unpack
    def test_an_exclusive_holder_is_alone_among_processes(self, holder, other):
        held = self.held(holder)
        process = self.process()
        self.assertFalse(self.process_acquires(process, other))
        process.ask('acquire', 'a', self.name.decode(), other, True)
        self.assertTrue(held.is_still_owner())
        self.assertTrue(held.release())
        self.assertTrue(process.answer())
        self.assertFalse(self.is_free(holder))

    def test_no_storm_of_processes_brings_two_together_wrongly(self):
        path = os.path.join(
            self.useFixture(fixtures.TempDir()).path, 'counter'
        )
        with open(path, 'w') as stream:
            stream.write('0')
        processes = [self.process() for _number in range(4)]
        for process in processes:
            process.ask('storm', self.name.decode(), path, 250, 4)
        answers = [process.answer() for process in processes]
        self.assertEqual([0] * 4, [met for _number, met, _together in answers])
        with open(path) as stream:
            self.assertEqual(
                sum(number for number, _met, _together in answers) * 10000,
                int(stream.read()),
            )

    def test_one_object_in_two_threads_has_one_exclusive_holder(self):
        lock = self.lock()
        inside = []

        def hold():
            for _turn in range(20):
                with lock:
                    inside.append(1)
                    time.sleep(0.0001)
                    self.assertEqual(1, len(inside))
                    inside.pop()

        threads = [Background(hold) for _number in range(4)]
        self.assertEqual([None] * 4, [thread.result() for thread in threads])

    def test_one_object_is_shared_and_not_exclusive_at_a_time(self):
        lock = self.lock()
        self.assertTrue(lock.acquire(shared=True))
        self.assertFalse(lock.acquire(blocking=False))
        self.assertTrue(lock.acquire(shared=True))
        self.assertTrue(lock.release())
        self.assertFalse(self.is_free())
        self.assertTrue(lock.release())
        self.assertFalse(lock.acquired)
        self.assertTrue(self.is_free())

    # First come, first served

    def test_a_waiting_exclusive_lock_is_not_overtaken(self):
        held = self.held(True)
        lock = self.lock()
        waiter = self.waits(lock, False)
        self.assertFalse(self.is_free(True))
        late = self.waits(self.lock(), True)
        held.release()
        self.assertIs(True, waiter.result())
        self.assertFalse(late.ended.is_set())
        lock.release()
        self.assertIs(True, late.result())

    def test_a_waiting_exclusive_lock_of_another_process_is_not_overtaken(
        self,
    ):
        held = self.held(True)
        process = self.process()
        process.ask('acquire', 'a', self.name.decode(), False, True)
        self.eventually(lambda: not self.is_free(True), 'Nobody waits')
        late = self.waits(self.lock(), True)
        held.release()
        self.assertTrue(process.answer())
        self.assertFalse(late.ended.is_set())
        self.assertTrue(process.do('release', 'a'))
        self.assertIs(True, late.result())

    def test_waiters_of_a_process_come_in_the_order_of_arrival(self):
        order = []

        def take(number, lock, shared):
            lock.acquire(shared=shared)
            order.append(number)
            lock.release()

        held = self.held(False)
        waiters = []
        for number, shared in enumerate((False, True, False, True)):
            lock = self.lock()
            before = self._waiters(lock)
            waiters.append(Background(take, number, lock, shared))
            self.eventually(
                lambda: self._waiters(lock) > before, 'Nobody waits'
            )
        held.release()
        for waiter in waiters:
            waiter.result()
        self.assertEqual([0, 1, 2, 3], order)

    def test_those_who_overlap_do_not_starve_an_exclusive_lock(self):
        processes = [self.process() for _number in range(3)]
        for process in processes:
            process.do('begin_turns', self.name.decode(), True, 2, 0.02)
        self.eventually(lambda: not self.is_free(), 'Nobody shares')
        lock = self.lock()
        waiter = Background(lock.acquire)
        self.assertIs(True, waiter.result())
        lock.release()
        for process in processes:
            process.do('end_turns')

    def test_threads_that_take_turns_do_not_starve_another_process(self):
        """The holds of the others while it waits are not many."""
        process = self.process()
        process.do('begin_turns', self.name.decode(), False, 8, 0.005)
        self.eventually(lambda: not self.is_free(), 'Nobody takes turns')
        for shared in (False, True):
            lock = self.lock()
            self.assertTrue(lock.acquire(True, shared, timeout=PATIENCE / 2))
            lock.release()
        process.do('end_turns')

    # Bounds, and those who give up

    @ddt.data(*CONFLICTS)
    @ddt.unpack
    def test_a_wait_keeps_its_bound(self, holder, other):
        held = self.held(holder)
        self.waits(self.lock(), False, blocking=5)
        for blocking, timeout in ((0.2, None), (True, 0.2)):
            began = time.monotonic()
            self.assertIs(False, self.lock().acquire(blocking, other, timeout))
            self.assertLess(0.19, time.monotonic() - began)
        self.assertTrue(held.is_still_owner())

    @ddt.data(*CONFLICTS)
    @ddt.unpack
    def test_who_gives_up_leaves_nothing_behind(self, holder, other):
        held = self.held(holder)
        self.assertFalse(self.lock().acquire(blocking=False, shared=other))
        self.assertFalse(self.lock().acquire(0.1, other))
        self.assertEqual([True], [o.acquired for o in held.owners()])
        if holder:
            self.assertTrue(self.is_free(True))
        self.assertTrue(held.release())
        self.assertTrue(self.is_free())

    def test_a_waiter_that_is_killed_leaves_nothing_behind(self):
        self.held(True)
        process = self.process()
        process.ask('acquire', 'a', self.name.decode(), False, True)
        self.eventually(lambda: not self.is_free(True), 'Nobody waits')
        process.kill()
        self.assertTrue(self.lock().acquire(True, True, self.lease + PATIENCE))

    # Release, loss and death

    @ddt.data(False, True)
    def test_release_tells_whether_the_lock_was_held(self, shared):
        lock = self.lock()
        self.assertFalse(lock.is_still_owner())
        self.assertFalse(lock.release())
        with lock(shared=shared):
            self.assertTrue(lock.acquired)
            self.assertTrue(lock.is_still_owner())
        self.assertFalse(lock.acquired)
        self.assertFalse(lock.release())
        self.assertTrue(self.is_free())

    @ddt.data(False, True)
    def test_a_broken_lock_is_lost_and_free(self, shared):
        held = self.held(shared)
        waiting = self.lock()
        waiter = self.waits(waiting, False)
        self.assertTrue(self.lock(self.coordinator()).break_())
        self.assertIs(True, waiter.result())
        self.assertFalse(held.is_still_owner())
        with mock.patch.object(_sharing.LOG, 'warning') as warning:
            self.assertFalse(held.release())
        self.assertEqual(1, len(told_of(self.name, warning)))
        self.assertTrue(waiting.is_still_owner())
        self.assertFalse(self.is_free(True))
        self.assertTrue(waiting.release())

    def test_who_leaves_takes_nothing_from_those_who_stay(self):
        """Two share a lock in one process; the object of one is freed."""
        process = self.process()
        for key in ('a', 'b'):
            self.assertTrue(self.process_acquires(process, True, key=key))
        self.assertTrue(process.do('forget', 'b'))
        self.assertFalse(self.is_free())
        self.assertTrue(process.do('release', 'a'))
        self.assertTrue(self.is_free())

    @ddt.data(False, True)
    def test_a_holder_that_is_killed_frees_its_lock(self, shared):
        process = self.process()
        self.assertTrue(self.process_acquires(process, shared))
        self.assertFalse(self.is_free())
        process.kill()
        self.assertTrue(self.lock().acquire(self.lease + PATIENCE))

    def test_the_dead_do_not_take_a_lock_from_the_living(self):
        for order in (0, 1):
            processes = [self.process(), self.process()]
            for process in processes:
                self.assertTrue(self.process_acquires(process, True))
            processes[order].kill()
            living = processes[1 - order]
            self.assertFalse(self.lock().acquire(2 * self.lease + 0.5))
            self.assertTrue(living.do('is_still_owner', 'a'))
            self.assertTrue(living.do('release', 'a'))
            self.assertTrue(self.is_free())

    @ddt.data(False, True)
    def test_a_child_does_not_hold_the_lock_of_its_parent(self, shared):
        process = self.process()
        self.assertTrue(self.process_acquires(process, shared))
        self.assertEqual([], process.do('fork'))
        self.assertFalse(self.is_free())
        self.assertTrue(process.do('release', 'a'))
        self.assertTrue(self.is_free())

    # Threads, crowds, owners

    def test_other_threads_run_while_one_waits(self):
        process = self.process()
        self.assertTrue(self.process_acquires(process, False))
        locks = [self.lock(), self.lock()]
        waiters = [self.waits(lock, True) for lock in locks]
        # With eventlet, a thread that slept in the kernel would stop this one.
        for _tick in range(100):
            Background(time.sleep, 0).result()
        self.assertFalse(any(waiter.ended.is_set() for waiter in waiters))
        process.do('release', 'a')
        self.assertEqual([True] * 2, [waiter.result() for waiter in waiters])

    def test_a_thousand_share_a_lock(self):
        locks = [self.lock() for _number in range(1000)]
        for lock in locks:
            self.assertTrue(lock.acquire(blocking=False, shared=True))
        self.assertFalse(self.is_free())
        for lock in locks:
            self.assertTrue(lock.release())
        self.assertTrue(self.is_free())

    def test_owners_tells_who_holds_and_who_waits(self):
        self.assertEqual([], self.lock().owners())
        held = self.lock()
        held.purpose = 'create volume 4711'
        held.acquire(shared=True)
        self.addCleanup(held.release)
        self.waits(self.lock(), False)
        holder, waiter = sorted(self.lock().owners(), reverse=True)
        self.assertEqual((True, True), holder[:2])
        self.assertEqual((False, False), waiter[:2])
        self.assertEqual('create volume 4711', holder.purpose)
        self.assertEqual(os.getpid(), holder.process)
        self.assertLessEqual(holder.since, waiter.since)

    def test_owners_knows_those_of_other_processes(self):
        holder, waiter = self.process(), self.process()
        self.assertTrue(self.process_acquires(holder, True))
        waiter.ask('acquire', 'a', self.name.decode(), False, True)
        self.eventually(lambda: not self.is_free(True), 'Nobody waits')
        self.assertEqual(
            [(False, False, waiter.pid), (True, True, holder.pid)],
            sorted(owner[:3] for owner in self.lock().owners()),
        )

    @ddt.data(False, True)
    def test_a_lock_that_is_dropped_is_told_of(self, shared):
        lock = self.lock()
        lock.acquire(shared=shared)
        with mock.patch.object(_sharing.LOG, 'warning') as warning:
            del lock
            gc.collect()
        self.assertEqual(1, len(told_of(self.name, warning)))
        self.assertTrue(self.lock().acquire(self.lease + PATIENCE))

    @ddt.data(*CONFLICTS)
    @ddt.unpack
    def test_a_waiter_that_is_paused_does_not_keep_the_lock_for_ever(
        self, holder, other
    ):
        held = self.held(holder)
        process = self.process()
        process.ask('acquire', 'a', self.name.decode(), other, True)
        self.eventually(
            lambda: any(not o.acquired for o in held.owners()), 'Nobody waits'
        )
        process.signal(signal.SIGSTOP)
        self.assertTrue(held.release())
        process.signal(signal.SIGCONT)
        self.assertTrue(process.answer())
        self.assertFalse(self.is_free(holder))
        self.assertTrue(process.do('release', 'a'))
