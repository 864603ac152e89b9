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

import ddt
import tooz.coordination

from cinder import coordination
from cinder.tests.unit import test


@ddt.ddt
class SynchronizedTestCase(test.TestCase):
    """A synchronized body runs with its lock or not at all."""

    MOCK_TOOZ = False

    def setUp(self):
        super().setUp()
        self.coordinator = coordination.Coordinator(prefix='cinder-')
        self.coordinator.start()
        self.addCleanup(self.coordinator.stop)

    @ddt.data(False, 0.01)
    def test_the_body_does_not_run_without_the_lock(self, blocking):
        calls = []

        @coordination.synchronized('a', blocking=blocking,
                                   coordinator=self.coordinator)
        def function():
            calls.append('ran')

        with self.coordinator.get_lock('a'):
            self.assertRaisesRegex(tooz.coordination.LockAcquireFailed,
                                   'cinder-a was not acquired by function',
                                   function)
        self.assertEqual([], calls)
        function()
        self.assertEqual(['ran'], calls)

    def test_a_lock_that_fails_frees_those_before_it(self):
        @coordination.synchronized('a', 'b', blocking=False,
                                   coordinator=self.coordinator)
        def function():
            pass

        with self.coordinator.get_lock('b'):
            self.assertRaises(tooz.coordination.LockAcquireFailed, function)
        lock = self.coordinator.get_lock('a')
        self.assertTrue(lock.acquire(False))
        lock.release()
