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

import datetime
import os
import threading
import time
from typing import Any
from unittest import mock

from testtools import testcase

import tooz
from tooz import _sharing
from tooz import coordination
from tooz import locking
from tooz.tests import test_shared_locks


class FakeHold(_sharing.Hold):
    def __init__(self, lock, shared, deadline):
        super().__init__(lock, shared, deadline)
        self._lock = lock

    def try_acquire(self):
        self._lock.questions += 1
        answers = self._lock.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def give_up(self):
        self._lock.gave_up += 1

    def is_held(self):
        return True

    def release(self):
        if isinstance(self._lock.released, Exception):
            raise self._lock.released
        return self._lock.released


class FakeLock(_sharing.SharedLock[FakeHold]):
    """A lock whose backend gives the answers of a test.

    :param answers: What each question gives, and the last one for ever.
    """

    FIRST_PAUSE = LONGEST_PAUSE = 1000

    def __init__(self, *answers, name='a'):
        super().__init__(name, name)
        self.answers = list(answers or [True])
        self.released: bool | Exception = True
        self.questions = self.gave_up = 0

    def _new_hold(self, shared, deadline):
        return FakeHold(self, shared, deadline)


class TestSharedLock(testcase.TestCase):
    def waits(self, lock):
        queue = len(_sharing._queues.get(lock.key, ()))
        waiter = test_shared_locks.Background(lock.acquire)
        while len(_sharing._queues.get(lock.key, ())) == queue:
            self.assertFalse(waiter.ended.wait(0.001))
        return waiter

    def test_nobody_overtakes_a_waiter_of_the_process(self):
        waiting, late = FakeLock(False), FakeLock()
        waiter = self.waits(waiting)
        self.assertFalse(late.acquire(blocking=False))
        self.assertEqual(0, late.questions)
        waiting.answers = [True]
        _sharing._wake('a')
        self.assertIs(True, waiter.result())
        self.assertNotIn('a', _sharing._queues)

    def test_only_the_first_waiter_keeps_what_it_has_in_the_backend(self):
        first, second = FakeLock(False), FakeLock(False)
        waiters = [self.waits(lock) for lock in (first, second)]
        while not second.gave_up:
            self.assertFalse(waiters[1].ended.wait(0.001))
        self.assertEqual((0, 1), (first.gave_up, second.gave_up))
        for lock in (first, second):
            lock.answers = [True]
        _sharing._wake('a')
        self.assertEqual([True, True], [w.result() for w in waiters])

    def test_a_release_wakes_the_first_waiter_only(self):
        for released in (True, False, tooz.ToozError('no answer')):
            held, first, second = FakeLock(), FakeLock(False), FakeLock()
            held.acquire()
            held.released = released
            waiters = self.waits(first), self.waits(second)
            first.answers = [True]
            self.assertIs(released is not False, held.release())
            self.assertEqual([True, True], [w.result() for w in waiters])

    def test_an_error_of_the_first_waiter_wakes_the_next(self):
        failing = FakeLock(False)
        with mock.patch.object(_sharing._Turn, 'LONGEST_WAIT', 1000):
            waiters = self.waits(failing), self.waits(FakeLock())
            failing.answers = [tooz.ToozError('no answer')]
            _sharing._wake('a')
            self.assertIsInstance(waiters[0].result(), tooz.ToozError)
            self.assertIs(True, waiters[1].result())
        self.assertEqual(1, failing.gave_up)
        self.assertFalse(failing.acquired)

    def test_nobody_to_wake_is_no_error(self):
        """A waiter can go between a look at the queue and the mutex."""
        with mock.patch.dict(_sharing._queues, a=[lambda: None]):
            _sharing._wake('a')
            mutex = mock.MagicMock()
            mutex.__enter__.side_effect = lambda *_: _sharing._queues.clear()
            with mock.patch.object(_sharing, '_mutex', mutex):
                _sharing._wake('a')
        mutex.__exit__.assert_called_once()

    def test_a_waiter_that_was_dropped_is_not_waited_for(self):
        """An exception can come before the waiter leaves the queue."""
        turn = _sharing._Turn('a')
        waiter = self.waits(FakeLock())
        with mock.patch.object(_sharing._Turn, 'LONGEST_WAIT', 0.01):
            del turn
            self.assertIs(True, waiter.result())

    def test_a_wake_up_before_the_sleep_is_not_lost(self):
        turn = _sharing._Turn('a')
        self.assertTrue(turn.is_first())
        _sharing._wake('a')
        test_shared_locks.Background(turn.wait, 1000).result()
        turn.leave()

    def test_a_wake_up_serves_once(self):
        turn = _sharing._Turn('a')
        _sharing._wake('a')
        self.assertTrue(turn.is_first())
        self.assertFalse(turn._event.is_set())
        turn.leave()

    def test_a_wait_that_ends_before_an_answer_is_no_error(self):
        answer = coordination.OperationTimedOut('no answer')
        lock = FakeLock(answer)
        self.assertIs(False, lock.acquire(timeout=0))
        self.assertEqual(1, lock.gave_up)
        for blocking, timeout in ((True, None), (True, 1000), (False, None)):
            self.assertRaises(
                coordination.OperationTimedOut,
                lock.acquire,
                blocking,
                timeout=timeout,
            )
        self.assertFalse(lock.acquired)

    def test_an_interrupt_while_a_waiter_leaves_does_not_keep_it(self):
        error = KeyboardInterrupt()
        interrupts = [error]

        def interrupted(turn, leave=_sharing._Turn.leave):
            if interrupts:
                raise interrupts.pop()
            leave(turn)

        with mock.patch.object(_sharing._Turn, 'leave', interrupted):
            self.assertRaises(
                KeyboardInterrupt, FakeLock(False).acquire, timeout=0
            )
        # The traceback has the frames of the wait.
        self.assertIsNotNone(error.__traceback__)
        self.assertNotIn('a', _sharing._queues)

    def test_nothing_is_left_of_a_hold(self):
        lock = FakeLock(name='left')
        for answer in (False, True):
            hold = FakeHold(lock, False, None)
            lock.answers = [answer]
            with (
                mock.patch.object(lock, '_new_hold', return_value=hold),
                mock.patch.object(_sharing.LOG, 'warning') as warning,
            ):
                self.assertIs(answer, lock.acquire(blocking=False))
                self.assertIs(answer, hold in _sharing._all_holds())
                self.assertIs(answer, lock.release())
            self.assertNotIn(hold, _sharing._all_holds())
            self.assertNotIn('left', str(warning.mock_calls))

    def test_who_asks_without_waiting_is_no_owner(self):
        lock = FakeLock(name='b')
        owners = []

        def ask(hold):
            owners.append(lock.owners())
            return True

        with mock.patch.object(FakeHold, 'try_acquire', ask):
            self.assertTrue(lock.acquire())
        self.assertEqual([[]], owners)
        self.assertEqual(1, len(lock.owners()))
        self.assertTrue(lock.release())

    def test_what_is_being_released_is_not_held(self):
        """Nobody renews it, and that it is gone is no loss."""
        lock = FakeLock()
        lock.acquire()
        (hold,) = lock._holds
        with mock.patch.object(hold, 'release', lambda: not hold.acquired):
            self.assertTrue(lock.release())

    def test_the_collector_can_drop_a_turn_anywhere(self):
        def drop():
            turn = _sharing._Turn('a')
            with _sharing._mutex:
                del turn

        test_shared_locks.Background(drop).result()
        self.assertNotIn('a', _sharing._queues)

    def test_a_child_has_no_waiters_and_no_mutex_in_use(self):
        turn = _sharing._Turn('a')
        with _sharing._mutex:
            before = _sharing._mutex
            with mock.patch.object(_sharing, '_mutex', before):
                _sharing._disown_all()
                self.assertIsNot(before, _sharing._mutex)
                _sharing._Turn('a').leave()
        self.assertNotIn('a', _sharing._queues)
        turn.leave()

    def test_a_child_has_none_of_the_holds(self):
        lock = FakeLock()
        lock.acquire()
        with mock.patch.object(os, 'getpid', return_value=0):
            self.assertFalse(lock.acquired)
            self.assertFalse(lock.release())
            self.assertEqual([], lock.owners())
            self.assertTrue(lock.acquire())
            self.assertTrue(lock.release())
            self.assertFalse(lock.acquired)
        self.assertTrue(lock.release())

    def test_a_lock_is_exclusive_unless_it_is_said(self):
        lock = FakeLock()
        lock.acquire()
        lock.acquire(shared=True)
        self.assertEqual([False, True], [h.shared for h in lock._holds])

    def test_the_last_hold_of_an_object_is_the_one_that_counts(self):
        """It is the first to be released."""
        lock = FakeLock()
        for _number in range(2):
            lock.acquire(shared=True)
        with mock.patch.object(lock._holds[0], 'is_held', return_value=False):
            self.assertTrue(lock.is_still_owner())
            self.assertTrue(lock.release())
            self.assertFalse(lock.is_still_owner())
        self.assertTrue(lock.release())


