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
from unittest import mock

import ddt

from cinder import coordination
from cinder.tests.unit import test


@ddt.ddt
class SharedLocksTestCase(test.TestCase):

    MOCK_TOOZ = False

    @ddt.data(({'shared'}, True), (set(), False))
    @ddt.unpack
    def test_the_driver_of_tooz_tells(self, characteristics, expected):
        self.assertEqual(expected, self.shares(
            characteristics, mock.Mock(SHARED_LOCKS='shared')))

    def test_an_older_tooz_shares_no_locks(self):
        self.assertFalse(self.shares({'shared'}, mock.Mock(spec_set=[])))

    def test_a_lock_that_can_be_shared_removes_its_file(self):
        coordinator = coordination.Coordinator(prefix='cinder-')
        coordinator.start()
        self.addCleanup(coordinator.stop)
        if not coordinator.shares_locks:
            self.skipTest('This tooz cannot share locks')
        with coordinator.get_lock('name') as lock:
            self.assertTrue(lock.acquired)
        with mock.patch('tooz._sharing.LOG.warning') as warning:
            coordinator.remove_lock('name')
        warning.assert_not_called()
        self.assertFalse(os.path.exists(coordinator._file_path + 'name'))

    def shares(self, characteristics, known):
        """Start a coordinator.

        :returns: Whether its locks are shared, unless the warning is missing.
        """
        coordinator = coordination.Coordinator()
        with mock.patch('tooz.coordination.Characteristics', known), \
                mock.patch('tooz.coordination.get_coordinator') as get, \
                mock.patch.object(coordination.LOG, 'warning') as warning:
            get.return_value.CHARACTERISTICS = characteristics
            coordinator.start()
        self.assertNotEqual(coordinator.shares_locks, warning.called)
        return coordinator.shares_locks
