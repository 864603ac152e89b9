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

"""Which sources a create refuses."""

import ddt

from cinder import exception
from cinder.tests.unit import fake_snapshot
from cinder.tests.unit import fake_volume
from cinder.tests.unit import test
from cinder.volume import source_state


@ddt.ddt
class SourceStateTestCase(test.TestCase):

    @ddt.data('error', 'deleting', 'error_deleting', 'reverting',
              'restoring-backup', 'error_restoring')
    def test_refused_volumes(self, status):
        volume = fake_volume.fake_volume_obj(None, status=status)
        error = self.assertRaises(exception.SourceNotUsable,
                                  source_state.check, volume)
        self.assertIn(volume.id, str(error))
        self.assertIn(status, str(error))

    @ddt.data('error', 'deleting', 'error_deleting', 'restoring')
    def test_refused_snapshots(self, status):
        snapshot = fake_snapshot.fake_snapshot_obj(None, status=status)
        self.assertRaises(exception.SourceNotUsable,
                          source_state.check, snapshot)

    @ddt.data('available', 'in-use', 'uploading', 'downloading', 'creating',
              'retyping', 'maintenance', 'extending', 'backing-up')
    def test_accepted(self, status):
        source_state.check(fake_volume.fake_volume_obj(None, status=status))
