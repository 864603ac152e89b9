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

"""Groups whose members are sources of creates, deleted and copied."""

from concurrent import futures
import os

import ddt

from cinder import context
from cinder.tests.functional import concurrent_base
from cinder.tests.functional import copying_driver
from cinder.tests.unit import utils

MEMBERS = 3
ROUNDS = 6


@ddt.ddt
class GroupSourcesTestCase(concurrent_base.ConcurrentTestCase):

    def setUp(self):
        super().setUp()
        self.start_services()
        self.volume_type = self.api.create_type('type')['id']
        self.group_type = self.api.create_group_type('group type')['id']
        self.group, self.volumes = self.new_group()

    def new_group(self):
        """Return the ids of a group and of its volumes."""
        group = self.api.post_group({'group': {
            'group_type': self.group_type,
            'volume_types': [self.volume_type]}})['id']
        self.wait_for_group(self.api.get_group, group, 'available')
        volumes = self.create_volumes(MEMBERS, group_id=group,
                                      volume_type=self.volume_type)
        self.wait_for_status(volumes, 'available')
        return group, volumes

    def wait_for_group(self, get, resource_id, expected):
        self.eventually(
            lambda: get(resource_id)['status'] not in ('creating', 'deleting'),
            'The group does not come to rest')
        self.assertEqual(expected, get(resource_id)['status'])

    def snapshot_group(self, group):
        """Return the ids of a group snapshot and of its snapshots."""
        group_snapshot = self.api.post_group_snapshot(
            {'group_snapshot': {'group_id': group}})['id']
        self.wait_for_group(self.api.get_group_snapshot, group_snapshot,
                            'available')
        snapshots = self.api.api_get('/snapshots/detail')['snapshots']
        return group_snapshot, {
            snapshot['volume_id']: snapshot['id'] for snapshot in snapshots
            if snapshot['group_snapshot_id'] == group_snapshot}

    def delete_group(self):
        self.api.delete_group(self.group,
                              {'delete': {'delete-volumes': True}})

    def source_of(self, kind):
        """Return a member as a Source, and what deletes its group."""
        if kind == 'volume':
            return (concurrent_base.Source(self, kind, self.volumes[-1]),
                    self.delete_group)
        group_snapshot, snapshots = self.snapshot_group(self.group)
        return (concurrent_base.Source(self, kind,
                                       snapshots[self.volumes[-1]]),
                lambda: self.api.delete_group_snapshot(group_snapshot))

    def copy_group(self, kind):
        """Send the create of a group from the group or its snapshot."""
        if kind == 'volume':
            source = {'source_group_id': self.group}
        else:
            source = {'group_snapshot_id': self.snapshot_group(self.group)[0]}
        return self.api.post_group_from_src(
            {'create-from-src': source})['id']

    @ddt.data('snapshot', 'volume')
    def test_members_are_deleted_after_the_creates_from_them(self, kind):
        source, delete = self.source_of(kind)
        creates = self.gate('create_from_source')
        volume = self.create_volume(**source.request)
        self.eventually(lambda: creates.arrived, 'The create does not run')
        self.assertWaitsForCreates(delete, source.delete_operation, creates,
                                   source)
        self.wait_for_status([volume], 'available')
        self.assertEqual(source.checksum, self.driver.checksum(volume))
        self.eventually(source.is_gone, 'The delete does not end')
        self.eventually(
            lambda: not [name for name in os.listdir(self.lock_directory)
                         if source.lock_name in name],
            'The lock file of a member that is gone stays')

    @ddt.data('snapshot', 'volume')
    def test_members_are_locked_while_a_group_is_created_from_them(self, kind):
        copies = self.gate('create_from_source')
        copy = self.copy_group(kind)
        self.eventually(lambda: copies.arrived, 'The copy does not run')
        sources = self.volumes if kind == 'volume' else [
            snapshot['id'] for snapshot in
            self.api.api_get('/snapshots')['snapshots']]
        self.assertEqual(MEMBERS, len(sources))
        for source_id in sources:
            source = concurrent_base.Source(self, kind, source_id)
            self.assertTrue(source.is_read(), 'A member can be deleted')
        copies.open()
        self.wait_for_group(self.api.get_group, copy, 'available')
        self.eventually(lambda: not source.is_read(), 'A member stays locked')

    def test_creates_from_a_member_run_beside_a_group_from_it(self):
        copies = self.gate('create_from_source')
        self.copy_group('volume')
        self.eventually(lambda: copies.arrived, 'The copy does not run')
        volume = self.create_volume(source_volid=self.volumes[0])
        self.eventually(lambda: volume in copies.arrived,
                        'The create waits for the group')
        copies.open()
        self.wait_for_status([volume], 'available')

    def test_a_group_snapshot_and_cascades_are_deleted_without_deadlock(self):
        """Both lock the same snapshots, each in an order of its own."""
        ended = 0
        for _number in range(ROUNDS):
            ended += self.delete_group_snapshot_and_cascades()
        self.assertGreater(ended, ROUNDS)

    def delete_group_snapshot_and_cascades(self):
        """Delete volumes and a group snapshot of them at once.

        Each volume has three snapshots, of which the second belongs to the
        group snapshot. The cascades are held in the first until the delete of
        the group snapshot has its locks.

        :returns: How many deletes succeeded. A cascade fails if the group
            snapshot was faster.
        """
        admin = context.get_admin_context()
        host = self.manager.host + '#copying'
        group = utils.create_group(
            admin, host=host, group_type_id=self.group_type,
            volume_type_ids=[self.volume_type])
        group_snapshot = utils.create_group_snapshot(
            admin, group_id=group.id, group_type_id=self.group_type)
        volumes = [utils.create_volume(
            admin, host=host, status='deleting',
            volume_type_id=self.volume_type) for _member in range(MEMBERS)]
        members = [
            utils.create_snapshot(admin, volume.id, status='deleting',
                                  group_snapshot_id=group_snapshot_id,
                                  volume_type_id=self.volume_type)
            for volume in volumes
            for group_snapshot_id in (None, group_snapshot.id, None)][1::3]
        cascades = concurrent_base.Gate()
        self.addCleanup(cascades.open)
        copying_driver.CopyingDriver.gates['delete_snapshot'] = (
            lambda snapshot: snapshot.group_snapshot_id or cascades(snapshot))
        deletes = [self.in_thread(self.manager.delete_volume, admin, volume,
                                  cascade=True) for volume in volumes]
        self.eventually(lambda: len(cascades.arrived) == MEMBERS,
                        'The cascades do not run')
        deletes.append(self.in_thread(
            self.manager.delete_group_snapshot, admin, group_snapshot))
        self.eventually(
            lambda: deletes[-1].done() or all(
                concurrent_base.is_locked(member.id + '-delete_snapshot')
                for member in members),
            'The group snapshot gets no locks')
        cascades.open()
        done, waiting = futures.wait(deletes, concurrent_base.PATIENCE)
        self.assertEqual(set(), waiting, 'The deletes wait for each other')
        return sum(delete.exception() is None for delete in done)
