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

"""Read and write locks on lock files, among threads and processes.

With eventlet the threads of these tests are greenthreads.
"""

import errno
import gc
import os
import threading
from unittest import mock

import ddt
import tooz

from cinder.rwlock import file
from cinder.tests.unit.rwlock import base

CONFLICTS = (('read', 'write'), ('write', 'read'), ('write', 'write'))
KINDS = ('read', 'write')


@ddt.ddt
class FileLockTestCase(base.RWLockTestCase):

    def test_readers_run_together(self):
        for _reader in range(16):
            self.held('read')

    @ddt.data(*CONFLICTS)
    @ddt.unpack
    def test_a_writer_runs_alone(self, holder, other):
        held = self.held(holder)
        self.assertFalse(self.lock(other).acquire(blocking=False))
        waiter = self.waits(self.lock(other))
        held.release()
        self.assertAcquires(waiter)

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

    def test_waiters_get_their_turn_in_the_order_of_arrival(self):
        order = []

        def wait_for_turn(number, lock):
            lock.acquire()
            order.append(number)
            lock.release()

        first = self.held('write')
        waiters = []
        for number, kind in enumerate(('write', 'read', 'write', 'read')):
            waiter = base.Background(wait_for_turn, number, self.lock(kind))
            self.assertFalse(waiter.ended.wait(0.05))
            waiters.append(waiter)
        first.release()
        for waiter in waiters:
            self.assertTrue(waiter.ended.wait(base.PATIENCE))
        self.assertEqual([0, 1, 2, 3], order)

    def test_overlapping_readers_do_not_starve_a_writer(self):
        write_lock = self.write_lock()
        holder = self.read_lock()
        holder.acquire()
        writer = self.waits(write_lock)
        waiting_readers = []
        for _link in range(20):
            following = self.read_lock()
            waiting_readers.append(base.Background(following.acquire))
        holder.release()
        self.assertAcquires(writer)
        self.assertEqual([None] * 20, [r.result for r in waiting_readers])
        write_lock.release()
        for reader in waiting_readers:
            self.assertAcquires(reader)

    def test_a_writer_that_gives_up_lets_the_readers_go_on(self):
        self.held('read')
        writer = self.waits(self.write_lock(), 0.5)
        reader = self.waits(self.read_lock())
        self.assertTrue(writer.ended.wait(base.PATIENCE))
        self.assertIs(False, writer.result)
        self.assertAcquires(reader)
        self.assertTrue(self.read_lock().acquire(blocking=False))

    @ddt.data(*CONFLICTS)
    @ddt.unpack
    def test_a_bounded_wait_ends_while_the_lock_is_held(self, holder, other):
        held = self.held(holder)
        self.assertIs(False, self.acquire_elsewhere(self.lock(other), 0.05))
        self.assertTrue(held.is_still_owner())

    def test_the_bound_holds_for_a_waiter_behind_others(self):
        held = self.held('write')
        self.waits(self.write_lock())
        self.assertIs(False, self.acquire_elsewhere(self.read_lock(), 0.05))
        self.assertTrue(held.is_still_owner())

    def test_a_failed_acquire_leaves_nothing_behind(self):
        held = self.held('read')
        write_locks = [self.write_lock(), self.write_lock()]
        self.assertFalse(write_locks[0].acquire(blocking=False))
        self.assertIs(False, self.acquire_elsewhere(write_locks[1], 0.01))
        self.assertTrue(self.read_lock().acquire(blocking=False))
        held.release()
        self.assertEqual({}, file._queues)

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
        self.assertTrue(self.write_lock().acquire(blocking=False))

    @ddt.data(*KINDS)
    def test_a_removed_file_means_a_lost_lock(self, kind):
        held = self.held(kind)
        os.unlink(self.path)
        self.assertFalse(held.is_still_owner())
        self.assertFalse(held.release())

    @ddt.data(*KINDS)
    def test_a_replaced_file_means_a_lost_lock(self, kind):
        held = self.held(kind)
        os.unlink(self.path)
        other = self.process()
        self.assertTrue(other.do('acquire', 'a', 'write', self.NAME, False))
        self.assertFalse(held.is_still_owner())

    @ddt.data(*CONFLICTS)
    @ddt.unpack
    def test_a_waiter_starts_over_when_the_file_is_removed(self, holder,
                                                           other):
        held = self.held(holder)
        waiter = self.waits(self.lock(other))
        os.unlink(self.path)
        stranger = self.process()
        self.assertTrue(stranger.do('acquire', 'a', 'write', self.NAME,
                                    False))
        held.release()
        self.assertFalse(waiter.ended.wait(0.2),
                         'It took the lock of a file that is gone')
        stranger.do('release', 'a')
        self.assertAcquires(waiter)

    @ddt.data(*KINDS)
    def test_a_lock_that_is_dropped_unreleased_is_freed(self, kind):
        lock = self.lock(kind)
        lock.acquire()
        with mock.patch.object(file.LOG, 'warning') as warning:
            del lock
            gc.collect()
        self.assertEqual(1, warning.call_count)
        self.assertTrue(self.write_lock().acquire(blocking=False))

    @ddt.data('/nowhere/at/all', '/sys')
    def test_an_unusable_directory_is_an_error(self, directory):
        backend = file.Backend('file://' + directory, None)
        for get_lock in (backend.read_lock, backend.write_lock):
            lock = get_lock(b'cinder-a')
            self.assertRaisesRegex(tooz.ToozError, directory + '/cinder-a',
                                   lock.acquire)
            self.assertFalse(lock.acquired)
            self.assertFalse(lock.release())

    @ddt.data(errno.ENOSPC, errno.EMFILE, errno.EROFS)
    def test_a_file_that_cannot_be_opened_is_an_error(self, number):
        failure = OSError(number, os.strerror(number))
        lock = self.read_lock()
        with mock.patch.object(file.os, 'open', side_effect=failure):
            self.assertRaisesRegex(tooz.ToozError, os.strerror(number),
                                   lock.acquire)
        self.assertFalse(lock.acquired)
        self.assertTrue(lock.acquire(blocking=False))
        lock.release()

    @ddt.data(errno.ENOLCK, errno.EIO)
    def test_a_file_that_cannot_be_locked_is_an_error(self, number):
        failure = OSError(number, os.strerror(number))
        lock = self.write_lock()
        with mock.patch.object(file.fcntl, 'fcntl', side_effect=failure):
            self.assertRaisesRegex(tooz.ToozError, os.strerror(number),
                                   lock.acquire)
        self.assertFalse(lock.acquired)
        self.assertTrue(self.write_lock().acquire(blocking=False))

    def test_descriptors_are_closed(self):
        descriptors = os.listdir('/proc/self/fd')
        for _turn in range(50):
            with self.read_lock():
                self.assertFalse(self.write_lock().acquire(blocking=False))
        gc.collect()
        self.assertEqual(len(descriptors), len(os.listdir('/proc/self/fd')))


