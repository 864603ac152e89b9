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

from unittest import mock

import ddt

from cinder import exception
from cinder.tests.unit import fake_constants as fake
from cinder.tests.unit import utils as tests_utils
from cinder.tests.unit import volume as base


@ddt.ddt
class AbsentSourceTestCase(base.BaseVolumeTestCase):
    """Errors about a missing source reach the caller of a create."""

    @ddt.data(exception.VolumeNotFound(volume_id=fake.VOLUME_ID),
              exception.SnapshotNotFound(snapshot_id=fake.SNAPSHOT_ID))
    def test_the_reason_is_not_hidden(self, reason):
        volume = tests_utils.create_volume(self.context,
                                           **self.volume_params)
        with mock.patch('taskflow.engines.action_engine.engine.'
                        'ActionEngine.run', side_effect=reason):
            self.assertRaises(type(reason), self.volume.create_volume,
                              self.context, volume)

    @ddt.data((exception.VolumeNotFound(volume_id=fake.VOLUME2_ID),
               {'source_volid': fake.VOLUME_ID}),
              (exception.VolumeNotFound('the driver says nothing more'),
               {'source_volid': fake.VOLUME_ID}),
              (exception.SnapshotNotFound(snapshot_id=fake.SNAPSHOT2_ID),
               {'snapshot_id': fake.SNAPSHOT_ID}))
    @ddt.unpack
    def test_the_lock_files_of_a_source_in_use_stay(self, reason, source):
        self.assertEqual([], self.cleaned(reason, source))

    @ddt.data((exception.VolumeNotFound(volume_id=fake.VOLUME_ID),
               {'source_volid': fake.VOLUME_ID}),
              (exception.SnapshotNotFound(snapshot_id=fake.SNAPSHOT_ID),
               {'snapshot_id': fake.SNAPSHOT_ID}))
    @ddt.unpack
    def test_the_lock_files_of_a_source_that_is_gone_go(self, reason, source):
        self.assertEqual(list(source.values()), self.cleaned(reason, source))

    def cleaned(self, reason, source):
        """Return the ids of the sources whose lock files are removed."""
        volume = tests_utils.create_volume(self.context, **source,
                                           **self.volume_params)
        with (mock.patch('taskflow.engines.action_engine.engine.'
                         'ActionEngine.run', side_effect=reason),
                mock.patch('cinder.utils.clean_volume_file_locks') as clean,
                mock.patch('cinder.utils.clean_snapshot_file_locks',
                           clean)):
            self.assertRaises(type(reason), self.volume.create_volume,
                              self.context, volume, source)
        return [call.args[0] for call in clean.call_args_list]
