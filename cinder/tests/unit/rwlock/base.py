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

"""What the tests of read and write locks share."""

import contextlib
import inspect
import os
import threading
import time

import fixtures
from oslo_utils import timeutils
from oslo_utils import uuidutils
import testtools
import tooz
from tooz import coordination as tooz_coordination

from cinder import coordination
from cinder.rwlock import base as rwlock_base
from cinder.rwlock import turns
from cinder.tests.unit.rwlock import lock_process
from cinder.tests.unit import test

CONF = coordination.CONF

_TIMEOUT = int(os.environ.get('OS_TEST_TIMEOUT') or 0) or 600
"""Seconds after which a test is stopped."""

PATIENCE = max(20, _TIMEOUT / 10)
"""Seconds after which a test that waits for something fails."""


class Background:
    """A function that runs in a thread of its own.

    :param function: What to call; its result is in ``result``, and
        ``ended`` is set once it is there.
    """

    def __init__(self, function, *args):
        self._function = function
        self._args = args
        self.result = None
        self.ended = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        try:
            self.result = self._function(*self._args)
        except Exception as error:
            self.result = error
        finally:
            self.ended.set()


class Lateness:
    """How late the machine wakes a thread, measured while a context lasts.

    :ivar float seconds: The longest delay of a short sleep, in seconds.
    """

    _SLEEP = 0.01

    def __init__(self):
        self.seconds = 0
        self._ends = threading.Event()

    def __enter__(self):
        self._thread = Background(self._measure)
        return self

    def __exit__(self, *exception):
        self._ends.set()
        self._thread.ended.wait()

    def _measure(self):
        while not self._ends.is_set():
            began = time.monotonic()
            time.sleep(self._SLEEP)
            self.seconds = max(self.seconds,
                               time.monotonic() - began - self._SLEEP)


def told_of(log, lock):
    """Return the messages that name a lock.

    Another one that a test has dropped can be told of at any time.

    :param log: A method of a logger, mocked.
    :param lock: The lock.
    :returns: A list of calls.
    """
    return [call for call in log.call_args_list if lock.name in call.args]


class _HoldsFailuresBack(testtools.TestResultDecorator):
    """Passes on how the last attempt of a test ended.

    :param result: The result that it decorates.
    :ivar bool again: Whether the test starts over.
    """

    def __init__(self, result):
        super().__init__(testtools.ExtendedToOriginalDecorator(result))
        self.again = False
        self.is_last = False

    def startTest(self, test):
        if not self.again:
            super().startTest(test)
        self.again = False

    def addError(self, test, err=None, details=None):
        self._hold_back(super().addError, test, err, details)

    def addFailure(self, test, err=None, details=None):
        self._hold_back(super().addFailure, test, err, details)

    def _hold_back(self, add, test, err, details):
        self.again = test._machine_was_late and not self.is_last
        if not self.again:
            add(test, err, details=details)

    def stopTest(self, test):
        if not self.again:
            super().stopTest(test)


def _names_in(code):
    """Return the names that a code object and those in it use."""
    return set(code.co_names).union(*(
        _names_in(inner) for inner in code.co_consts
        if isinstance(inner, type(code))))


class StartsOver:
    """A test that starts over if the machine was too late for its locks.

    Tests use short leases and timeouts. On a machine that stands still for
    longer, a lease or a request times out as it should, and the test fails
    although the lock is right. The locks themselves tell: one was lost, or
    raised OperationTimedOut. A test that then fails runs again from its
    setUp, and fails for good at its last attempt.

    A test that does harm wants a lock to be lost, or a request to time out.
    It starts over only if the machine was seen to be late meanwhile.

    :cvar ATTEMPTS: How often a test runs at the most.
    :cvar HARMS: What tests call to do harm to a lock, a holder or a server.
    :cvar LATE: The delay of a wake-up that can cost a lock, in seconds.
    """

    ATTEMPTS = 3
    HARMS = frozenset(['break_lock', 'cut', 'delete', 'fail_over', 'kill',
                       'lose_answer_to', 'pause', 'restart', 'silence',
                       'unlink'])
    LATE = 0.25

    _machine_was_late = False
    _lateness = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._told = []

    def run(self, result=None):
        if result is None:
            result = self.defaultTestResult()
        held_back = _HoldsFailuresBack(result)
        began = time.monotonic()
        for attempt in range(1, self.ATTEMPTS + 1):
            held_back.is_last = (attempt == self.ATTEMPTS or
                                 time.monotonic() - began > _TIMEOUT / 2)
            # A test of Cinder forgets its attributes when it ends.
            test = type(self)(self._testMethodName)
            test._attempt = attempt
            super(StartsOver, test).run(held_back)
            if not held_back.again:
                break
        return result

    def setUp(self):
        tell_lost = rwlock_base.Lock._tell_lost

        def note_and_tell_lost(lock):
            self._told.append('the %s lock %s was lost' %
                              (lock.kind, lock.name))
            tell_lost(lock)

        super().setUp()
        self.useFixture(fixtures.MockPatchObject(
            rwlock_base.Lock, '_tell_lost', note_and_tell_lost))
        if self.HARMS & _names_in(inspect.unwrap(
                getattr(type(self), self._testMethodName)).__code__):
            self._lateness = Lateness()
            self._lateness.__enter__()
            self.addCleanup(self._lateness.__exit__)

    def onException(self, exc_info, *args, **kwargs):
        told = self._told + list(self.signs_of_lateness(exc_info[1]))
        if self._lateness and self._lateness.seconds < self.LATE:
            told = []
        if told and not isinstance(exc_info[1], testtools.TestCase.
                                   skipException):
            self._machine_was_late = True
            self.addDetail('lateness', testtools.content.text_content(
                'At attempt %d of %d %s' %
                (self._attempt, self.ATTEMPTS, ' and '.join(told))))
        super().onException(exc_info, *args, **kwargs)

    def signs_of_lateness(self, error):
        """Tell what shows that the machine was late, beside lost locks.

        :param error: The exception that fails the test.
        :returns: An iterable of texts.
        """
        if isinstance(error, tooz_coordination.OperationTimedOut):
            yield str(error)


