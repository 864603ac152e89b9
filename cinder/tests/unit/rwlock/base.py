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
import threading
import time

from oslo_utils import timeutils
from oslo_utils import uuidutils
import tooz

from cinder import coordination
from cinder.rwlock import turns
from cinder.tests.unit.rwlock import lock_process
from cinder.tests.unit import test

CONF = coordination.CONF

PATIENCE = 20
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


def told_of(log, lock):
    """Return the messages that name a lock.

    Another one that a test has dropped can be told of at any time.

    :param log: A method of a logger, mocked.
    :param lock: The lock.
    :returns: A list of calls.
    """
    return [call for call in log.call_args_list if lock.name in call.args]


class RWLockTestCase(test.TestCase):
    """Coordinators with real locks, and processes with their own."""

    MOCK_TOOZ = False

    def setUp(self):
        super().setUp()
        self.name = 'source-%s-delete_volume' % uuidutils.generate_uuid()
        self.url = self.backend_url()
        self.coordinator = self.new_coordinator(self.url)
        self._waiting = []
        self.addCleanup(self._end_waiters)

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
        return process

    def waits(self, lock, blocking=True):
        """Let another thread acquire a lock, and return once it waits."""
        before = self._waiters(lock)
        waiter = Background(lock.acquire, blocking)
        self.eventually(
            lambda: self._waiters(lock) > before or waiter.ended.is_set(),
            'It neither waits nor gets the lock')
        self.assertFalse(waiter.ended.is_set(), waiter.result)
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
        """Assert that a bounded wait ends in time, if not by every attempt.

        :param float bound: How long to wait, in seconds.
        :param prepare: Returns a function that waits.
        """
        for _attempt in range(5):
            wait = prepare()
            began = time.monotonic()
            wait()
            seconds = time.monotonic() - began
            if seconds < bound * 1.1 + 0.2:
                return
        self.fail('It waits for %.3g s' % seconds)

    def eventually(self, condition, message):
        """Wait until a condition is true, and fail if it never is."""
        watch = timeutils.StopWatch(duration=PATIENCE)
        watch.start()
        while not condition():
            self.assertFalse(watch.expired(), message)
            time.sleep(0.001)
