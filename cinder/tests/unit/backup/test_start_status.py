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

"""Backups and restores whose source or target changes as they start."""

from unittest import mock

import ddt

from cinder.backup import api
from cinder import context
from cinder.db import api as db
from cinder import exception
from cinder import objects
from cinder import quota
from cinder.tests.unit import fake_constants as fake
from cinder.tests.unit import test
from cinder.tests.unit import utils as tests_utils
from cinder.volume.flows.manager import create_volume


@ddt.ddt
class StartStatusTestCase(test.TestCase):
    """Another request comes between the check and the new status."""

    def setUp(self):
        super().setUp()
        self.ctxt = context.RequestContext(fake.USER_ID, fake.PROJECT_ID,
                                           is_admin=True)
        self.api = api.API()
        for name in ('backup_rpcapi', 'scheduler_rpcapi'):
            self.mock_object(self.api, name)
        self.volume = tests_utils.create_volume(
            self.ctxt, status='available', use_quota=False)

    def backup(self):
        return tests_utils.create_backup(self.ctxt, self.volume.id, size=1,
                                         status='available')

    def when_called(self, target, name, resource, status, result=None):
        """Let a call set the status of a resource, as another request does."""
        called = getattr(target, name)

        def change_and_call(*args, **kwargs):
            type(resource).get_by_id(self.ctxt, resource.id).\
                conditional_update({'status': status}, {})
            return result or called(*args, **kwargs)

        self.mock_object(target, name, change_and_call)

    def when_the_host_is_chosen(self, resource, status):
        self.when_called(self.api, '_get_available_backup_service_host',
                         resource, status, result='host')

    def assertStatus(self, expected, resource):
        resource.refresh()
        self.assertEqual(expected, resource.status)

    def assertNoBackupIsLeft(self):
        self.assertEqual([], objects.BackupList.get_all(self.ctxt).objects)
        self.assertEqual(
            {'backups': 0, 'backup_gigabytes': 0},
            {name: usage['reserved'] + usage['in_use']
             for name, usage in db.quota_usage_get_all_by_project(
                 self.ctxt, fake.PROJECT_ID).items() if name != 'project_id'})

    @ddt.data('deleting', 'in-use')
    def test_a_volume_that_changed_is_not_backed_up(self, status):
        self.when_called(quota.QUOTAS, 'reserve', self.volume, status)
        self.assertRaises(exception.InvalidVolume, self.api.create, self.ctxt,
                          'name', 'description', self.volume.id, 'container')
        self.assertStatus(status, self.volume)
        self.assertNoBackupIsLeft()

    def test_a_snapshot_that_changed_is_not_backed_up(self):
        snapshot = tests_utils.create_snapshot(self.ctxt, self.volume.id,
                                               status='available')
        self.when_called(quota.QUOTAS, 'reserve', snapshot, 'deleting')
        self.assertRaises(exception.InvalidSnapshot, self.api.create,
                          self.ctxt, 'name', 'description', self.volume.id,
                          'container', snapshot_id=snapshot.id)
        self.assertStatus('deleting', snapshot)
        self.assertNoBackupIsLeft()

    def test_an_attached_volume_is_backed_up_by_force(self):
        self.when_called(quota.QUOTAS, 'reserve', self.volume, 'in-use')
        self.api.create(self.ctxt, 'name', 'description', self.volume.id,
                        'container', force=True)
        self.assertStatus('backing-up', self.volume)
        self.assertEqual('in-use', self.volume.previous_status)

    def test_a_volume_that_changed_is_not_restored_to(self):
        backup = self.backup()
        self.when_the_host_is_chosen(self.volume, 'deleting')
        self.assertRaises(exception.InvalidVolume, self.api.restore,
                          self.ctxt, backup.id, self.volume.id)
        self.assertStatus('deleting', self.volume)
        self.assertStatus('available', backup)

    def test_a_backup_that_changed_is_not_restored(self):
        backup = self.backup()
        self.when_the_host_is_chosen(backup, 'deleting')
        self.assertRaises(exception.InvalidBackup, self.api.restore,
                          self.ctxt, backup.id, self.volume.id)
        self.assertStatus('deleting', backup)
        self.assertStatus('available', self.volume)

    def test_a_volume_made_for_the_restore_is_deleted(self):
        backup = self.backup()
        self.mock_object(self.api.volume_api, 'create',
                         return_value=self.volume)
        self.mock_object(self.api.volume_api.volume_rpcapi, 'delete_volume')
        self.when_the_host_is_chosen(backup, 'deleting')
        self.assertRaises(exception.InvalidBackup, self.api.restore,
                          self.ctxt, backup.id)
        self.assertStatus('deleting', self.volume)
        delete = self.api.volume_api.volume_rpcapi.delete_volume
        self.assertEqual(self.volume.id, delete.call_args.args[1].id)

    def test_a_backup_that_is_restored_is_not_deleted(self):
        backup = self.backup()
        self.when_the_host_is_chosen(backup, 'restoring')
        self.assertRaises(exception.InvalidBackup, self.api.delete, self.ctxt,
                          backup)
        self.assertStatus('restoring', backup)
        self.api.backup_rpcapi.delete_backup.assert_not_called()

    def test_it_is_deleted_by_force(self):
        backup = self.backup()
        self.mock_object(self.api, '_check_support_to_force_delete',
                         return_value=True)
        self.when_the_host_is_chosen(backup, 'restoring')
        self.api.delete(self.ctxt, backup, force=True)
        self.assertStatus('deleting', backup)
        self.api.backup_rpcapi.delete_backup.assert_called_once_with(
            self.ctxt, backup)

    def test_a_backup_that_changed_gives_no_new_volume(self):
        backup = self.backup()
        driver = mock.Mock()
        driver.create_volume_from_backup.side_effect = NotImplementedError
        create = create_volume.CreateVolumeFromSpecTask(
            mock.Mock(), mock.Mock(), driver)
        self.when_called(create, '_create_raw_volume', backup, 'deleting',
                         result={'size': 1})
        self.mock_object(api.API, 'get_available_backup_service_host',
                         return_value='host')
        self.assertRaises(exception.InvalidBackup, create._create_from_backup,
                          self.ctxt, self.volume, backup.id)
        self.assertStatus('deleting', backup)

    def test_another_backend_does_not_try_it(self):
        task = create_volume.OnFailureRescheduleTask(
            {}, mock.Mock(), mock.Mock(), mock.Mock(), True)
        self.assertIn(exception.InvalidBackup, task.no_reschedule_types)
