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

"""A clone that fails while its source is being deleted."""

from cinder import exception
from cinder.tests.functional import concurrent_base
from cinder.tests.functional import copying_driver


class FailedCloneTestCase(concurrent_base.ConcurrentTestCase):

    def setUp(self):
        super().setUp()
        self.start_services()

    def test_the_source_stays_deleting(self):
        source = concurrent_base.Source(self, 'volume')

        def delete_source_and_fail(volume):
            source.delete()
            raise exception.MetadataCopyFailure(reason='no clone')

        copying_driver.CopyingDriver.gates[
            'create_from_source'] = delete_source_and_fail
        deletes = self.gate('delete_volume')
        volume = self.create_volume(**source.request)
        self.wait_for_status([volume], 'error')
        self.eventually(lambda: source.id in deletes.arrived,
                        'The delete does not run')
        self.assertEqual('deleting', source.status())
        deletes.open()
        self.eventually(source.is_gone, 'The delete does not end')
