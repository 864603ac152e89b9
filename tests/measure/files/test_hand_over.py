# SPDX-License-Identifier: Apache-2.0

import threading
import time
import unittest
from unittest import mock

from tools.common import errors
from tools.measure.files import hand_over
from tools.measure.files import waiters


class Lock:
    """A lock that a waiter gets ``late`` seconds after its release."""

    def __init__(self, late=0.0):
        self.released = threading.Event()
        self._late = late

    def acquire(self):
        pass

    def release(self):
        self.released.set()

    def __enter__(self):
        self.released.wait(10)
        time.sleep(self._late)

    def __exit__(self, *exception):
        pass


class Broken:

    def __enter__(self):
        raise SystemExit

    def __exit__(self, *exception):
        pass


class HandOverTest(unittest.TestCase):

    def test_from_the_last_release_to_the_last_acquire(self):
        first, last = Lock(late=0.2), Lock(late=0.1)

        seconds = hand_over.hand_over(
            [first, last], lambda: waiters.Waiters([first, last]))

        self.assertGreater(seconds, 0.19)
        self.assertLess(seconds, 2)

    def test_a_lock_got_too_early_is_an_error(self):
        early = mock.Mock(spec=['__enter__', '__exit__'])
        early.__enter__ = early.__exit__ = mock.Mock(return_value=None)

        with self.assertRaisesRegex(errors.ToolError, 'before its last'):
            hand_over.hand_over([Lock()], lambda: waiters.Waiters([early]))

    def test_a_waiter_without_its_lock_is_an_error(self):
        with self.assertRaisesRegex(errors.ToolError, 'did not get'):
            waiters.Waiters([Broken()]).last()
