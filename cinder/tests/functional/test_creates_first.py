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

"""Creates that ask for their lock after the delete behind them."""

from unittest import mock

import ddt

from cinder.tests.functional import concurrent_base
from cinder.volume import source_locks


@ddt.ddt
class CreatesFirstTestCase(concurrent_base.ConcurrentTestCase):

    def setUp(self):
        super().setUp()
        self.start_services()

    @ddt.data('snapshot', 'volume')
    def test_a_delete_comes_after_the_creates_before_it(self, kind):
        source = concurrent_base.Source(self, kind)
        before_lock = self.gate_before_lock()
        self.mock_object(source_locks, 'LONGEST_WAIT_FOR_CREATES',
                         concurrent_base.PATIENCE)
        volumes = self.create_volumes(3, **source.request)
        self.eventually(lambda: len(before_lock.arrived) == len(volumes),
                        'The creates do not reach the manager')
        acquired = self.record_locks()
        source.delete()
        self.eventually(lambda: acquired, 'The delete asks for no lock')
        self.glimpse(lambda: self.intervals(source.delete_operation))
        before_lock.open()
        self.wait_for_status(volumes, 'available')
        self.assertEqual([source.checksum] * len(volumes),
                         [self.driver.checksum(volume) for volume in volumes])
        self.eventually(source.is_gone, 'The delete does not end')

    @ddt.data('snapshot', 'volume')
    def test_a_delete_does_not_wait_for_a_lost_create(self, kind):
        source = concurrent_base.Source(self, kind)
        lost = self.gate_before_lock()
        self.mock_object(source_locks, 'LONGEST_WAIT_FOR_CREATES', 1)
        volume = self.create_volume(**source.request)
        self.eventually(lambda: lost.arrived,
                        'The create does not reach the manager')
        acquired = self.record_locks()
        warning = self.mock_object(source_locks.LOG, 'warning')
        source.delete()
        self.eventually(source.is_gone, 'The delete does not end')
        self.assertGreater(len(acquired), 1)
        warning.assert_called_once_with(mock.ANY, mock.ANY, volume)
        lost.open()
        self.wait_for_status([volume], 'error')

    def record_locks(self):
        """Record the locks that are acquired from now on.

        :returns: A list of the purposes of their holders.
        """
        acquired = []
        acquire = source_locks._acquire

        def acquire_and_record(stack, name, purpose, *args):
            acquire(stack, name, purpose, *args)
            acquired.append(purpose)

        self.mock_object(source_locks, '_acquire', acquire_and_record)
        return acquired
