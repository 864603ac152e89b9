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

"""Creates that were accepted before the delete of their source.

There are fewer workers than creates, so most of them wait in the queue of
cinder-volume, or for their turn, when the API accepts the delete.
"""

import ddt

from cinder.tests.functional import concurrent_base

KINDS = ('snapshot', 'volume')


@ddt.ddt
class QueuedCreatesTestCase(concurrent_base.ConcurrentTestCase):

    WORKERS = 3
    CREATES = 9

    def setUp(self):
        super().setUp()
        self.override_config('executor_thread_pool_size', self.WORKERS)
        self.start_services()

    def hold_creates(self, source):
        """Send creates, and hold the first of them in the driver.

        :returns: The Gate that holds them, and the ids of the volumes.
        """
        gate = self.gate('create_from_source')
        volumes = self.create_volumes(self.CREATES, **source.request)
        self.eventually(
            lambda: gate.arrived and all(
                self.api.get_volume(volume)['os-vol-host-attr:host']
                for volume in volumes),
            'The creates do not reach the queue of cinder-volume')
        return gate, volumes

    def assertAllSucceed(self, source, volumes):
        self.wait_for_status(volumes, 'available')
        self.assertEqual([source.checksum] * len(volumes),
                         [self.driver.checksum(volume) for volume in volumes])
        self.eventually(source.is_gone, 'The delete does not end')

    @ddt.data(*KINDS)
    def test_creates_in_front_of_a_delete_succeed(self, kind):
        source = concurrent_base.Source(self, kind)
        gate, volumes = self.hold_creates(source)
        source.delete()
        self.assertEqual('deleting', source.status())
        gate.open()
        self.assertAllSucceed(source, volumes)

    @ddt.data(*KINDS)
    def test_creates_that_wait_for_their_turn_succeed(self, kind):
        self.mock_object(type(self.driver),
                         'PARALLEL_CREATES_FROM_%s' % kind.upper(), False)
        source = concurrent_base.Source(self, kind)
        gate, volumes = self.hold_creates(source)
        source.delete()
        self.assertEqual('deleting', source.status())
        gate.open()
        self.assertAllSucceed(source, volumes)
        self.assertEqual(1, self.driver.most_inside('create_from_source'))

    def test_creates_in_front_of_a_cascade_delete_succeed(self):
        source = concurrent_base.Source(self, 'snapshot')
        parent = self.api.get_snapshot(source.id)['volume_id']
        gate, volumes = self.hold_creates(source)
        self.api.api_delete('/volumes/%s?cascade=True' % parent)
        self.assertEqual('deleting', source.status())
        gate.open()
        self.assertAllSucceed(source, volumes)
        self.eventually(lambda: self.is_gone(self.api.get_volume, parent),
                        'The volume of the snapshot stays')
