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

"""The LVM driver creates several volumes from one source at once."""

from concurrent import futures
import os
import shutil
import threading

import ddt
import fixtures

from cinder.tests.unit import test
from cinder.volume import configuration
from cinder.volume.drivers import lvm
from cinder.volume import volume_utils

CREATES = 4
PATIENCE = 30


class FilesAsVolumeGroup:
    """Files that stand for logical volumes. As in LVM, a name is unique."""

    def __init__(self, directory):
        self._directory = directory

    def path(self, name):
        return os.path.join(self._directory, name)

    def create_volume(self, name, size, lvm_type, mirror_count):
        open(self.path(name), 'xb').close()

    def create_lv_snapshot(self, name, source, lvm_type):
        with (open(self.path(name), 'xb') as target,
                open(self.path(source), 'rb') as stored):
            shutil.copyfileobj(stored, target)

    def activate_lv(self, name, is_snapshot=False, permanent=False):
        os.stat(self.path(name))

    def get_volume(self, name):
        return {'name': name} if os.path.exists(self.path(name)) else None

    def lv_has_snapshot(self, name):
        return False

    def delete(self, name):
        os.unlink(self.path(name))


@ddt.ddt
class LVMParallelCreatesTestCase(test.TestCase):

    def setUp(self):
        super().setUp()
        self.group = FilesAsVolumeGroup(
            self.useFixture(fixtures.TempDir()).path)
        self.barrier = threading.Barrier(CREATES)
        self.mock_object(volume_utils, 'copy_volume', self.copy)

    def driver(self, lvm_type):
        driver = lvm.LVMVolumeDriver(
            vg_obj=self.group, configuration=configuration.Configuration(
                lvm.volume_opts, configuration.SHARED_CONF_GROUP))
        for option, value in (('lvm_type', lvm_type),
                              ('volume_clear', 'none')):
            self.override_config(option, value,
                                 group=configuration.SHARED_CONF_GROUP)
        self.mock_object(driver, 'local_path',
                         lambda volume: self.group.path(volume['name']))
        return driver

    def copy(self, source, target, *args, **kwargs):
        """Copy when all creates have come so far, and in two halves."""
        with open(target, 'wb') as stored:
            for half in (0, 1):
                self.barrier.wait(PATIENCE)
                with open(source, 'rb') as data:
                    data.seek(half * 4096)
                    stored.write(data.read(4096))

    @ddt.data(('thin', 'snapshot'), ('thin', 'volume'),
              ('default', 'snapshot'), ('default', 'volume'))
    @ddt.unpack
    def test_each_has_the_data_of_the_source(self, lvm_type, kind):
        driver = self.driver(lvm_type)
        create = {'snapshot': driver.create_volume_from_snapshot,
                  'volume': driver.create_cloned_volume}[kind]
        data = os.urandom(8192)
        with open(self.group.path('source'), 'wb') as source:
            source.write(data)
        volumes = [{'id': str(number), 'name': 'volume-%d' % number, 'size': 1}
                   for number in range(CREATES)]
        with futures.ThreadPoolExecutor(CREATES) as pool:
            list(pool.map(create, volumes, CREATES * [
                {'id': 'source', 'name': 'source', 'size': 1,
                 'volume_size': 1}]))
        for volume in volumes:
            with open(self.group.path(volume['name']), 'rb') as stored:
                self.assertEqual(data, stored.read())
        self.assertEqual(CREATES + 1, len(os.listdir(
            os.path.dirname(self.group.path('')))), 'A temporary stays')