@ddt.ddt
class FileLockProcessesTestCase(base.RWLockTestCase):

    def test_readers_of_several_processes_run_together(self):
        self.held('read')
        for _process in range(2):
            self.assertTrue(self.process().do('acquire', 'a', 'read',
                                              self.NAME, False))

    @ddt.data(*CONFLICTS)
    @ddt.unpack
    def test_a_writer_runs_alone(self, holder, other):
        held = self.held(holder)
        process = self.process()
        self.assertFalse(process.do('acquire', 'a', other, self.NAME, False))
        process.ask('acquire', 'a', other, self.NAME, True)
        held.release()
        self.assertTrue(process.answer())

    def test_a_reader_does_not_overtake_a_writer_of_another_process(self):
        reader = self.held('read')
        writer = self.process()
        writer.ask('acquire', 'a', 'write', self.NAME, True)
        self.eventually(
            lambda: not self.read_lock().acquire(blocking=False),
            'The waiting writer does not close the gate')
        late_reader = self.waits(self.read_lock())
        reader.release()
        self.assertTrue(writer.answer())
        self.assertFalse(late_reader.ended.is_set())
        writer.do('release', 'a')
        self.assertAcquires(late_reader)

    def test_a_writer_killed_in_the_queue_lets_the_readers_go_on(self):
        self.held('read')
        writer = self.process()
        writer.ask('acquire', 'a', 'write', self.NAME, True)
        self.eventually(
            lambda: not self.read_lock().acquire(blocking=False),
            'The waiting writer does not close the gate')
        writer.kill()
        self.assertTrue(self.read_lock().acquire(blocking=False))

    @ddt.data(*KINDS)
    def test_a_killed_holder_frees_its_lock_at_once(self, kind):
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', kind, self.NAME, False))
        self.assertFalse(self.write_lock().acquire(blocking=False))
        process.kill()
        self.assertTrue(self.write_lock().acquire(blocking=False))

    def test_a_killed_reader_does_not_free_the_lock_of_another(self):
        self.held('read')
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', 'read', self.NAME, False))
        process.kill()
        self.assertFalse(self.write_lock().acquire(blocking=False))

    @ddt.data(*KINDS)
    def test_a_killed_holder_frees_its_lock_although_it_forked(self, kind):
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', kind, self.NAME, False))
        process.do('fork')
        self.assertFalse(self.write_lock().acquire(blocking=False))
        process.kill()
        self.assertTrue(self.write_lock().acquire(blocking=False),
                        'The child keeps the lock of its dead parent')

    @ddt.data(*KINDS)
    def test_a_forked_child_does_not_hold_the_lock(self, kind):
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', kind, self.NAME, False))
        self.assertEqual([], process.do('fork'))
        self.assertFalse(self.write_lock().acquire(blocking=False))

    @ddt.data(*KINDS)
    def test_a_release_frees_the_lock_although_a_child_lives(self, kind):
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', kind, self.NAME, False))
        process.do('fork')
        self.assertTrue(process.do('release', 'a'))
        self.assertTrue(self.write_lock().acquire(blocking=False))

    def test_a_reader_that_leaves_takes_nothing_from_the_other(self):
        """Two readers of one process; the object of one is collected."""
        process = self.process()
        for key in ('a', 'b'):
            self.assertTrue(process.do('acquire', key, 'read', self.NAME,
                                       False))
        self.assertTrue(process.do('forget', 'a'))
        self.assertFalse(self.write_lock().acquire(blocking=False),
                         'The other reader has lost its protection')
        self.assertTrue(process.do('release', 'b'))
        self.assertTrue(self.write_lock().acquire(blocking=False))

    @ddt.data(*KINDS)
    def test_an_older_cinder_keeps_us_out(self, kind):
        older = self.process()
        self.assertTrue(older.do('acquire', 'a', 'tooz', self.NAME, False))
        self.assertFalse(self.lock(kind).acquire(blocking=False))
        waiter = self.waits(self.lock(kind))
        older.do('release', 'a')
        self.assertAcquires(waiter)

    @ddt.data(*KINDS)
    def test_we_keep_an_older_cinder_out(self, kind):
        held = self.held(kind)
        older = self.process()
        self.assertFalse(older.do('acquire', 'a', 'tooz', self.NAME, False))
        older.ask('acquire', 'a', 'tooz', self.NAME, True)
        held.release()
        self.assertTrue(older.answer())

    def test_other_threads_run_while_one_waits(self):
        """A wait for another process must not block the eventlet hub."""
        process = self.process()
        process.do('acquire', 'a', 'write', self.NAME, False)
        waiters = [self.waits(self.read_lock()),
                   self.waits(self.write_lock(), base.PATIENCE)]
        ticks = threading.Semaphore(0)
        ticker = base.Background(
            lambda: [ticks.release() for _tick in range(100)])
        for _tick in range(100):
            self.assertTrue(ticks.acquire(timeout=base.PATIENCE))
        self.assertTrue(ticker.ended.wait(base.PATIENCE))
        self.assertEqual([None, None], [w.result for w in waiters])
        process.do('release', 'a')
        self.assertAcquires(waiters[0])

    def test_a_storm_of_processes_keeps_every_hold_apart(self):
        counter = os.path.join(os.path.dirname(self.path), 'counter')
        with open(counter, 'w') as stream:
            stream.write('0')
        processes = [self.process() for _number in range(4)]
        for process in processes:
            process.ask('storm', self.NAME, counter, 200, 5)
        answers = [process.answer() for process in processes]

        writes = sum(count for count, _holds in answers)
        with open(counter) as stream:
            self.assertEqual(writes * 10000, int(stream.read()))
        holds = sorted((begin, end, kind) for _count, process_holds in answers
                       for kind, begin, end in process_holds)
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
        self.assertGreater(overlapping_readers, 0)
