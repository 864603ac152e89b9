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

"""The contract of read and write locks, as tests for every backend.

:class:`Contract` is mixed into a test case for one backend, whose attributes
and methods tell how it breaks its own locks and what its module declares.
With eventlet the threads of these tests are greenthreads.
"""

import gc
import os
import statistics
import threading
import time
from unittest import mock

import ddt
import fixtures

from cinder.rwlock import base as rwlock_base
from cinder.tests.unit.rwlock import base

CONFLICTS = (('read', 'write'), ('write', 'read'), ('write', 'write'))
KINDS = ('read', 'write')

GLIMPSE = 1
"""Seconds to watch for something that must not happen."""


@ddt.ddt
class Contract:
    """What every backend promises, for a ``base.RWLockTestCase``.

    :cvar LEASE: After how many seconds the lock of a dead holder is free at
        the latest; 0 if it is free at once.
    :cvar READERS_SHARE: Whether two can hold the read lock together.
    :cvar ORDERED: Whether a reader of one process waits for the waiting
        writer of another.
    :cvar PAUSED_LOSE: Whether a holder that is stopped for longer than the
        lease loses its lock.
    :cvar EXCLUDED: Pairs of what is held and what then has to wait, where
        ``tooz`` is the lock of an older Cinder.
    :cvar CROWD_COST: What the last of 1,000 readers of a name may cost, as a
        multiple of what one of the first few hundred costs.
    """

    LEASE = 0
    READERS_SHARE = True
    ORDERED = True
    PAUSED_LOSE = False
    EXCLUDED = frozenset([('tooz', 'read'), ('tooz', 'write'),
                          ('read', 'tooz'), ('write', 'tooz')])
    CROWD = 1000
    CROWD_COST = 1.5
    STORM_ROUNDS = 2500

    def break_lock(self, lock):
        """Let a holder or waiter lose its lock, from outside."""
        raise NotImplementedError

    def traces(self):
        """Return what the backend has that belongs to ``self.name``."""
        raise NotImplementedError

    def acquires_after_lease(self, lock, expected=True):
        """Wait for a lock whose holder's lease has to run out first.

        :param bool expected: Whether it should be acquired. What must happen
            may take its time; what must not is watched for two leases.
        :returns: Whether it is acquired.
        """
        return lock.acquire(self.LEASE + base.PATIENCE if expected
                            else 2 * self.LEASE + 2)

    # Readers together, a writer alone

    def test_readers_run_together(self):
        other = self.new_coordinator(self.url)
        self.held('read')
        for coordinator in (self.coordinator, other) * 8:
            lock = self.lock('read', coordinator)
            self.assertIs(self.READERS_SHARE, lock.acquire(blocking=False))
            self.addCleanup(lock.release)
        process = self.process()
        self.assertIs(self.READERS_SHARE,
                      process.do('acquire', 'a', 'read', self.name, False))

    @ddt.data(*CONFLICTS)
    @ddt.unpack
    def test_a_writer_runs_alone(self, holder, other):
        for coordinator in (self.coordinator, self.new_coordinator(self.url)):
            held = self.held(holder)
            lock = self.lock(other, coordinator)
            self.assertFalse(lock.acquire(blocking=False))
            waiter = self.waits(lock)
            self.assertTrue(held.release())
            self.assertAcquires(waiter)
            self.assertTrue(lock.release())

    @ddt.data(*CONFLICTS)
    @ddt.unpack
    def test_a_writer_runs_alone_among_processes(self, holder, other):
        held = self.held(holder)
        process = self.process()
        self.assertFalse(process.do('acquire', 'a', other, self.name, False))
        process.ask('acquire', 'a', other, self.name, True)
        self.assertTrue(held.is_still_owner())
        self.assertTrue(held.release())
        self.assertTrue(process.answer())
        self.assertFalse(self.is_free(holder))

    def test_a_storm_of_processes_keeps_every_hold_apart(self):
        folder = self.useFixture(fixtures.TempDir()).path
        counter = os.path.join(folder, 'counter')
        with open(counter, 'w') as stream:
            stream.write('0')
        processes = [self.process() for _number in range(8)]
        for process in processes:
            process.ask('storm', self.name, counter, self.STORM_ROUNDS, 10)
        answers = [process.answer() for process in processes]

        self.assertEqual([0] * 8, [met for _writes, _holds, met in answers],
                         'A writer was inside with a reader')
        writes = sum(count for count, _holds, _met in answers)
        with open(counter) as stream:
            self.assertEqual(writes * 10000, int(stream.read()))
        holds = sorted((begin, end, kind)
                       for _writes, process_holds, _met in answers
                       for kind, begin, end in process_holds)
        self.assertEqual(8 * self.STORM_ROUNDS, len(holds))
        overlapping_readers = 0
        open_until = {'read': 0, 'write': 0}
        for begin, end, kind in holds:
            self.assertLess(open_until['write'], begin, 'In a write: %s' %
                            [hold for hold in holds if hold[1] > begin][:5])
            if kind == 'write':
                self.assertLess(open_until['read'], begin)
            else:
                overlapping_readers += begin < open_until['read']
            open_until[kind] = max(open_until[kind], end)
        self.assertEqual(self.READERS_SHARE, overlapping_readers > 0)

    # First come, first served

    def test_a_reader_does_not_overtake_a_waiting_writer(self):
        reader = self.held('read')
        write_lock = self.write_lock()
        writer = self.waits(write_lock)
        self.assertFalse(self.read_lock().acquire(blocking=False))
        late_reader = self.waits(self.read_lock())

        reader.release()
        self.assertAcquires(writer)
        self.assertFalse(late_reader.ended.is_set())
        write_lock.release()
        self.assertAcquires(late_reader)

    def test_a_reader_does_not_overtake_a_writer_of_another_process(self):
        reader = self.held('read')
        writer = self.process()
        writer.do('begin', 'a', 'write', self.name)
        self.closes_the_gate()
        late_reader = self.lock('read', self.new_coordinator(self.url))
        waiter = self.waits(late_reader)
        reader.release()
        writer.ask('end', 'a')
        if self.ORDERED:
            self.assertIsNotNone(writer.answer())
            self.assertFalse(waiter.ended.is_set())
        writer.ask('release', 'a')
        self.assertAcquires(waiter)

    def closes_the_gate(self):
        """Wait until a waiting writer of another process is noticed."""
        self.eventually(lambda: not self.is_free('read'),
                        'The waiting writer does not close the gate')

    def test_waiters_get_their_turn_in_the_order_of_arrival(self):
        order = []

        def wait_for_turn(number, lock):
            lock.acquire()
            order.append(number)
            lock.release()

        first = self.held('write')
        waiters = []
        for number, kind in enumerate(('write', 'read', 'write', 'read')):
            lock = self.lock(kind)
            before = self._waiters(lock)
            waiters.append(base.Background(wait_for_turn, number, lock))
            self.eventually(lambda: self._waiters(lock) > before,
                            'It does not wait')
        first.release()
        for waiter in waiters:
            self.assertTrue(waiter.ended.wait(base.PATIENCE))
        self.assertEqual([0, 1, 2, 3], order)

    def test_overlapping_readers_do_not_starve_a_writer(self):
        """A chain of readers in four processes is never interrupted."""
        readers = [self.process() for _number in range(4)]
        for reader in readers:
            reader.do('begin_reading', self.name, 0.02)
        self.eventually(lambda: not self.is_free('write'), 'No reader came')
        write_lock = self.write_lock()
        writer = self.starts(write_lock)
        if self.ORDERED:
            self.assertAcquires(writer)
        for reader in readers:
            reader.ask('end_reading')
        self.assertAcquires(writer)
        write_lock.release()
        for reader in readers:
            reader.answer()

    def test_a_writer_that_gives_up_lets_the_readers_go_on(self):
        held = self.held('read')
        writer = self.waits(self.write_lock(), 0.5)
        reader = self.starts(self.read_lock())
        self.assertTrue(writer.ended.wait(base.PATIENCE))
        self.assertIs(False, writer.result)
        if not self.READERS_SHARE:
            held.release()
        self.assertAcquires(reader)
        self.assertIs(self.READERS_SHARE,
                      self.read_lock().acquire(blocking=False))

    def test_a_writer_killed_in_the_queue_lets_the_readers_go_on(self):
        held = self.held('read')
        writer = self.process()
        writer.ask('acquire', 'a', 'write', self.name, True)
        self.closes_the_gate()
        writer.kill()
        if not self.READERS_SHARE:
            held.release()
        self.assertAcquires(base.Background(self.acquires_after_lease,
                                            self.read_lock()))

    # Bounds

    @ddt.data(*CONFLICTS)
    @ddt.unpack
    def test_a_bounded_wait_keeps_its_bound(self, holder, other):
        held = self.held(holder)

        def wait():
            began = time.monotonic()
            self.assertIs(False, self.acquire_elsewhere(self.lock(other), 1))
            self.assertLess(0.9, time.monotonic() - began)

        self.assertKeepsBound(1, lambda: wait)
        self.assertTrue(held.is_still_owner())

    def test_the_bound_holds_for_a_waiter_behind_others(self):
        held = self.held('write')
        self.waits(self.write_lock())
        self.assertIs(False, self.acquire_elsewhere(self.read_lock(), 0.05))
        self.assertTrue(held.is_still_owner())

    @ddt.data(*CONFLICTS)
    @ddt.unpack
    def test_a_failed_acquire_leaves_nothing_behind(self, holder, other):
        held = self.held(holder)
        traces = self.traces()
        failed = [self.lock(other), self.lock(other)]
        self.assertFalse(failed[0].acquire(blocking=False))
        self.assertEqual(traces, self.traces())
        self.assertIs(False, self.acquire_elsewhere(failed[1], 0.1))
        self.eventually(lambda: traces == self.traces(), self.traces())
        self.assertTrue(held.release())
        self.assertTrue(self.is_free('write'))

    # Wrong use

    @ddt.data(*KINDS)
    def test_an_acquired_lock_cannot_be_acquired_again(self, kind):
        held = self.held(kind)
        self.assertRaisesRegex(RuntimeError, 'acquired already',
                               held.acquire, blocking=False)
        self.assertTrue(held.is_still_owner())

    @ddt.data(*CONFLICTS)
    @ddt.unpack
    def test_a_thread_does_not_wait_for_itself(self, holder, other):
        held = self.held(holder)
        self.assertRaisesRegex(RuntimeError, 'wait for itself',
                               self.lock(other).acquire, 1)
        self.assertTrue(held.is_still_owner())
        self.assertFalse(self.lock(other).acquire(blocking=False))

    # Release

    @ddt.data(*KINDS)
    def test_release_without_acquire_returns_false(self, kind):
        lock = self.lock(kind)
        self.assertFalse(lock.release())
        self.assertFalse(lock.is_still_owner())

    @ddt.data(*KINDS)
    def test_release_returns_true_and_frees_the_lock(self, kind):
        with self.lock(kind) as lock:
            self.assertTrue(lock.acquired)
            self.assertTrue(lock.is_still_owner())
        self.assertFalse(lock.acquired)
        self.assertFalse(lock.is_still_owner())
        self.assertTrue(lock.acquire(blocking=False))
        self.assertTrue(lock.release())
        self.assertFalse(lock.release())
        self.assertTrue(self.is_free('write'))

    @ddt.data(*KINDS)
    def test_a_lock_that_is_dropped_unreleased_is_freed(self, kind):
        lock = self.lock(kind)
        lock.acquire()
        with mock.patch.object(rwlock_base.LOG, 'warning') as warning:
            del lock
            gc.collect()
        self.assertEqual(1, warning.call_count)
        self.eventually(lambda: self.is_free('write'), 'It is not freed')

    def test_a_reader_that_leaves_takes_nothing_from_the_other(self):
        """Two readers of one process; the object of one is collected."""
        process = self.process()
        for key in ('a', 'b'):
            self.assertIs(
                self.READERS_SHARE or key == 'a',
                process.do('acquire', key, 'read', self.name, False))
        if self.READERS_SHARE:
            self.assertTrue(process.do('forget', 'b'))
        self.assertFalse(self.is_free('write'),
                         'The other reader has lost its protection')
        self.assertTrue(process.do('release', 'a'))
        self.assertTrue(self.is_free('write'))

    # Holders and waiters that die, pause, or lose their lock

    @ddt.data(*KINDS)
    def test_a_killed_holder_frees_its_lock(self, kind):
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', kind, self.name, False))
        self.assertFalse(self.is_free('write'))
        process.kill()
        self.assertTrue(self.acquires_after_lease(self.write_lock()))

    def test_dead_and_live_readers_do_not_disturb_each_other(self):
        dead, live = self.process(), self.process()
        holders = [dead, live] if self.READERS_SHARE else [live]
        for process in holders:
            self.assertTrue(process.do('acquire', 'a', 'read', self.name,
                                       False))
        dead.kill()
        self.assertFalse(self.acquires_after_lease(self.write_lock(), False),
                         'The live reader has lost its protection')
        self.assertTrue(live.do('is_still_owner', 'a'))
        self.assertTrue(live.do('release', 'a'))
        self.assertTrue(self.is_free('write'),
                        'The live reader kept the lock of the dead one')

    @ddt.data(*KINDS)
    def test_a_paused_holder_knows_whether_it_has_lost(self, kind):
        paused = self.process()
        self.assertTrue(paused.do('acquire', 'a', kind, self.name, False))
        paused.pause()
        write_lock = self.write_lock()
        self.assertIs(self.PAUSED_LOSE, self.acquires_after_lease(
            write_lock, self.PAUSED_LOSE))
        paused.resume()
        self.assertIs(not self.PAUSED_LOSE, paused.do('is_still_owner', 'a'))
        self.assertIs(not self.PAUSED_LOSE, paused.do('release', 'a'))
        self.assertIs(self.PAUSED_LOSE, write_lock.is_still_owner())
        self.assertIs(self.PAUSED_LOSE, write_lock.release())
        self.assertTrue(self.is_free('write'))

    @ddt.data(*KINDS)
    def test_a_waiter_that_is_paused_never_believes_that_it_holds(self, kind):
        first = self.held('write')
        paused = self.process()
        paused.do('begin', 'a', kind, self.name)
        paused.pause()
        time.sleep(self.LEASE * 1.5)
        self.assertTrue(first.release())
        write_lock = self.write_lock()
        if self.PAUSED_LOSE:
            self.assertTrue(self.acquires_after_lease(write_lock))
            paused.resume()
            time.sleep(GLIMPSE)
            self.assertTrue(write_lock.is_still_owner())
            released = time.monotonic()
            self.assertTrue(write_lock.release())
            acquired = paused.do('end', 'a')
            if acquired is None:
                self.assertTrue(self.acquires_after_lease(self.write_lock()),
                                'It says that it failed, but holds the lock')
                return
            self.assertLess(released, acquired)
        else:
            paused.resume()
            self.assertIsNotNone(paused.do('end', 'a'))
        self.assertFalse(self.is_free('write'))
        self.assertTrue(paused.do('release', 'a'))

    @ddt.data(*KINDS)
    def test_a_broken_lock_is_lost(self, kind):
        held = self.held(kind)
        with mock.patch.object(rwlock_base.LOG, 'warning') as warning:
            self.break_lock(held)
            self.assertFalse(held.is_still_owner())
            self.assertFalse(held.release())
        self.assertEqual(1, len(base.told_of(warning, held)))
        self.assertTrue(self.acquires_after_lease(self.write_lock()))

    @ddt.data(*CONFLICTS)
    @ddt.unpack
    def test_a_waiter_whose_lock_breaks_waits_all_the_same(self, holder,
                                                           other):
        stranger = self.new_coordinator(self.url)
        held = self.held(holder, stranger)
        lock = self.lock(other)
        waiter = self.waits(lock)
        self.break_lock(lock)
        self.assertFalse(waiter.ended.is_set())
        self.assertTrue(held.release())
        self.assertAcquires(waiter)
        self.assertTrue(lock.is_still_owner())
        self.assertFalse(self.is_free('write', stranger))
        self.assertTrue(lock.release())

    @ddt.data(*KINDS)
    def test_a_forked_child_does_not_hold_the_lock(self, kind):
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', kind, self.name, False))
        self.assertEqual([], process.do('fork'))
        self.assertFalse(self.is_free('write'))
        self.assertTrue(process.do('release', 'a'))
        self.assertTrue(self.is_free('write'))

    # An older Cinder

    @ddt.data(('tooz', 'read'), ('tooz', 'write'),
              ('read', 'tooz'), ('write', 'tooz'))
    @ddt.unpack
    def test_an_older_cinder_is_excluded_as_declared(self, holder, other):
        first, second = self.process(), self.process()
        self.assertTrue(first.do('acquire', 'a', holder, self.name, False))
        excluded = (holder, other) in self.EXCLUDED
        self.assertIs(not excluded,
                      second.do('acquire', 'a', other, self.name, False))
        if excluded:
            second.ask('acquire', 'a', other, self.name, True)
            self.assertTrue(first.do('release', 'a'))
            self.assertTrue(second.answer())

    # Threads, crowds and those who wait

    def test_other_threads_run_while_one_waits(self):
        """A wait for another process leaves the eventlet hub running."""
        process = self.process()
        process.do('acquire', 'a', 'write', self.name, False)
        locks = [self.read_lock(), self.write_lock()]
        waiters = [self.waits(locks[0]),
                   self.waits(locks[1], base.PATIENCE)]
        ticks = threading.Semaphore(0)
        ticker = base.Background(
            lambda: [ticks.release() for _tick in range(100)])
        for _tick in range(100):
            self.assertTrue(ticks.acquire(timeout=base.PATIENCE))
        self.assertTrue(ticker.ended.wait(base.PATIENCE))
        self.assertEqual([None, None], [w.result for w in waiters])
        process.do('release', 'a')
        for waiter, lock in zip(waiters, locks):
            self.assertAcquires(waiter)
            self.assertTrue(lock.release())

    def test_a_thousand_readers_cost_as_much_each_as_a_few(self):
        if not self.READERS_SHARE:
            self.held('read')
            self.assertFalse(self.is_free('read'))
            return
        for _attempt in range(5):
            cost = self._cost_in_a_crowd()
            if cost < self.CROWD_COST:
                return
        self.assertLess(cost, self.CROWD_COST)

    def _cost_in_a_crowd(self):
        """Return what the last reader costs as a multiple of the first."""
        locks = [self.lock('read') for _number in range(self.CROWD)]
        seconds = [self._seconds(lock.acquire) for lock in locks]
        self.assertFalse(self.is_free('write'))
        for lock in locks:
            self.assertTrue(lock.release())
        self.assertTrue(self.is_free('write'))
        tenth = self.CROWD // 10
        first, last = (statistics.quantiles(part, n=10)[0] for part in (
            seconds[tenth:3 * tenth], seconds[-tenth:]))
        return last / first

    def _seconds(self, function):
        began = time.perf_counter()
        self.assertTrue(function())
        return time.perf_counter() - began

    def test_a_thousand_names_do_not_meet(self):
        locks = [self.coordinator.get_write_lock('%s-%d' % (self.name, name))
                 for name in range(self.CROWD)]
        for lock in locks:
            self.assertTrue(lock.acquire(blocking=False))
        for lock in locks:
            self.assertTrue(lock.release())

    def test_a_waiter_tells_who_holds_the_lock(self):
        held = self.held('write', purpose='volume 4711')
        lock = self.read_lock()
        with (mock.patch.object(rwlock_base, 'FIRST_REPORT', 0.05),
                mock.patch.object(rwlock_base.LOG, 'info') as info):
            waiter = self.waits(lock)
            self.eventually(lambda: info.call_count >= 3, 'It says nothing')
        intervals = [call.args[3] for call in info.call_args_list]
        self.assertEqual(sorted(intervals), intervals)
        message = info.call_args.args[0] % info.call_args.args[1:]
        self.assertIn(lock.name, message)
        self.assertIn('volume 4711', message)
        self.assertIn('process %d' % os.getpid(), message)
        self.assertFalse(waiter.ended.is_set())
        held.release()
        self.assertAcquires(waiter)
        lock.release()
