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

"""Backups whose device cannot be made."""

import ddt

from cinder.tests.unit import utils as tests_utils
from cinder.tests.unit import volume as base


class Failed(Exception):
    pass


@ddt.ddt
class BackupDeviceTestCase(base.BaseVolumeTestCase):

    @ddt.data(('volume', 'in-use'), ('snapshot', 'available'))
    @ddt.unpack
    def test_the_backup_ends_in_error(self, kind, status_before):
        source = volume = tests_utils.create_volume(
            self.context, previous_status='in-use', **dict(
                self.volume_params,
                status='backing-up' if kind == 'volume' else 'available'))
        if kind == 'snapshot':
            source = tests_utils.create_snapshot(self.context, volume.id,
                                                 status='backing-up')
        backup = tests_utils.create_backup(
            self.context, volume.id, status='creating',
            snapshot_id=source.id if kind == 'snapshot' else None)
        self.mock_object(self.volume.driver, 'get_backup_device',
                         side_effect=Failed('no device'))
        self.assertRaises(Failed, self.volume.get_backup_device, self.context,
                          backup, want_objects=True, async_call=True)
        for resource in (source, backup):
            resource.refresh()
        self.assertEqual(status_before, source.status)
        self.assertEqual('error', backup.status)
        self.assertEqual('no device', backup.fail_reason)
