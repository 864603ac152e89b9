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

"""Sources that are reverted or reimaged during creates from them."""

import ddt

from cinder import context
from cinder import objects
from cinder.tests.functional import concurrent_base
from cinder.tests.functional import copying_driver
from cinder.tests.unit.image import fake as fake_image


@ddt.ddt
class RevertedSourceTestCase(concurrent_base.ConcurrentTestCase):

    def setUp(self):
        super().setUp()
        self.start_services()

    def revert(self):
        self.api.api_post(
            '/volumes/%s/action' % self.snapshot_of,
            {'revert': {'snapshot_id': self.snapshot.id}})

    def sources(self):
        """Make a snapshot of a volume that has changed since."""
        self.snapshot = concurrent_base.Source(self, 'snapshot')
        self.snapshot_of = self.api.get_snapshot(
            self.snapshot.id)['volume_id']
        path = self.driver.path_of(self.snapshot_of)
        with open(path, 'r+b') as stored:
            stored.write(bytes(copying_driver.PIECE_SIZE))
        volume = concurrent_base.Source(self, 'volume', self.snapshot_of)
        self.assertNotEqual(volume.checksum, self.snapshot.checksum)
        return {'snapshot': self.snapshot, 'volume': volume}

    @ddt.data('snapshot', 'volume')
    def test_a_revert_waits_for_the_creates_before_it(self, kind):
        sources = self.sources()
        source = sources[kind]
        creates = self.gate('create_from_source')
        volume = self.create_volume(**source.request)
        self.eventually(lambda: creates.arrived, 'The create does not run')
        self.assertWaitsForCreates(self.revert, 'revert_to_snapshot', creates,
                                   source)
        self.wait_for_status([volume], 'available')
        self.assertEqual(source.checksum, self.driver.checksum(volume))
        self.eventually(lambda: sources['volume'].status() == 'available',
                        'The revert does not end')
        self.assertEqual(self.snapshot.checksum,
                         self.driver.checksum(self.snapshot_of))

    def test_a_create_waits_for_a_revert_that_failed_and_is_refused(self):
        source = self.sources()['volume']
        before_lock = self.gate_before_lock()
        volume = self.create_volume(**source.request)
        self.eventually(lambda: before_lock.arrived,
                        'The create does not reach the manager')

        def fail(resource):
            before_lock.open()
            self.glimpse(lambda: self.intervals('create_from_source'))
            raise ValueError('half-way')

        copying_driver.CopyingDriver.gates['revert_to_snapshot'] = fail
        self.revert()
        self.wait_for_status([volume], 'error')
        self.assertEqual([], self.intervals('create_from_source'))


class ReimagedSourceTestCase(concurrent_base.ConcurrentTestCase):

    def setUp(self):
        super().setUp()
        fake_image.mock_image_service(self)
        self.start_services()

    def reimage(self, source, **image):
        volume = objects.Volume.get_by_id(context.get_admin_context(),
                                          source.id)
        volume.previous_status = volume.status
        return self.in_thread(self.manager.reimage,
                              context.get_admin_context(), volume, **image)

    def test_the_snapshot_of_a_reimage_is_read(self):
        """It is copied through a temporary volume."""
        source = concurrent_base.Source(self, 'snapshot')
        copies = self.gate('create_from_source')
        target = concurrent_base.Source(self, 'volume')
        self.reimage(target, image_meta={}, image_snap=objects.Snapshot.
                     get_by_id(context.get_admin_context(), source.id))
        self.eventually(lambda: copies.arrived, 'The copy does not run')
        self.assertTrue(source.is_read(), 'The snapshot can be deleted')

    def test_a_reimage_waits_for_the_clones_before_it(self):
        source = concurrent_base.Source(self, 'volume')
        clones = self.gate('create_from_source')
        volume = self.create_volume(**source.request)
        self.eventually(lambda: clones.arrived, 'The clone does not run')
        self.assertWaitsForCreates(
            lambda: self.reimage(source, image_meta={'id': 'image'}),
            'copy_image_to_volume', clones, source)
        self.wait_for_status([volume], 'available')
        self.assertEqual(source.checksum, self.driver.checksum(volume))
