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

"""Snapshots that are created while their volume is rewritten."""

import ddt

from cinder import context
from cinder.message import message_field
from cinder import objects
from cinder.tests.functional import concurrent_base
from cinder.tests.functional import copying_driver
from cinder.tests.unit import fake_constants as fake
from cinder.volume import source_locks


class Base(concurrent_base.ConcurrentTestCase):

    def setUp(self):
        super().setUp()
        self.start_services()
        self.ctxt = context.RequestContext(fake.USER_ID, fake.PROJECT_ID,
                                           is_admin=True)
        self.source = concurrent_base.Source(self, 'volume',
                                             self.make_volume())
        self.volume = objects.Volume.get_by_id(self.ctxt, self.source.id)

    def make_volume(self):
        volume = self.create_volume()
        self.wait_for_status([volume], 'available')
        return volume

    def create_snapshot(self):
        """Send a snapshot and return its id."""
        return self.api.post_snapshot(
            {'snapshot': {'volume_id': self.source.id}})['id']

    def create_accepted_snapshot(self):
        """Send a snapshot that was accepted before the volume changed."""
        snapshot = objects.Snapshot(
            self.ctxt, volume_id=self.source.id, status='creating',
            user_id=fake.USER_ID, project_id=fake.PROJECT_ID, volume_size=1,
            volume_type_id=self.volume.volume_type_id, metadata={})
        snapshot.create()
        self.in_thread(self.manager.create_snapshot, self.ctxt, snapshot)
        return snapshot.id

    def accept(self, status):
        """Do what the API does when it accepts a rewrite."""
        self.volume.conditional_update({'status': status})

    def rewrite(self, status):
        """Overwrite the volume, as what sets a status does.

        :returns: The future of the rewrite.
        """
        self.accept(status)
        if status == 'restoring-backup':
            changing = source_locks.changing_without_lock('test', self.volume)
        else:
            changing = source_locks.changing('test', volumes=[self.volume])

        def run():
            with changing, self.driver.recorded('rewrite', self.volume):
                with open(self.driver.path_of(self.source.id),
                          'r+b') as stored:
                    stored.write(bytes(copying_driver.PIECE_SIZE))
            self.accept('available')

        return self.in_thread(run)

    def wait_for_snapshot(self, snapshot, expected):
        get = self.api.get_snapshot
        self.eventually(lambda: get(snapshot)['status'] != 'creating',
                        'The snapshot does not end')
        self.assertEqual(expected, get(snapshot)['status'])


