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
