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

"""Creates that cinder-volume starts itself, without a request_spec."""

from cinder import context
from cinder import objects
from cinder.tests.functional import concurrent_base
from cinder.tests.unit import fake_constants as fake


class CreateWithoutRequestTestCase(concurrent_base.ConcurrentTestCase):

    def setUp(self):
        super().setUp()
        self.start_services()

    def test_a_volume_is_not_deleted_while_it_is_cloned_for_an_image(self):
        source = concurrent_base.Source(self, 'volume')
        clones = self.gate('create_from_source')
        admin = context.get_admin_context()
        volume = objects.Volume.get_by_id(admin, source.id)
        clone = self.in_thread(self.manager._clone_image_volume, admin,
                               volume, {'id': fake.IMAGE_ID})
        self.eventually(lambda: clones.arrived, 'The clone does not run')
        self.assertWaitsForCreates(source.delete, source.delete_operation,
                                   clones, source)
        self.assertEqual(source.checksum,
                         self.driver.checksum(clone.result().id))
