# SPDX-License-Identifier: Apache-2.0

import os
import unittest
from unittest import mock

from tests import temporary
from tools.common import errors
from tools.measure.locks import system_calls


class SystemCallsTest(unittest.TestCase):

    def setUp(self):
        self.path = str(temporary.folder(self) / 'lock')

    def check(self, *more):
        """Check a lock that makes the calls of bare() and some more."""
        lock = mock.Mock(spec=['acquire', 'release'])
        lock.acquire = lambda: [system_calls.bare(self.path),
                                *(call(self.path) for call in more)]
        lock.release = lambda: None
        system_calls.check_same_calls(lambda name: lock, self.path)

    def test_the_same_calls(self):
        self.check()

    def test_a_call_that_is_not_written_out(self):
        with self.assertRaisesRegex(errors.ToolError, 'stat stat'):
            self.check(os.stat)

    def test_bare_calls_leave_nothing_open(self):
        before = os.listdir('/proc/self/fd')

        system_calls.bare(self.path)

        self.assertEqual(before, os.listdir('/proc/self/fd'))