@ddt.ddt
class SnapshotCreatesTestCase(Base):

    @ddt.data('downloading', 'reverting', 'restoring-backup')
    def test_a_snapshot_has_the_data_of_before(self, status):
        # Else the rewrite would wait for the snapshot without its lock, too.
        self.wait_for_locks_alone()
        creates = self.gate('create_snapshot')
        snapshot = self.create_snapshot()
        self.eventually(lambda: creates.arrived, 'The create does not run')
        rewriting = self.rewrite(status)
        self.glimpse(lambda: self.intervals('rewrite'))
        creates.open()
        self.wait_for_snapshot(snapshot, 'available')
        self.assertEqual(self.source.checksum, self.driver.checksum(snapshot),
                         'The snapshot has data of after')
        rewriting.result(concurrent_base.PATIENCE)

    @ddt.data('downloading', 'reverting', 'restoring-backup')
    def test_a_rewrite_comes_after_the_snapshot_before_it(self, status):
        before_lock = concurrent_base.Gate()
        self.addCleanup(before_lock.open)
        reading = source_locks.reading

        def wait_and_read(purpose, **sources):
            before_lock(self.volume)
            return reading(purpose, **sources)

        self.mock_object(source_locks, 'reading', wait_and_read)
        snapshot = self.create_snapshot()
        self.eventually(lambda: before_lock.arrived,
                        'The create does not reach the manager')
        rewriting = self.rewrite(status)
        self.glimpse(lambda: self.intervals('rewrite'))
        before_lock.open()
        self.wait_for_snapshot(snapshot, 'available')
        self.assertEqual(self.source.checksum, self.driver.checksum(snapshot),
                         'The snapshot has data of after')
        rewriting.result(concurrent_base.PATIENCE)

    @ddt.data('downloading', 'reverting')
    def test_a_snapshot_waits_for_what_has_begun(self, status):
        rewrites = self.gate('rewrite')
        rewriting = self.rewrite(status)
        self.eventually(lambda: rewrites.arrived, 'It does not run')
        snapshot = self.create_accepted_snapshot()
        self.glimpse(lambda: self.intervals('create_snapshot'))
        rewrites.open()
        rewriting.result(concurrent_base.PATIENCE)
        self.wait_for_snapshot(snapshot, 'available')
        self.assertEqual(self.driver.checksum(self.source.id),
                         self.driver.checksum(snapshot),
                         'The snapshot has data of before')

    def assertRefused(self, snapshot):
        self.wait_for_snapshot(snapshot, 'error')
        self.assertEqual([], self.intervals('create_snapshot'))

    def test_a_snapshot_does_not_wait_for_a_restore_that_has_begun(self):
        rewrites = self.gate('rewrite')
        rewriting = self.rewrite('restoring-backup')
        self.eventually(lambda: rewrites.arrived, 'It does not run')
        self.assertRefused(self.create_accepted_snapshot())
        rewrites.open()
        rewriting.result(concurrent_base.PATIENCE)

    def test_a_snapshot_is_refused_after_a_rewrite_that_failed(self):
        def fail(resource):
            raise ValueError('half-way')

        copying_driver.CopyingDriver.gates['rewrite'] = fail
        self.assertRaises(ValueError, self.rewrite('reverting').result,
                          concurrent_base.PATIENCE)
        self.assertRefused(self.create_accepted_snapshot())

    def test_a_snapshot_is_created_in_front_of_a_restore(self):
        self.accept('restoring-backup')
        self.wait_for_snapshot(self.create_accepted_snapshot(), 'available')

    def test_snapshots_and_clones_are_created_together(self):
        creates, clones = (self.gate('create_snapshot'),
                           self.gate('create_from_source'))
        snapshots = [self.create_snapshot() for _number in range(2)]
        clone = self.create_volume(**self.source.request)
        self.eventually(lambda: len(creates.arrived) == 2 and clones.arrived,
                        'They wait for each other')
        creates.open()
        clones.open()
        self.wait_for_status([clone], 'available')
        for snapshot in snapshots:
            self.wait_for_snapshot(snapshot, 'available')


class UserMessageTestCase(Base):

    def test_the_user_is_told_why_a_snapshot_was_refused(self):
        self.accept('error_restoring')
        snapshot = self.create_accepted_snapshot()
        self.wait_for_snapshot(snapshot, 'error')
        self.eventually(lambda: self.user_messages(snapshot), 'No message')
        self.assertIn(message_field.Detail.SOURCE_NOT_USABLE[1],
                      self.user_messages(snapshot))


class GroupSnapshotCreatesTestCase(SnapshotCreatesTestCase):
    """The same with snapshots of a group whose only member is the volume."""

    def make_volume(self):
        volume_type = self.api.create_type('type')['id']
        self.group = self.api.post_group({'group': {
            'group_type': self.api.create_group_type('group type')['id'],
            'volume_types': [volume_type]}})['id']
        self.eventually(lambda: self.api.get_group(self.group)['status'] ==
                        'available', 'The group is not created')
        volume = self.create_volume(group_id=self.group,
                                    volume_type=volume_type)
        self.wait_for_status([volume], 'available')
        return volume

    def create_snapshot(self):
        group_snapshot = self.api.post_group_snapshot(
            {'group_snapshot': {'group_id': self.group}})['id']
        snapshot, = [
            snapshot['id'] for snapshot in
            self.api.api_get('/snapshots/detail')['snapshots']
            if snapshot['group_snapshot_id'] == group_snapshot]
        return snapshot

    create_accepted_snapshot = create_snapshot
