# SPDX-License-Identifier: Apache-2.0

import threading
import time
import unittest

from tools.common import errors
from tools.measure.locks import waiters

LATE = 0.1


class Lock:
    """A lock that each waiter gets LATE seconds after its release."""

    def __init__(self):
        self.released = threading.Event()

    def __enter__(self):
        self.released.wait(10)
        time.sleep(LATE)

    def __exit__(self, *exception):
        pass


class Broken:

    def __enter__(self):
        raise SystemExit

    def __exit__(self, *exception):
        pass


class Coordinator:

    def __init__(self, lock):
        self._lock = lock

    def get_read_lock(self, name):
        return self._lock


class WaitersTest(unittest.TestCase):

    def test_the_last_gets_its_lock_after_the_release(self):
        lock = Lock()
        waiting = waiters.Waiters(Coordinator(lock))
        waiting.wait('name', 'read', 3)
        released = time.monotonic()
        lock.released.set()

        self.assertGreaterEqual(waiting.last('name'), released + LATE)

    def test_a_waiter_without_its_lock_is_an_error(self):
        waiting = waiters.Waiters(Coordinator(Broken()))
        waiting.wait('name', 'read', 1)

        with self.assertRaisesRegex(errors.ToolError, 'did not get'):
            waiting.last('name')
