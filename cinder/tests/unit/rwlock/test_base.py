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

"""What the locks of every backend have in common, without a backend."""

import gc
import socket
import time
from unittest import mock

import ddt
import testtools
import tooz
from tooz import coordination

from cinder.rwlock import base as rwlock_base
from cinder.rwlock import turns
from cinder.tests.unit.rwlock import base
from cinder.tests.unit import test

FOR_EVER = 1000
"""Seconds that no test waits."""


class FakeLock(rwlock_base.Lock):
    """A lock that nobody disturbs, or that a test refuses or breaks.

    :cvar abandoned: The names of those that were collected unreleased.
    :ivar results: What the questions to the backend give, one after the
        other and the last one for ever: a result or an error.
    """

    kind = 'write'
    FIRST_PAUSE = LONGEST_PAUSE = FOR_EVER
    abandoned = []

    def __init__(self, *results, name='source', key=None, purpose=''):
        super().__init__(name, key, purpose)
        self.results = list(results or [True])
        self.release_result = True
        self.questions = 0
        self.gave_up = 0

    def is_still_owner(self):
        return self.acquired

    def _try_acquire(self, deadline):
        self.questions += 1
        last = len(self.results) == 1
        return self._give(self.results[0] if last else self.results.pop(0))

    def _give_up(self):
        self.gave_up += 1

    def _release(self):
        return self._give(self.release_result)

    def _abandon(self):
        self.abandoned.append(self.name)

    @staticmethod
    def _give(result):
        if isinstance(result, Exception):
            raise result
        return result


class ClockedLock(FakeLock):
    """A lock whose pauses take no time but that of a clock of the test.

    :ivar float now: The time by that clock, in seconds.
    :ivar pauses: How long each pause was, in seconds.
    :ivar float free_at: When the lock can be acquired, in seconds.
    """

    def __init__(self, free_at):
        super().__init__(key=object())
        self.now = 0
        self.pauses = []
        self.free_at = free_at

    def _try_acquire(self, deadline):
        return self.now >= self.free_at

    def _pause(self, turn, seconds):
        self.pauses.append(seconds)
        self.now += seconds

    def acquire_by_the_clock(self, blocking):
        clock = mock.Mock(monotonic=lambda: self.now, time=time.time)
        with mock.patch.object(rwlock_base, 'time', clock):
            return self.acquire(blocking)


class SilentLock(ClockedLock):
    """A lock whose server does not answer; a request ends after 5 seconds."""

    def _try_acquire(self, deadline):
        self.now = min(self.now + 5, deadline or 5)
        raise coordination.OperationTimedOut('no answer')


