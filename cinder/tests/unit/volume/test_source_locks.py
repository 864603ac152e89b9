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

"""The locks of sources, over locks that fail."""

from unittest import mock

import ddt
from tooz import coordination as tooz

from cinder import context
from cinder import coordination
from cinder import exception
from cinder.tests.unit import fake_constants as fake
from cinder.tests.unit import test
from cinder.tests.unit import utils
from cinder.volume import source_locks


@ddt.ddt
class SourceLocksTestCase(test.TestCase):

    def setUp(self):
        super().setUp()
        self.held = []
        self.lock = mock.Mock()
        self.patch('cinder.coordination.Coordinator.get_lock',
                   side_effect=self.get_lock)

    def get_lock(self, name):
        self.held.append(name)
        return self.lock

    def read(self):
        with source_locks.reading('a test', snapshots=[fake.SNAPSHOT_ID]):
            pass

    @ddt.data({'side_effect': tooz.ToozConnectionError('away')},
              {'side_effect': OSError('read-only')},
              {'return_value': False})
    def test_a_lock_that_is_not_acquired(self, acquire):
        self.lock.acquire.configure_mock(**acquire)
        error = self.assertRaises(exception.SourceNotLocked, self.read)
        self.assertIn(fake.SNAPSHOT_ID, str(error))
        self.lock.release.assert_not_called()

    def test_a_coordinator_that_is_not_started(self):
        self.patch('cinder.coordination.Coordinator.get_lock',
                   side_effect=exception.LockCreationFailed())
        self.assertRaises(exception.SourceNotLocked, self.read)

    def test_a_release_that_fails_fails_nothing(self):
        self.lock.release.side_effect = tooz.ToozConnectionError('away')
        self.read()
        self.lock.release.assert_called_once_with()

    def test_a_reader_is_told_that_its_lock_was_lost(self):
        self.lock.release.return_value = False
        self.assertRaises(exception.SourceLockLost, self.read)

    def test_an_error_of_the_reader_comes_first(self):
        self.lock.release.return_value = False
        with self.assertRaisesRegex(ValueError, 'mine'):
            with source_locks.reading('a test', snapshots=[fake.SNAPSHOT_ID]):
                raise ValueError('mine')

    def test_one_who_changes_a_source_is_not_told(self):
        self.lock.release.return_value = False
        snapshot = utils.create_snapshot(
            context.get_admin_context(),
            utils.create_volume(context.get_admin_context()).id)
        with source_locks.changing('a test', snapshots=[snapshot]):
            pass
        self.lock.release.assert_called_once_with()

    def test_volumes_come_before_snapshots_and_each_kind_in_order(self):
        with source_locks.reading(
                'a test', volumes=[fake.VOLUME2_ID, fake.VOLUME_ID],
                snapshots=[fake.SNAPSHOT2_ID, fake.SNAPSHOT_ID]):
            pass
        self.assertEqual(
            [coordination.source_lock_name(kind, source_id) for kind, ids in (
                ('volume', [fake.VOLUME2_ID, fake.VOLUME_ID]),
                ('snapshot', [fake.SNAPSHOT2_ID, fake.SNAPSHOT_ID]))
             for source_id in sorted(ids)], self.held)

    def test_a_volume_that_gets_another_storage_is_locked_again(self):
        admin = context.get_admin_context()
        volume = utils.create_volume(admin)

        def migrate_once(shared=False):
            if volume.name_id == volume.id:
                volume._name_id = fake.VOLUME2_ID
                volume.save()
            return True

        self.lock.acquire.side_effect = migrate_once
        with source_locks.reading('a test', volumes=[volume.id]):
            self.assertEqual(1, self.lock.release.call_count)
        self.assertEqual(
            {coordination.source_lock_name('volume', storage)
             for storage in (volume.id, fake.VOLUME2_ID)}, set(self.held[1:]))
        self.assertEqual(3, self.lock.release.call_count)
