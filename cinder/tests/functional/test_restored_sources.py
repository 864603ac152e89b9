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

"""Volumes that a backup is restored into while they are cloned."""

from unittest import mock

from cinder.backup import driver as backup_driver
from cinder.backup import manager as backup_manager
from cinder import context
from cinder import exception
from cinder.message import message_field
from cinder import objects
from cinder.objects import fields
from cinder.tests.functional import concurrent_base
from cinder.tests.functional import copying_driver
from cinder.tests.unit import fake_constants as fake
from cinder.volume import manager
from cinder.volume import volume_utils

CONTENT = bytes(copying_driver.PIECES * copying_driver.PIECE_SIZE)


class ZeroBackupDriver(backup_driver.BackupDriver):
    """Restores zeros."""

    def backup(self, backup, volume_file, backup_metadata=False):
        raise NotImplementedError()

    def delete_backup(self, backup):
        raise NotImplementedError()

    def restore(self, backup, volume_id, volume_file, volume_is_new):
        volume = objects.Volume.get_by_id(self.context, volume_id)
        with copying_driver.CopyingDriver.recorded('restore_backup', volume):
            volume_file.write(CONTENT)


class RestoredSourceTestCase(concurrent_base.ConcurrentTestCase):

    def setUp(self):
        super().setUp()
        self.mock_object(volume_utils, 'brick_get_connector_properties',
                         return_value={'host': 'backup'})
        self.override_config('backup_driver',
                             __name__ + '.' + ZeroBackupDriver.__name__)
        self.start_services()
        self.source = concurrent_base.Source(self, 'volume')

    def restore(self):
        """Send what the API sends to restore a backup into the source."""
        ctxt = context.get_admin_context()
        manager = backup_manager.BackupManager()
        backup = objects.Backup(
            ctxt, user_id=fake.USER_ID, project_id=fake.PROJECT_ID,
            volume_id=self.source.id, size=1, host=manager.host,
            service=manager.driver_name,
            status=fields.BackupStatus.RESTORING)
        backup.create()
        volume = objects.Volume.get_by_id(ctxt, self.source.id)
        volume.status = fields.VolumeStatus.RESTORING_BACKUP
        volume.save()
        self.restoring = self.in_thread(manager.restore_backup, ctxt, backup,
                                        self.source.id, False)

    def assertRestored(self):
        self.restoring.result(concurrent_base.PATIENCE)
        self.assertEqual('available', self.source.status())
        with open(self.driver.path_of(self.source.id), 'rb') as stored:
            self.assertEqual(CONTENT, stored.read())

    def test_a_restore_waits_for_the_clones_before_it(self):
        clones = self.gate('create_from_source')
        volume = self.create_volume(**self.source.request)
        self.eventually(lambda: clones.arrived, 'The clone does not run')
        self.assertWaitsForCreates(self.restore, 'restore_backup', clones,
                                   self.source)
        self.wait_for_status([volume], 'available')
        self.assertEqual(self.source.checksum, self.driver.checksum(volume))
        self.assertRestored()

    def test_a_clone_that_comes_later_is_refused_without_waiting(self):
        before_lock = self.gate_before_lock()
        volume = self.create_volume(**self.source.request)
        self.eventually(lambda: before_lock.arrived,
                        'The create does not reach the manager')
        restores = self.gate('restore_backup')
        self.restore()
        self.eventually(lambda: restores.arrived, 'The restore does not run')
        before_lock.open()
        self.wait_for_status([volume], 'error')
        self.assertIn(message_field.Detail.SOURCE_NOT_USABLE[1],
                      self.user_messages(volume))
        restores.open()
        self.assertRestored()

    def test_a_restore_that_gets_no_lock_changes_nothing(self):
        refused = exception.SourceNotLocked(name='lock', purpose='restore',
                                            reason='down')
        with mock.patch('cinder.volume.source_locks._acquire',
                        side_effect=refused):
            self.restore()
            self.assertRaises(exception.SourceNotLocked,
                              self.restoring.result, concurrent_base.PATIENCE)
        self.assertEqual('error_restoring', self.source.status())
        self.assertEqual(self.source.checksum,
                         self.driver.checksum(self.source.id))

    def test_a_clone_of_a_volume_that_was_restored_by_half_is_refused(self):
        """Also when a second restore was accepted and has not begun."""
        def fail(resource):
            raise ValueError('half-way')

        copying_driver.CopyingDriver.gates['restore_backup'] = fail
        self.restore()
        self.assertRaises(ValueError, self.restoring.result,
                          concurrent_base.PATIENCE)
        volume = objects.Volume.get_by_id(context.get_admin_context(),
                                          self.source.id)
        for status in ('error_restoring', 'restoring-backup'):
            volume.status = status
            volume.save()
            self.assertRaises(exception.SourceNotUsable,
                              manager.source_state.check, volume)

    def test_a_restore_that_has_not_begun_refuses_no_clone(self):
        volume = objects.Volume.get_by_id(context.get_admin_context(),
                                          self.source.id)
        volume.status = fields.VolumeStatus.RESTORING_BACKUP
        volume.save()
        manager.source_state.check(volume)