class WatchedLock(FakeLock):
    """A lock whose owners a test makes up.

    :ivar find: Returns them.
    """

    def __init__(self, *answers):
        super().__init__(*answers)
        self.find: Any = list

    def owners(self):
        return self.find()


class TestLongWait(testcase.TestCase):
    """What the log tells of a wait, by a clock that sleepers turn on."""

    def setUp(self):
        super().setUp()
        self.now = 100.0
        self.told = []
        self.slept = []
        for target, name, value in (
            (_sharing, 'now', lambda: self.now),
            (_sharing._Turn, 'wait', self.sleep),
            (_sharing.LOG, 'info', self.tell),
        ):
            patch = mock.patch.object(target, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        self.lock = WatchedLock(False)
        self.lock.purpose = 'delete volume 1'

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += min(seconds, 1)

    def tell(self, message, *args):
        self.told.append(message % args)

    def wait(self, seconds, times):
        """Wait for the lock; return what the log tells, so many times."""
        self.assertFalse(self.lock.acquire(timeout=seconds))
        return self.tells(times)

    def tells(self, times):
        deadline = time.monotonic() + test_shared_locks.PATIENCE
        while len(self.told) < times and time.monotonic() < deadline:
            time.sleep(0.001)
        self.assertEqual(times, len(self.told), str(self.told))
        return self.told

    def hold(self, number=1, **owner):
        """Have the lock held by others."""
        values = {
            'acquired': True,
            'shared': True,
            'process': 4711,
            'host': 'here',
            'since': datetime.datetime(2026, 1, 2, 3, 4, 5),
            'purpose': 'create volume 2',
        }
        waiter = locking.Owner(False, False, 1, 'there', None, 'wait')
        owners = [locking.Owner(**{**values, **owner})] * number
        self.lock.find = lambda: [waiter, *owners]

    def test_it_tells_what_is_waited_for_and_who_holds_it(self):
        self.hold()
        self.assertEqual(
            [
                'Waiting for lock a (delete volume 1) for 10 s; held by '
                'process 4711 of here since 2026-01-02 03:04:05 UTC '
                '(create volume 2)'
            ],
            self.wait(19, 1),
        )

    def test_what_is_not_known_is_not_told(self):
        self.lock.purpose = ''
        self.hold(process=None, host='', since=None, purpose='')
        self.assertEqual(
            ['Waiting for lock a for 10 s; held by an unknown process'],
            self.wait(19, 1),
        )

    def test_not_all_are_named_if_they_are_many(self):
        self.hold(5)
        (told,) = self.wait(19, 1)
        self.assertEqual(3, told.count('process 4711'))
        self.assertTrue(told.endswith(', 2 others'), told)

    def test_three_are_named(self):
        self.hold(3)
        (told,) = self.wait(19, 1)
        self.assertEqual(3, told.count('process 4711'))
        self.assertNotIn('others', told)

    def test_a_short_wait_is_not_told_of(self):
        self.wait(9, 0)

    def test_it_is_told_again_after_twice_the_time(self):
        self.assertEqual(
            {
                f'Waiting for lock a (delete volume 1) for {seconds} s; held '
                'by nobody now'
                for seconds in (10, 20, 40)
            },
            set(self.wait(79, 3)),
        )

    def test_who_is_not_first_does_not_ask(self):
        turn = _sharing._Turn('a')
        with mock.patch.object(FakeHold, 'pause') as pause:
            self.wait(79, 0)
        pause.assert_not_called()
        self.assertEqual([_sharing._Turn.LONGEST_WAIT] * 79, self.slept)
        self.assertEqual(0, self.lock.questions)
        turn.leave()

    def test_pauses_between_questions_grow(self):
        self.lock.FIRST_PAUSE, self.lock.LONGEST_PAUSE = 1, 4
        self.wait(8, 0)
        self.assertEqual([1, 2, 4, 4, 4, 3, 2, 1], self.slept)

    def test_the_wait_goes_on_if_it_is_not_known_who_holds_the_lock(self):
        self.lock.find = mock.Mock(
            side_effect=tooz.ToozError('redis://:secret@host')
        )
        (told,) = self.wait(19, 1)
        self.assertTrue(
            told.endswith('held by that is not known (ToozError)'), told
        )

    def test_the_wait_goes_on_while_the_question_has_no_answer(self):
        answer = threading.Event()
        patience = test_shared_locks.PATIENCE
        self.lock.find = lambda: [] if answer.wait(patience) else None
        self.lock.answers = [False] * 20 + [True]
        self.assertTrue(self.lock.acquire())
        self.assertEqual([], self.told)
        answer.set()
        self.tells(1)
        self.assertTrue(self.lock.release())

    def test_the_wait_goes_on_if_there_are_no_more_threads(self):
        error = RuntimeError("can't start new thread")
        with mock.patch.object(
            threading.Thread, 'start', autospec=True, side_effect=error
        ) as start:
            self.wait(19, 0)
        ((thread,), _) = start.call_args
        self.assertTrue(thread.daemon, 'A process cannot end meanwhile')


class TestLease(testcase.TestCase):
    def setUp(self):
        super().setUp()
        self.now = 100.0
        for name, value in (('now', lambda: self.now), ('time', self)):
            patch = mock.patch.object(_sharing, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        self.bounds = []
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    def ask(self, *answers):
        """Return a request that takes 1 second, by its answers."""
        left = list(answers)

        def ask(bound):
            self.bounds.append(bound)
            self.now += 1
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return ask

    def test_it_counts_from_when_it_was_asked_for(self):
        lease = _sharing.Lease(30, self.now)
        self.now = 110
        self.assertEqual(20, lease.left())
        self.assertTrue(lease.renew(self.ask(True)))
        self.assertEqual(29, lease.left())
        self.now = 200
        self.assertEqual(0, lease.left())

    def test_a_renewal_is_tried_again_until_the_lease_is_over(self):
        silence = coordination.OperationTimedOut('no answer')
        lease = _sharing.Lease(8, self.now)
        self.assertTrue(lease.renew(self.ask(silence, silence, True)))
        self.assertEqual([2, 2, 2], self.bounds)
        self.assertFalse(lease.renew(self.ask(*[silence] * 100)))
        self.assertLess(len(self.bounds), 15)
        self.assertEqual(0, lease.left())

    def test_a_renewal_that_failed_is_tried_again_after_a_pause(self):
        """A request takes 1 s, a pause 0.2 s, and none when 8 s are over."""
        silence = coordination.OperationTimedOut('no answer')
        lease = _sharing.Lease(8, self.now)
        self.assertFalse(lease.renew(self.ask(*[silence] * 100)))
        self.assertEqual([0.2] * 6 + [0], self.slept)

    def test_a_request_may_take_no_more_than_what_is_left(self):
        lease = _sharing.Lease(8, self.now)
        bounds = []
        for moment in (100, 107, 109):
            self.now = moment
            bounds.append(lease.bound())
        self.assertEqual([2, 1, 0.1], bounds)

    def test_an_answer_that_comes_late_does_not_shorten_it(self):
        lease = _sharing.Lease(8, self.now)
        for sent in (105, 102):
            lease.extend(sent)
            self.assertEqual(13, lease.left())

    def test_what_the_server_has_given_up_is_lost(self):
        lease = _sharing.Lease(8, self.now)
        self.assertFalse(lease.renew(self.ask(False)))
        self.assertEqual(0, lease.left())
        lease.extend(self.now)
        self.assertEqual(0, lease.left())
        other = _sharing.Lease(8, self.now)
        other.lose()
        self.assertFalse(other.renew(self.ask()))

    def test_the_clock_decides_on_a_release_without_an_answer(self):
        for moment, held in ((109.5, True), (110, False)):
            self.now = 100
            lock = FakeLock()
            lock.acquire()
            lock.released = tooz.ToozError('no answer')
            lock._holds[0].lease = _sharing.Lease(10, self.now)
            self.now = moment
            self.assertIs(held, lock.release())


class TestClock(testcase.TestCase):
    def test_it_goes_on_in_a_suspended_machine(self):
        if not hasattr(time, 'CLOCK_BOOTTIME'):
            self.skipTest('There is no such clock')
        clock = mock.Mock(return_value=1)
        with mock.patch.object(time, 'clock_gettime', clock):
            _sharing.now()
        clock.assert_called_once_with(time.CLOCK_BOOTTIME)

    def test_a_moment_has_a_time_of_day(self):
        with (
            mock.patch.object(_sharing, 'now', return_value=100),
            mock.patch.object(time, 'time', return_value=1000),
        ):
            moment = _sharing.wall_time(90)
        self.assertEqual(
            datetime.datetime(1970, 1, 1, 0, 16, 30, tzinfo=datetime.UTC),
            moment,
        )