class RWLockTestCase(StartsOver, test.TestCase):
    """Coordinators with real locks, and processes with their own."""

    MOCK_TOOZ = False

    name = ''
    _processes = _waiting = ()

    def setUp(self):
        super().setUp()
        self._processes = []
        self.name = 'source-%s-delete_volume' % uuidutils.generate_uuid()
        self.url = self.backend_url()
        self.coordinator = self.new_coordinator(self.url)
        self._waiting = []
        self.addCleanup(self._end_waiters)

    def signs_of_lateness(self, error):
        yield from super().signs_of_lateness(error)
        for lock in list(rwlock_base._locks):
            with contextlib.suppress(tooz.ToozError):
                if (lock.acquired and self.name in lock.name and
                        not lock.is_still_owner()):
                    yield 'the %s lock %s is lost' % (lock.kind, lock.name)
        for waiter, lock in self._waiting:
            if isinstance(waiter.result, tooz_coordination.OperationTimedOut):
                yield 'the wait for %s failed: %s' % (lock.name, waiter.result)
        for process in self._processes:
            if process.has_lost():
                yield 'process %d has lost a lock' % process.pid

    def backend_url(self):
        """Return the coordination URL of the test."""
        return CONF.coordination.backend_url

    def new_coordinator(self, url):
        """Return a started coordinator, as another host would have it."""
        self.override_config('backend_url', url, group='coordination')
        coordinator = coordination.Coordinator(prefix='cinder-')
        coordinator.start()
        self.addCleanup(self._stop, coordinator)
        return coordinator

    @staticmethod
    def _stop(coordinator):
        """Stop a coordinator, whose server may be broken by now."""
        with contextlib.suppress(tooz.ToozError):
            coordinator.stop()

    def lock(self, kind, coordinator=None, purpose=''):
        """Return a new lock of a kind, ``read`` or ``write``."""
        coordinator = coordinator or self.coordinator
        get_lock = {'read': coordinator.get_read_lock,
                    'write': coordinator.get_write_lock}[kind]
        return get_lock(self.name, purpose)

    def read_lock(self):
        return self.lock('read')

    def write_lock(self):
        return self.lock('write')

    def held(self, kind, coordinator=None, purpose=''):
        """Return a lock of a kind that is acquired for the whole test."""
        lock = self.lock(kind, coordinator, purpose)
        self.assertTrue(lock.acquire(blocking=False))
        self.addCleanup(lock.release)
        return lock

    def is_free(self, kind, coordinator=None):
        """Return whether a lock of a kind can be acquired, and release it."""
        lock = self.lock(kind, coordinator)
        return lock.acquire(blocking=False) and lock.release()

    def process(self):
        """Return a LockProcess that ends with the test."""
        process = lock_process.LockProcess(self.url)
        self.addCleanup(process.kill)
        self.assertTrue(process.do('ready'))
        self._processes.append(process)
        return process

    def waits(self, lock, blocking=True):
        """Let another thread acquire a lock, and return once it waits.

        A bounded wait may be over by then, if the machine is late.
        """
        before = self._waiters(lock)
        waiter = self.starts(lock, blocking)
        self.eventually(
            lambda: self._waiters(lock) > before or waiter.ended.is_set(),
            'It neither waits nor gets the lock')
        if blocking is True or waiter.result:
            self.assertFalse(waiter.ended.is_set(), waiter.result)
        return waiter

    def starts(self, lock, blocking=True):
        """Let another thread acquire a lock, and return at once."""
        waiter = Background(lock.acquire, blocking)
        self._waiting.append((waiter, lock))
        return waiter

    def _end_waiters(self):
        """Release what waiters have got, while the coordinator is there."""
        for waiter, lock in self._waiting:
            waiter.ended.wait(PATIENCE)
            with contextlib.suppress(tooz.ToozError):
                lock.release()

    @staticmethod
    def _waiters(lock):
        return len(turns._queues.get(lock._queue, ()))

    def acquire_elsewhere(self, lock, blocking):
        """Acquire a lock in another thread and return what it returned."""
        thread = Background(lock.acquire, blocking)
        self.assertTrue(thread.ended.wait(PATIENCE), 'It waits for ever')
        return thread.result

    def assertAcquires(self, waiter):
        """Assert that a waiter gets its lock."""
        self.assertTrue(waiter.ended.wait(PATIENCE), 'It waits for ever')
        self.assertIs(True, waiter.result)

    def assertKeepsBound(self, bound, prepare):
        """Assert that a bounded wait ends in time, at one attempt of a few.

        :param float bound: How long to wait, in seconds.
        :param prepare: Returns a function that waits.
        """
        for _attempt in range(5):
            wait = prepare()
            with Lateness() as lateness:
                began = time.monotonic()
                wait()
                seconds = time.monotonic() - began
            slack = 0.1 * bound + 0.2 + 5 * lateness.seconds
            if seconds < bound + slack:
                return
        self.fail('It waits for %.3g s, of which %.3g s are the bound and '
                  '%.3g s are granted to a late machine' %
                  (seconds, bound, slack))

    def eventually(self, condition, message):
        """Wait until a condition is true, and fail if it never is."""
        watch = timeutils.StopWatch(duration=PATIENCE)
        watch.start()
        while not condition():
            self.assertFalse(watch.expired(), message)
            time.sleep(0.001)
