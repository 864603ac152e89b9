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

"""Sources that are deleted while a backup copies them."""

import os

import ddt

from cinder import context
from cinder import exception
from cinder import objects
from cinder.tests.functional import concurrent_base
from cinder.tests.functional import copying_driver
from cinder.tests.unit import utils as tests_utils
from cinder.volume import source_locks


@ddt.ddt
class BackupSourcesTestCase(concurrent_base.ConcurrentTestCase):

    def setUp(self):
        super().setUp()
        self.start_services()
        self.ctxt = context.get_admin_context()

    def backup_of(self, kind):
        """Make what the API makes when it accepts a backup."""
        self.source = concurrent_base.Source(self, kind)
        cls = {'volume': objects.Volume, 'snapshot': objects.Snapshot}[kind]
        self.resource = cls.get_by_id(self.ctxt, self.source.id)
        self.resource.status = 'backing-up'
        if kind == 'volume':
            self.resource.previous_status = 'in-use'
        self.resource.save()
        return tests_utils.create_backup(
            self.ctxt, getattr(self.resource, 'volume_id', self.source.id),
            snapshot_id=self.source.id if kind == 'snapshot' else None)

    def get_device(self, backup):
        return self.in_thread(self.manager.get_backup_device, self.ctxt,
                              backup, want_objects=True)

    @ddt.data(('volume', False, 'create_from_source'),
              ('volume', True, 'create_snapshot'),
              ('snapshot', False, 'create_from_source'))
    @ddt.unpack
    def test_the_source_is_read(self, kind, use_temp_snapshot, operation):
        self.mock_object(self.driver, 'backup_use_temp_snapshot',
                         return_value=use_temp_snapshot)
        backup = self.backup_of(kind)
        copies = self.gate(operation)
        getting = self.get_device(backup)
        self.eventually(lambda: copies.arrived, 'The copy does not run')
        self.assertTrue(self.source.is_read(), 'The source can be deleted')
        copies.open()
        device = getting.result(concurrent_base.PATIENCE).device_obj
        self.assertEqual(self.source.checksum,
                         self.driver.checksum(device.id))

    @ddt.data('volume', 'snapshot')
    def test_a_source_that_is_being_deleted_is_not_copied(self, kind):
        self.mock_object(self.driver, 'backup_use_temp_snapshot',
                         return_value=False)
        backup = self.backup_of(kind)
        self.resource.status = 'error_deleting'
        self.resource.save()
        self.assertRaises(exception.SourceNotUsable,
                          self.get_device(backup).result,
                          concurrent_base.PATIENCE)
        self.assertEqual([], self.intervals('create_from_source'))

    @ddt.data('volume', 'snapshot')
    def test_it_takes_turns_with_creates(self, kind):
        self.mock_object(self.driver, 'backup_use_temp_snapshot',
                         return_value=False)
        for name in ('VOLUME', 'SNAPSHOT'):
            self.mock_object(copying_driver.CopyingDriver,
                             'PARALLEL_CREATES_FROM_' + name, False)
        backup = self.backup_of(kind)
        self.resource.status = 'available'
        self.resource.save()
        creates = self.gate('create_from_source')
        volume = self.create_volume(**self.source.request)
        self.eventually(lambda: creates.arrived, 'The create does not run')
        getting = self.get_device(backup)
        self.glimpse(lambda: len(creates.arrived) > 1)
        creates.open()
        getting.result(concurrent_base.PATIENCE)
        self.wait_for_status([volume], 'available')
        self.assertEqual(1, self.driver.most_inside('create_from_source'))

    def test_a_restore_leaves_no_lock_file(self):
        source = concurrent_base.Source(self, 'volume')
        volume = objects.Volume.get_by_id(self.ctxt, source.id)
        with source_locks.changing_without_lock('restore', volume):
            self.assertEqual([], [name
                                  for name in os.listdir(self.lock_directory)
                                  if source.lock_name in name])
