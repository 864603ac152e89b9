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

"""Volumes that are migrated or retyped while others are cloned from them.

There is one backend, to which the volumes are migrated as well. The tests
call the methods of its manager as RPC would.
"""

import ddt

from cinder import context
from cinder import objects
from cinder.tests.functional import concurrent_base
from cinder.tests.unit import utils
from cinder.volume import manager

WORKERS = 4


@ddt.ddt
class MigratedSourceTestCase(concurrent_base.ConcurrentTestCase):

    def setUp(self):
        super().setUp()
        self.override_config('executor_thread_pool_size', WORKERS)
        self.override_config('rpc_response_timeout', concurrent_base.PATIENCE)
        self.start_services()
        self.admin = context.get_admin_context()
        self.source = concurrent_base.Source(self, 'volume')

    def volume(self):
        return objects.Volume.get_by_id(self.admin, self.source.id)

    def clone(self):
        """Send a create from the source and hold it in the driver."""
        clones = self.gate('create_from_source')
        self.clone_id = self.create_volume(**self.source.request)
        self.eventually(lambda: clones.arrived, 'The clone does not run')
        return clones

    def assertCloned(self):
        self.wait_for_status([self.clone_id], 'available')
        self.assertEqual(self.source.checksum,
                         self.driver.checksum(self.clone_id))
        self.assertEqual(self.source.checksum,
                         self.driver.checksum(self.volume().name_id))

    def complete(self, previous_status='available'):
        """Complete a generic migration after its data was copied.

        :returns: The future of the call.
        """
        volume = self.volume()
        volume.previous_status = previous_status
        volume.save()
        target = utils.create_volume(
            self.admin, host=volume.host, status='available', size=1,
            migration_status='target:' + volume.id,
            availability_zone=volume.availability_zone,
            volume_type_id=volume.volume_type_id)
        self.driver._copy(target.id, volume.name_id)
        return self.in_thread(self.manager.migrate_volume_completion,
                              self.admin, volume, target)

    @ddt.data('available', 'in-use')
    def test_old_storage_is_deleted_after_the_clones_of_it(self, status):
        clones = self.clone()
        self.assertWaitsForCreates(lambda: self.complete(status),
                                   'delete_volume', clones, self.source)
        self.assertCloned()

    @ddt.data('available', 'in-use')
    def test_the_storage_of_an_earlier_migration_is_no_other(self, status):
        self.complete().result(concurrent_base.PATIENCE)
        self.eventually(lambda: self.intervals('delete_volume'),
                        'The old storage is not deleted')
        self.assertNotEqual(self.source.id, self.volume().name_id)
        del self.driver.journal[:]
        clones = self.clone()
        self.assertWaitsForCreates(lambda: self.complete(status),
                                   'delete_volume', clones, self.source)
        self.assertCloned()

    def test_nova_does_not_wait_for_clones(self):
        clones = self.clone()
        self.complete('in-use').result(concurrent_base.PATIENCE)
        self.assertEqual([], self.intervals('delete_volume'))
        clones.open()
        self.eventually(lambda: self.intervals('delete_volume'),
                        'The old storage is not deleted')
        self.assertCloned()

    def test_a_clone_waits_for_the_delete_of_old_storage(self):
        """With some drivers its name is that of the migrated volume."""
        deletes = self.gate('delete_volume')
        self.complete().result(concurrent_base.PATIENCE)
        self.eventually(lambda: deletes.arrived, 'The delete does not run')
        self.assertTrue(self.source.is_closed_to_creates())
        deletes.open()
        self.eventually(lambda: not self.source.is_closed_to_creates(),
                        'The source stays closed')

    def test_waiting_clones_leave_a_completion_its_worker(self):
        # Else the completion would let them go first.
        self.wait_for_locks_alone()
        clones = self.clone()
        done = self.complete()
        self.eventually(self.source.is_closed_to_creates,
                        'The completion does not wait for the clone')
        before_lock = self.gate_before_lock()
        late = self.create_volumes(2 * WORKERS, **self.source.request)
        self.eventually(
            lambda: len(before_lock.arrived) == WORKERS - 1,
            'The clones do not take the other workers')
        before_lock.open()
        clones.open()
        done.result(concurrent_base.PATIENCE)
        self.wait_for_status(late, 'available')
        self.assertEqual('success', self.volume().migration_status)
        self.assertEqual([self.source.checksum] * len(late),
                         [self.driver.checksum(clone) for clone in late])
        self.assertCloned()

    def test_a_driver_migrates_after_the_clones(self):
        clones = self.clone()
        volume = self.volume()
        self.assertWaitsForCreates(
            lambda: self.in_thread(self.manager.migrate_volume, self.admin,
                                   volume, {'host': volume.host}),
            'migrate_volume', clones, self.source)
        self.assertCloned()

    def new_type(self):
        type_id = self.api.create_type('type')['id']
        self.api.create_volume_type_extra_specs(type_id, {'key': 'value'})
        return type_id

    def retype(self):
        volume = self.volume()
        volume.previous_status = volume.status
        volume.save()
        return self.in_thread(
            self.manager.retype, self.admin, volume, self.new_type(),
            {'host': volume.host}, migration_policy='on-demand')

    @ddt.data('snapshot', 'volume')
    def test_a_driver_retypes_after_the_creates(self, kind):
        source = self.source
        if kind == 'snapshot':
            source = concurrent_base.Source(self, 'snapshot')
            self.source = concurrent_base.Source(
                self, 'volume', self.api.get_snapshot(source.id)['volume_id'])
        creates = self.gate('create_from_source')
        self.clone_id = self.create_volume(**source.request)
        self.eventually(lambda: creates.arrived, 'The create does not run')
        self.assertWaitsForCreates(self.retype, 'retype', creates, source)
        self.assertCloned()

    def test_a_retype_that_has_to_migrate_does_not_wait_for_itself(self):
        self.mock_object(type(self.driver), 'retype', lambda *args: False)
        # Copies the data without attaching the volumes.
        self.mock_object(
            manager.VolumeManager, '_copy_volume_data',
            lambda _manager, _context, source, target, **kwargs:
            self.driver._copy(target.name_id, source.name_id))
        self.retype().result(concurrent_base.PATIENCE)
        self.eventually(lambda: self.intervals('delete_volume'),
                        'The old storage is not deleted')
        self.assertEqual('available', self.source.status())
        self.assertEqual(self.source.checksum,
                         self.driver.checksum(self.volume().name_id))
