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

import os
import threading
import time

from oslo_utils import timeutils

from cinder import coordination
from cinder.tests.unit.rwlock import lock_process
from cinder.tests.unit import test

PATIENCE = 10
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


class RWLockTestCase(test.TestCase):
    """A coordinator with real locks, and processes with their own."""

    MOCK_TOOZ = False
    NAME = 'source-delete_volume'

    def setUp(self):
        super().setUp()
        url = coordination.CONF.coordination.backend_url
        self.coordinator = coordination.Coordinator(prefix='cinder-')
        self.coordinator.start()
        self.addCleanup(self.coordinator.stop)
        self.url = url
        self.path = os.path.join(url[len('file://'):], 'cinder-' + self.NAME)

    def read_lock(self):
        return self.coordinator.get_read_lock(self.NAME)

    def write_lock(self):
        return self.coordinator.get_write_lock(self.NAME)

    def lock(self, kind):
        """Return a new lock of a kind, ``read`` or ``write``."""
        return {'read': self.read_lock, 'write': self.write_lock}[kind]()

    def held(self, kind):
        """Return a lock of a kind that is acquired for the whole test."""
        lock = self.lock(kind)
        self.assertTrue(lock.acquire(blocking=False))
        self.addCleanup(lock.release)
        return lock

    def process(self):
        """Return a LockProcess that ends with the test."""
        process = lock_process.LockProcess(self.url)
        self.addCleanup(process.kill)
        self.assertTrue(process.do('ready'))
        return process

    def waits(self, lock, blocking=True):
        """Let another thread acquire a lock, and return once it waits."""
        waiter = Background(lock.acquire, blocking)
        self.assertFalse(waiter.ended.wait(0.1), waiter.result)
        return waiter

    def acquire_elsewhere(self, lock, blocking):
        """Acquire a lock in another thread and return what it returned."""
        thread = Background(lock.acquire, blocking)
        self.assertTrue(thread.ended.wait(PATIENCE), 'It waits for ever')
        return thread.result

    def assertAcquires(self, waiter):
        """Assert that a waiter gets its lock."""
        self.assertTrue(waiter.ended.wait(PATIENCE), 'It waits for ever')
        self.assertIs(True, waiter.result)

    def eventually(self, condition, message):
        """Wait until a condition is true, and fail if it never is."""
        watch = timeutils.StopWatch(duration=PATIENCE)
        watch.start()
        while not condition():
            self.assertFalse(watch.expired(), message)
            time.sleep(0.001)
