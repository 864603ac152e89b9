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
from cinder.message import message_field
from cinder.tests.unit import fake_constants as fake
from cinder.tests.unit import utils as tests_utils
from cinder.tests.unit import volume as base


@ddt.ddt
class SourceIsGoneTestCase(base.BaseVolumeTestCase):
    """A create whose source was deleted leaves a user message."""

    def create(self, reason, source):
        volume = tests_utils.create_volume(self.context, **source,
                                           **self.volume_params)
        with (mock.patch('taskflow.engines.action_engine.engine.'
                         'ActionEngine.run', side_effect=reason),
                mock.patch.object(self.volume.message_api, 'create') as tell):
            self.assertRaises(type(reason), self.volume.create_volume,
                              self.context, volume, source)
        return volume, tell

    @ddt.data((exception.VolumeNotFound(volume_id=fake.VOLUME_ID),
               {'source_volid': fake.VOLUME_ID}),
              (exception.SnapshotNotFound(snapshot_id=fake.SNAPSHOT_ID),
               {'snapshot_id': fake.SNAPSHOT_ID}))
    @ddt.unpack
    def test_the_user_is_told(self, reason, source):
        volume, tell = self.create(reason, source)
        tell.assert_called_once_with(
            self.context, message_field.Action.CREATE_VOLUME_FROM_BACKEND,
            resource_uuid=volume.id,
            detail=message_field.Detail.SOURCE_NOT_FOUND)

    @ddt.data((exception.VolumeNotFound(volume_id=fake.VOLUME2_ID),
               {'source_volid': fake.VOLUME_ID}),
              (exception.SnapshotNotFound(snapshot_id=fake.SNAPSHOT2_ID),
               {'snapshot_id': fake.SNAPSHOT_ID}))
    @ddt.unpack
    def test_not_for_another_one_that_the_driver_misses(self, reason, source):
        _volume, tell = self.create(reason, source)
        tell.assert_not_called()

    def test_not_for_a_source_that_was_not_asked_for(self):
        _volume, tell = self.create(
            exception.VolumeNotFound(volume_id=fake.VOLUME_ID), {})
        tell.assert_not_called()