@ddt.ddt
class LockTestCase(test.TestCase):

    def background(self, lock):
        """Let another thread acquire a lock, and return once it waits."""
        waiting = len(turns._queues.get(lock._queue, ()))
        waiter = base.Background(lock.acquire)
        self.addCleanup(lock.release)
        self.eventually(
            lambda: len(turns._queues.get(lock._queue, ())) > waiting)
        return waiter

    def eventually(self, condition):
        deadline = time.monotonic() + base.PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)

    def assertAcquires(self, waiter):
        self.assertTrue(waiter.ended.wait(base.PATIENCE), 'It waits for ever')
        self.assertIs(True, waiter.result)

    # Reports

    def reports(self, lock, *holders):
        """Return what a lock logs about those who hold it."""
        with (mock.patch.object(lock, '_holders', side_effect=holders),
                mock.patch.object(rwlock_base.LOG, 'info') as info):
            lock._report(30)
        return info.call_args.args[0] % info.call_args.args[1:]

    def test_a_waiter_reports_after_30_seconds_and_then_less_often(self):
        lock = ClockedLock(free_at=300)
        with mock.patch.object(rwlock_base.LOG, 'info') as info:
            self.assertTrue(lock.acquire_by_the_clock(True))
        self.assertEqual([30, 60, 120, 240],
                         [call.args[3] for call in info.call_args_list])

    @ddt.data((5, []), (7, ['2 others']))
    @ddt.unpack
    def test_a_report_names_five_holders(self, number, others):
        owners = ['owner %d' % index for index in range(number)]
        report = self.reports(FakeLock(), owners[:])
        self.assertEqual(owners[:5] + others,
                         report.partition('held by ')[2].split('; '))

    def test_a_report_without_known_holders(self):
        self.assertTrue(self.reports(FakeLock(), []).endswith(
            'Waiting for the write lock source for 30 s; '
            'it is held by another process'))

    def test_a_report_although_the_backend_fails(self):
        report = self.reports(FakeLock(), tooz.ToozError('no answer'))
        self.assertIn('lock source for 30 s', report)
        self.assertIn('no answer', report)

    def test_the_holders_of_the_same_key_are_known(self):
        locks = [FakeLock(key=key, purpose='volume %s' % key)
                 for key in ('a', 'b')]
        for lock in locks:
            lock.acquire()
            self.addCleanup(lock.release)
        idle = FakeLock(key='a')
        self.assertEqual([locks[0].owner()], idle._holders())

    @ddt.data(('', ''), ('volume 1', ' for volume 1'))
    @ddt.unpack
    def test_an_owner_is_a_process_a_host_a_time_and_a_purpose(self, purpose,
                                                               end):
        lock = FakeLock(purpose=purpose)
        with mock.patch.object(rwlock_base.time, 'time', lambda: 86400):
            lock.acquire()
        self.addCleanup(lock.release)
        with mock.patch.object(rwlock_base.os, 'getpid', lambda: 7):
            self.assertEqual('process 7 on %s since 1970-01-02T00:00:00+00:00'
                             '%s' % (socket.gethostname(), end), lock.owner())

    # Pauses and bounds

    def test_an_acquire_that_does_not_block_never_pauses(self):
        lock = ClockedLock(free_at=8)
        self.assertFalse(lock.acquire_by_the_clock(False))
        self.assertEqual([], lock.pauses)

    def test_pauses_grow(self):
        lock = ClockedLock(free_at=8)
        with mock.patch.multiple(ClockedLock, FIRST_PAUSE=1, LONGEST_PAUSE=4):
            self.assertTrue(lock.acquire_by_the_clock(True))
        self.assertEqual([1, 2, 4, 4], lock.pauses)

    def test_the_last_pause_ends_with_the_wait(self):
        lock = ClockedLock(free_at=20)
        with mock.patch.multiple(ClockedLock, FIRST_PAUSE=4, LONGEST_PAUSE=4):
            self.assertFalse(lock.acquire_by_the_clock(10))
        self.assertEqual([4, 4, 2], lock.pauses)

    def test_a_wait_that_ends_before_an_answer_is_no_error(self):
        lock = SilentLock(free_at=8)
        self.assertIs(False, lock.acquire_by_the_clock(4))
        self.assertEqual(1, lock.gave_up)

    @ddt.data(True, False, 6)
    def test_a_request_that_ends_before_the_wait_is_an_error(self, blocking):
        lock = SilentLock(free_at=8)
        self.assertRaises(coordination.OperationTimedOut,
                          lock.acquire_by_the_clock, blocking)

    # Waiters

    def test_nobody_overtakes_a_waiter_of_this_process(self):
        waiting = FakeLock(False)
        waiter = self.background(waiting)
        late = FakeLock()
        self.assertFalse(late.acquire(blocking=False))
        self.assertEqual(0, late.questions)
        waiting.results = [True]
        turns.wake_first('source')
        self.assertAcquires(waiter)

    def test_only_the_first_waiter_asks(self):
        waiting = FakeLock(False)
        first = self.background(waiting)
        late = FakeLock()
        second = self.background(late)
        self.assertEqual(0, late.questions)
        waiting.results = [True]
        turns.wake_first('source')
        self.assertAcquires(first)
        self.assertAcquires(second)

    @ddt.data(True, False, tooz.ToozError('no answer'))
    def test_a_release_wakes_the_first_waiter(self, result):
        held = FakeLock()
        held.acquire()
        held.release_result = result
        lock = FakeLock(False)
        waiter = self.background(lock)
        self.eventually(lambda: lock.questions == 2)
        lock.results = [True]
        try:
            held.release()
        except tooz.ToozError:
            pass
        self.assertAcquires(waiter)

    def test_an_error_of_the_first_waiter_wakes_the_next(self):
        failing = FakeLock(False)
        first = self.background(failing)
        second = self.background(FakeLock())
        failing.results = [tooz.ToozError('no answer')]
        turns.wake_first('source')
        self.assertTrue(first.ended.wait(base.PATIENCE))
        self.assertIsInstance(first.result, tooz.ToozError)
        self.assertAcquires(second)

    def test_who_waits_behind_others_leaves_nothing_in_the_backend(self):
        """Its first question came before theirs, its wait comes after."""
        other = turns.Turn('source')
        lock = FakeLock()
        gave_up = []

        def ask(deadline):
            if not turns.are_taken('source'):
                other.__enter__()
                return False
            return True

        def wait(seconds):
            gave_up.append(lock.gave_up)
            other.__exit__()

        with (mock.patch.object(lock, '_try_acquire', ask),
                mock.patch.object(turns.Turn, 'wait',
                                  lambda turn, seconds: wait(seconds))):
            self.assertTrue(lock.acquire())
        self.addCleanup(lock.release)
        self.assertEqual([1], gave_up)

    def test_a_wake_up_during_a_question_is_not_lost(self):
        with turns.Turn('source') as turn:
            self.assertTrue(turn.is_first())
            turns.wake_first('source')
            waiter = base.Background(turn.wait, FOR_EVER)
            self.assertTrue(waiter.ended.wait(base.PATIENCE),
                            'It was not woken')

    def test_a_wake_up_serves_once(self):
        with turns.Turn('source') as turn:
            turns.wake_first('source')
            turn.is_first()
            self.assertFalse(turn._event.is_set())

    def test_a_queue_without_waiters_is_removed(self):
        with turns.Turn('source'):
            self.assertTrue(turns.are_taken('source'))
        self.assertFalse(turns.are_taken('source'))

    def test_locks_of_unequal_keys_do_not_meet(self):
        held = FakeLock(key=(1, 'source'))
        held.acquire()
        self.addCleanup(held.release)
        lock = FakeLock(False, True, key=(2, 'source'))
        self.assertTrue(lock.acquire())
        self.assertTrue(lock.release())

    # Errors

    @ddt.data([False, tooz.ToozError('no answer')],
              [tooz.ToozError('no answer')])
    def test_a_failed_acquire_gives_up(self, results):
        lock = FakeLock(*results)
        lock.FIRST_PAUSE = 0
        self.assertRaises(tooz.ToozError, lock.acquire)
        self.assertEqual(1, lock.gave_up)
        self.assertFalse(lock.acquired)

    def test_an_acquire_that_succeeds_does_not_give_up(self):
        lock = FakeLock()
        lock.acquire()
        self.addCleanup(lock.release)
        self.assertEqual(0, lock.gave_up)

    @ddt.data(True, False)
    def test_the_clock_decides_on_a_release_without_an_answer(self, is_held):
        lock = FakeLock()
        lock.acquire()
        lock.release_result = tooz.ToozError('no answer')
        with (mock.patch.object(lock, '_is_held_by_clock',
                                return_value=is_held),
                mock.patch.object(rwlock_base.LOG, 'warning') as warning):
            self.assertIs(is_held, lock.release())
        self.assertIn('no answer', str(warning.call_args_list[0]))
        self.assertEqual(1 if is_held else 2, warning.call_count)
        self.assertFalse(lock.acquired)
        self.assertFalse(lock.release())

    def test_a_body_whose_lock_was_released_without_an_answer_ends_well(self):
        lock = FakeLock()
        lock.release_result = tooz.ToozError('no answer')
        with lock:
            pass
        self.assertFalse(lock.acquired)

    def test_a_dropped_lock_is_abandoned_without_a_request(self):
        """A request could wait for what its own thread holds."""
        lock = FakeLock(name=self.id())
        lock.acquire()
        with (mock.patch.object(rwlock_base.LOG, 'warning') as warning,
                mock.patch.object(FakeLock, '_release') as release):
            del lock
            gc.collect()
        self.assertIn(self.id(), str(warning.call_args_list))
        self.assertIn(self.id(), FakeLock.abandoned)
        release.assert_not_called()

    def test_each_loss_is_told_once(self):
        lock = FakeLock()
        lock.release_result = False
        with mock.patch.object(rwlock_base.LOG, 'warning') as warning:
            for number in (1, 2):
                lock.acquire()
                lock._tell_lost()
                self.assertFalse(lock.release())
                self.assertEqual(number, warning.call_count)

    def test_a_body_that_lost_its_lock_raises(self):
        lock = FakeLock()
        lock.release_result = False
        with testtools.ExpectedException(rwlock_base.LockLost, '.*source'):
            with lock:
                pass

    def test_the_error_of_a_body_is_not_hidden_by_a_loss(self):
        lock = FakeLock()
        lock.release_result = False
        with testtools.ExpectedException(ZeroDivisionError):
            with lock:
                1 / 0

    def test_the_body_does_not_run_without_the_lock(self):
        lock = FakeLock()
        with mock.patch.object(lock, 'acquire', return_value=False):
            self.assertRaisesRegex(coordination.LockAcquireFailed, 'source',
                                   lock.__enter__)

    # Fork

    def test_a_child_has_neither_locks_nor_waiters_nor_a_mutex_in_use(self):
        lock = FakeLock()
        lock.acquire()
        turns.Turn('source').__enter__()
        mutexes = rwlock_base._mutex, turns._mutex
        with mock.patch.object(rwlock_base, '_locks', {lock}):
            rwlock_base._disown_after_fork()
        self.assertFalse(lock.acquired)
        self.assertFalse(turns.are_taken('source'))
        self.assertIsNot(mutexes[0], rwlock_base._mutex)
        self.assertIsNot(mutexes[1], turns._mutex)

    def test_the_collector_can_free_a_lock_anywhere(self):
        """In a thread that has the mutexes already, too."""
        def drop():
            lock = FakeLock()
            lock.acquire()
            with turns.Turn('source'), rwlock_base._mutex, turns._mutex:
                lock.release()
                FakeLock()

        self.assertTrue(base.Background(drop).ended.wait(base.PATIENCE),
                        'It waits for itself')
