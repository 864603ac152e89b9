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

"""Deletes while the coordination backend fails."""

import ddt
from tooz import coordination as tooz

from cinder import context
from cinder import exception
from cinder.message import message_field
from cinder.tests.unit import utils
from cinder.tests.unit import volume as base
from cinder.volume import source_locks


@ddt.ddt
class DeleteWithoutLockTestCase(base.BaseVolumeTestCase):

    def setUp(self):
        super().setUp()
        self.patch('cinder.coordination.Coordinator.get_lock',
                   side_effect=tooz.ToozConnectionError('away'))
        self.admin = context.get_admin_context()
        self.delete = self.mock_object(self.volume.driver, 'delete_volume')
        self.tell = self.mock_object(self.volume.message_api, 'create')

    def assertTold(self, resource):
        self.assertEqual(
            (resource.id, message_field.Detail.SOURCE_NOT_LOCKED),
            tuple(self.tell.call_args[1][key]
                  for key in ('resource_uuid', 'detail')))

    @ddt.data((False, 'deleting', 'error_deleting'),
              (True, 'unmanaging', 'error_unmanaging'))
    @ddt.unpack
    def test_a_volume_can_be_deleted_again(self, unmanage, before, after):
        volume = utils.create_volume(self.admin, status=before,
                                     host=self.volume.host)
        self.assertRaises(exception.SourceNotLocked,
                          self.volume.delete_volume, self.admin, volume,
                          unmanage_only=unmanage)
        volume.refresh()
        self.assertEqual(after, volume.status)
        self.delete.assert_not_called()
        self.assertTold(volume)

    def test_a_snapshot_can_be_deleted_again(self):
        volume = utils.create_volume(self.admin, host=self.volume.host)
        snapshot = utils.create_snapshot(self.admin, volume.id,
                                         status='deleting')
        delete = self.mock_object(self.volume.driver, 'delete_snapshot')
        self.assertRaises(exception.SourceNotLocked,
                          self.volume.delete_snapshot, self.admin, snapshot)
        snapshot.refresh()
        self.assertEqual('error_deleting', snapshot.status)
        delete.assert_not_called()
        self.assertTold(snapshot)

    @ddt.data(True, False)
    def test_a_cascade_delete_can_be_sent_again(self, locks_volume):
        volume = utils.create_volume(self.admin, status='deleting',
                                     host=self.volume.host)
        snapshots = [utils.create_snapshot(self.admin, volume.id,
                                           status='deleting')
                     for _number in range(2)]
        if locks_volume:
            self.lock_all_but_snapshots()
        self.assertRaises(exception.SourceNotLocked,
                          self.volume.delete_volume, self.admin, volume,
                          cascade=True)
        for resource in (volume, *snapshots):
            resource.refresh()
            self.assertEqual('error_deleting', resource.status)
        self.delete.assert_not_called()
        self.assertTold(volume)
        self.mock_object(self.volume_api.volume_rpcapi, 'delete_volume')
        self.volume_api.delete(self.admin, volume, cascade=True)
        for resource in (volume, *snapshots):
            resource.refresh()
            self.assertEqual('deleting', resource.status)

    def lock_all_but_snapshots(self):
        acquire = source_locks._acquire

        def acquire_unless_snapshot(stack, name, *args):
            if 'snapshot' in name:
                acquire(stack, name, *args)

        self.mock_object(source_locks, '_acquire', acquire_unless_snapshot)
