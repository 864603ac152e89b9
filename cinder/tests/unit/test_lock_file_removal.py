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
import fixtures

from cinder.cmd import manage
from cinder import coordination
from cinder.tests.unit import fake_constants as fake
from cinder.tests.unit import test
from cinder import utils
from cinder.volume import manager


@ddt.ddt
class LockFileRemovalTestCase(test.TestCase):
    """Lock files go away with their volume or snapshot, under their lock."""

    MOCK_TOOZ = False

    def setUp(self):
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        coordination.COORDINATOR.stop()
        self.override_config('backend_url', 'file://' + self.directory,
                             group='coordination')
        coordination.COORDINATOR.start()

    def lock_files(self):
        return sorted(name for name in os.listdir(self.directory)
                      if name.startswith('cinder-'))

    def use(self, *names):
        for name in names:
            with coordination.COORDINATOR.get_lock(name):
                pass

    def test_the_files_of_a_volume_are_removed(self):
        names = [fake.VOLUME_ID, fake.VOLUME_ID + '-delete_volume',
                 fake.VOLUME_ID + '-detach_volume']
        self.use('another', *names)
        utils.clean_volume_file_locks(fake.VOLUME_ID, mock.Mock())
        self.assertEqual(['cinder-another'], self.lock_files())

    def test_the_files_named_after_the_storage_of_a_volume_are_removed(self):
        names = [id_ + '-delete_volume'
                 for id_ in (fake.VOLUME_ID, fake.VOLUME2_ID)]
        self.use('another', *names)
        volume = mock.Mock(id=fake.VOLUME_ID, name_id=fake.VOLUME2_ID)
        delete = manager.clean_volume_locks(lambda *args: None)
        delete(mock.Mock(), None, volume)
        self.assertEqual(['cinder-another'], self.lock_files())

    @ddt.data('file://%s?timeout=10', 'file:%s', 'FILE://%s')
    def test_they_are_found_by_all_forms_of_the_url(self, form):
        coordination.COORDINATOR.stop()
        self.override_config('backend_url', form % self.directory,
                             group='coordination')
        coordination.COORDINATOR.start()
        name = fake.VOLUME_ID + '-delete_volume'
        self.use(name)
        volumes, *_others = manage.UtilCommands._get_resources_locks()
        self.assertIn(os.path.join(self.directory, 'cinder-' + name),
                      volumes[fake.VOLUME_ID])
        utils.clean_volume_file_locks(fake.VOLUME_ID, mock.Mock())
        self.assertEqual([], self.lock_files())

    def test_the_file_of_a_snapshot_is_removed(self):
        self.use('another', fake.SNAPSHOT_ID + '-delete_snapshot')
        utils.clean_snapshot_file_locks(fake.SNAPSHOT_ID, mock.Mock())
        self.assertEqual(['cinder-another'], self.lock_files())

    def test_a_file_whose_lock_is_held_stays(self):
        name = fake.SNAPSHOT_ID + '-delete_snapshot'
        with coordination.COORDINATOR.get_lock(name):
            utils.clean_snapshot_file_locks(fake.SNAPSHOT_ID, mock.Mock())
            self.assertEqual(['cinder-' + name], self.lock_files())
        utils.clean_snapshot_file_locks(fake.SNAPSHOT_ID, mock.Mock())
        self.assertEqual([], self.lock_files())
