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

import os
import pathlib
import tempfile
import unittest
from unittest import mock

from bench import errors
from bench import system_calls


class SystemCallsTest(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = str(pathlib.Path(directory.name, 'lock'))

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
        with self.assertRaisesRegex(errors.BenchError, 'stat stat'):
            self.check(os.stat)

    def test_bare_calls_leave_nothing_open(self):
        before = os.listdir('/proc/self/fd')

        system_calls.bare(self.path)

        self.assertEqual(before, os.listdir('/proc/self/fd'))
