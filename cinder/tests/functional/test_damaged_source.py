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

"""Creates from a source that is damaged before they acquire its lock."""

import os

import ddt

from cinder import context
from cinder import exception
from cinder.message import message_field
from cinder import objects
from cinder.tests.functional import concurrent_base
from cinder.tests.functional import copying_driver
from cinder.volume import manager

KINDS = ('snapshot', 'volume')


@ddt.ddt
class DamagedSourceTestCase(concurrent_base.ConcurrentTestCase):

    def setUp(self):
        super().setUp()
        self.start_services()

    def late_create(self, source, damage):
        """Damage a source just before a create from it acquires its lock.

        :param damage: A function that damages the source.
        """
        before_lock = self.gate_before_lock()
        volume = self.create_volume(**source.request)
        self.eventually(lambda: before_lock.arrived,
                        'The create does not reach the manager')
        damage()
        before_lock.open()
        self.assertRefused(volume)

    def assertRefused(self, volume):
        self.wait_for_status([volume], 'error')
        self.assertEqual([], self.intervals('create_from_source'))
        self.assertIn(message_field.Detail.SOURCE_NOT_USABLE[1],
                      self.user_messages(volume))

    @ddt.data(*KINDS)
    def test_a_delete_that_failed_half_way(self, kind):
        source = concurrent_base.Source(self, kind)

        def fail_half_way(resource):
            with open(self.driver.path_of(resource.id), 'r+b') as stored:
                stored.write(bytes(copying_driver.PIECE_SIZE))
            raise exception.VolumeDriverException(message='half-way')

        def fail_to_delete():
            copying_driver.CopyingDriver.gates[
                source.delete_operation] = fail_half_way
            source.delete()
            self.eventually(lambda: source.status() == 'error_deleting',
                            'The delete does not fail')

        self.late_create(source, fail_to_delete)
        self.assertTrue(os.path.exists(self.driver.path_of(source.id)))

    @ddt.data(('snapshot', 'deleting'), ('snapshot', 'unmanaging'),
              ('volume', 'deleting'), ('volume', 'downloading'),
              ('volume', 'maintenance'), ('volume', 'restoring-backup'),
              ('volume', 'retyping'), ('volume', 'reverting'))
    @ddt.unpack
    def test_what_a_crash_has_cut(self, kind, status):
        source = concurrent_base.Source(self, kind)

        def crash():
            resource = self.resource(source, status)
            manager.source_state.begun(resource).__enter__()
            with open(self.driver.path_of(source.id), 'r+b') as stored:
                stored.write(bytes(copying_driver.PIECE_SIZE))

        self.late_create(source, crash)

    @ddt.data(('snapshot', 'deleting'), ('volume', 'deleting'),
              ('volume', 'retyping'), ('volume', 'reverting'))
    @ddt.unpack
    def test_what_was_accepted_and_has_not_begun(self, kind, status):
        source = concurrent_base.Source(self, kind)
        before_lock = self.gate_before_lock()
        volume = self.create_volume(**source.request)
        self.eventually(lambda: before_lock.arrived,
                        'The create does not reach the manager')
        self.resource(source, status)
        before_lock.open()
        self.wait_for_status([volume], 'available')
        self.assertEqual(source.checksum, self.driver.checksum(volume))

    def resource(self, source, status):
        """Return the object of a source, in a status as the API sets it."""
        kind = {'delete_snapshot': objects.Snapshot,
                'delete_volume': objects.Volume}[source.delete_operation]
        resource = kind.get_by_id(context.get_admin_context(), source.id)
        resource.status = status
        resource.save()
        return resource
