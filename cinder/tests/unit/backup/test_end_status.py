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

"""Backups and restores whose resources change before they end."""

from unittest import mock

import ddt

from cinder.backup import manager
from cinder import context
from cinder.db import api as db
from cinder import exception
from cinder import objects
from cinder.scheduler import manager as scheduler_manager
from cinder.tests.unit import fake_constants as fake
from cinder.tests.unit import test
from cinder.tests.unit import utils as tests_utils
from cinder.volume import volume_utils


class Failed(Exception):
    pass


@ddt.ddt
class EndStatusTestCase(test.TestCase):
    """Another request sets a status while a backup or restore runs."""

    def setUp(self):
        super().setUp()
        self.ctxt = context.RequestContext(fake.USER_ID, fake.PROJECT_ID,
                                           is_admin=True)
        self.manager = manager.BackupManager()
        self.manager.is_initialized = True
        for name in ('service', 'message_api', 'volume_rpcapi',
                     '_notify_about_backup_usage', '_attach_device',
                     '_detach_device'):
            self.mock_object(self.manager, name)
        self.mock_object(volume_utils, 'brick_get_connector_properties')

    def sources(self, kind, status='backing-up'):
        """Make a volume and what is backed up, which may be a snapshot."""
        self.volume = tests_utils.create_volume(
            self.ctxt, previous_status='in-use',
            status=status if kind == 'volume' else 'available')
        if kind == 'volume':
            return self.volume
        return tests_utils.create_snapshot(self.ctxt, self.volume.id,
                                           status=status)

    def backup_of(self, source, status='creating'):
        return tests_utils.create_backup(
            self.ctxt, self.volume.id, size=1, status=status,
            service=self.manager.driver_name,
            snapshot_id=None if source is self.volume else source.id)

    def changing(self, resource, status='deleting', error=None):
        """Return a function that changes a status as another request does."""
        def change(*args, **kwargs):
            if status is None:
                resource.destroy()
            else:
                type(resource).get_by_id(self.ctxt, resource.id).\
                    conditional_update({'status': status}, {})
            if error:
                raise error
        return change

    def assertStatus(self, expected, resource):
        resource.refresh()
        self.assertEqual(expected, resource.status)

    def back_up(self, backup):
        self.manager.continue_backup(self.ctxt, backup, mock.Mock())

    def restore(self, backup, run):
        self.mock_object(self.manager, '_run_restore', run)
        self.manager.restore_backup(self.ctxt, backup, self.volume.id, False)

    @ddt.data('volume', 'snapshot')
    def test_a_source_keeps_its_new_status(self, kind):
        source = self.sources(kind)
        backup = self.backup_of(source)
        self.manager.service.return_value.backup.side_effect = (
            self.changing(source))
        self.back_up(backup)
        self.assertStatus('deleting', source)
        self.assertStatus('available', backup)

    @ddt.data('volume', 'snapshot')
    def test_a_source_keeps_it_if_the_backup_fails(self, kind):
        source = self.sources(kind)
        backup = self.backup_of(source)
        self.manager.service.return_value.backup.side_effect = (
            self.changing(source, error=Failed))
        self.assertRaises(Failed, self.back_up, backup)
        self.assertStatus('deleting', source)
        self.assertStatus('error', backup)

    @ddt.data('volume', 'snapshot')
    def test_a_source_keeps_it_if_the_backup_does_not_start(self, kind):
        source = self.sources(kind)
        backup = self.backup_of(source)
        self.mock_object(self.manager, '_start_backup',
                         self.changing(source, error=Failed))
        self.assertRaises(Failed, self.manager.create_backup, self.ctxt,
                          backup)
        self.assertStatus('deleting', source)
        self.assertStatus('error', backup)

    @ddt.data('volume', 'snapshot')
    def test_a_source_can_be_gone(self, kind):
        source = self.sources(kind)
        backup = self.backup_of(source)
        self.mock_object(self.manager, '_start_backup',
                         self.changing(source, None, error=Failed))
        self.assertRaises(Failed, self.manager.create_backup, self.ctxt,
                          backup)
        self.assertStatus('error', backup)

    @ddt.data(('volume', 'in-use'), ('snapshot', 'available'))
    @ddt.unpack
    def test_the_status_of_before_comes_back(self, kind, status):
        source = self.sources(kind)
        self.back_up(self.backup_of(source))
        self.assertStatus(status, source)

    @ddt.data(('volume', 'in-use'), ('snapshot', 'available'))
    @ddt.unpack
    def test_it_comes_back_if_no_service_takes_the_backup(self, kind, status):
        source = self.sources(kind)
        volume_status = self.volume.status
        scheduler = scheduler_manager.SchedulerManager()
        self.mock_object(scheduler, 'message_api')
        self.mock_object(scheduler.driver, 'get_backup_host',
                         side_effect=exception.ServiceNotFound(
                             service_id='cinder-backup'))
        backup = self.backup_of(source)
        backup.host = None
        scheduler.create_backup(self.ctxt, backup)
        self.assertStatus(status, source)
        if kind == 'snapshot':
            self.assertStatus(volume_status, self.volume)

    def test_a_backup_that_is_deleted_is_not_available_again(self):
        source = self.sources('volume')
        backup = self.backup_of(source)
        self.mock_object(
            self.manager,
            '_cleanup_temp_volumes_snapshots_when_backup_created',
            self.changing(backup))
        self.back_up(backup)
        self.assertStatus('deleting', backup)

    def test_nor_in_error(self):
        backup = self.backup_of(self.sources('volume'))
        self.manager.service.return_value.backup.side_effect = (
            self.changing(backup, error=Failed))
        self.assertRaises(Failed, self.back_up, backup)
        self.assertStatus('deleting', backup)

    def test_nor_after_an_import(self):
        backup = self.backup_of(self.sources('volume'))
        self.mock_object(objects.Backup, 'decode_record', return_value={
            'id': backup.id, 'display_name': 'name', 'container': 'container',
            'display_description': 'description', 'size': 1,
            'service_metadata': '', 'object_count': 1})
        self.manager.service.return_value.import_record.side_effect = (
            self.changing(backup))
        self.manager.import_record(self.ctxt, backup,
                                   self.manager.driver_name, 'url', [])
        self.assertStatus('deleting', backup)

    def test_a_failed_delete_of_a_backup_ends_in_error(self):
        backup = self.backup_of(self.sources('volume'), status='deleting')
        self.manager.service.return_value.delete_backup.side_effect = Failed
        self.assertRaises(Failed, self.manager.delete_backup, self.ctxt,
                          backup)
        self.assertStatus('error', backup)

    @ddt.data(None, Failed, exception.BackupRestoreCancel(
        vol_id=fake.VOLUME_ID, back_id=fake.BACKUP_ID))
    def test_a_restored_volume_keeps_its_new_status(self, error):
        target = self.sources('volume', 'restoring-backup')
        backup = self.backup_of(target, status='restoring')
        restore = self.changing(target, error=error)
        if error is Failed:
            self.assertRaises(Failed, self.restore, backup, restore)
        else:
            self.restore(backup, restore)
        self.assertStatus('deleting', target)
        self.assertStatus('available', backup)

    @ddt.data(None, Failed)
    def test_a_restored_backup_that_is_deleted_is_not_available(self, error):
        target = self.sources('volume', 'restoring-backup')
        backup = self.backup_of(target, status='restoring')
        restore = self.changing(backup, error=error)
        if error:
            self.assertRaises(error, self.restore, backup, restore)
        else:
            self.restore(backup, restore)
        self.assertStatus('deleting', backup)
        self.assertStatus('error_restoring' if error else 'available', target)

    def test_a_volume_deleted_before_the_restore_keeps_its_status(self):
        target = self.sources('volume', 'deleting')
        backup = self.backup_of(target, status='restoring')
        self.assertRaises(exception.InvalidVolume, self.restore, backup,
                          mock.Mock())
        self.assertStatus('deleting', target)
        self.assertStatus('available', backup)

    @ddt.data('backing-up', 'restoring-backup')
    def test_a_service_that_starts_leaves_volumes_being_deleted(self, status):
        volume = self.sources('volume', status)
        self.mock_object(self.manager, '_detach_all_attachments',
                         self.changing(volume))
        self.manager._cleanup_one_volume(self.ctxt, volume.id)
        self.assertStatus('deleting', volume)

    def test_a_service_that_starts_leaves_snapshots_being_deleted(self):
        snapshot = self.sources('snapshot')
        stale = objects.Snapshot.get_by_id(self.ctxt, snapshot.id)
        self.changing(snapshot)()
        self.mock_object(objects.Snapshot, 'get_by_id', return_value=stale)
        self.manager._cleanup_one_snapshot(self.ctxt, snapshot.id)
        self.assertEqual(
            'deleting', db.snapshot_get(self.ctxt, snapshot.id).status)
