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

"""Creates from images whose image volume is evicted or deleted."""

import contextlib
import datetime
import hashlib
import io
import os
import threading
import types

import ddt
import fixtures
from oslo_utils import units

from cinder import context
from cinder.db import api as db_api
from cinder.image import cache
from cinder.image import image_utils
from cinder.tests.functional import concurrent_base
from cinder.tests.functional import copying_driver
from cinder.tests.unit import fake_constants as fake
from cinder.tests.unit.image import fake as fake_image
from cinder.volume.flows.manager import create_volume

CREATES = 8


class ImageVolumeTestCase(concurrent_base.ConcurrentTestCase):
    """An image in Cinder's own stand-in for Glance."""

    def setUp(self):
        super().setUp()
        fake_image.FakeImageService_reset()
        self.addCleanup(fake_image.FakeImageService_reset)
        fake_image.mock_image_service(self)
        data = os.urandom(copying_driver.PIECES * copying_driver.PIECE_SIZE)
        self.checksum = hashlib.sha256(data).hexdigest()
        self.images = fake_image.FakeImageService()
        self.image_id = self.images.create(None, {
            'name': 'image', 'status': 'active', 'visibility': 'private',
            'container_format': 'bare', 'disk_format': 'raw',
            'properties': {}, 'size': len(data), 'owner': fake.PROJECT_ID,
            'updated_at': datetime.datetime(2026, 1, 1)},
            io.BytesIO(data))['id']
        self.override_config('image_conversion_dir',
                             self.useFixture(fixtures.TempDir()).path)
        # Saves the test from needing qemu-img.
        self.mock_object(
            image_utils, 'qemu_img_info',
            lambda *args, **kwargs: types.SimpleNamespace(
                virtual_size=units.Gi))
        self.mock_object(
            image_utils.TemporaryImages, 'fetch',
            lambda *args, **kwargs: contextlib.nullcontext('image'))

    def use_image_volume_cache(self, **options):
        """Let services that are started from now on use the cache.

        :param options: Values other than those that it needs.
        """
        self.override_config('image_volume_cache_enabled',
                             options.pop('image_volume_cache_enabled', True),
                             group='backend_defaults')
        self.flags(**{'cinder_internal_tenant_project_id': fake.UUID1,
                      'cinder_internal_tenant_user_id': fake.UUID2,
                      **options})

    def create_from_image(self, **options):
        return self.create_volume(imageRef=self.image_id, **options)

    def outdate_image(self):
        self.images.update(None, self.image_id, {
            'updated_at': datetime.datetime(2026, 1, 2)})


@ddt.ddt
class ImageVolumeCacheTestCase(ImageVolumeTestCase):

    def setUp(self):
        super().setUp()
        self.use_image_volume_cache()
        self.start_services()
        first = self.create_from_image()
        self.wait_for_status([first], 'available')
        entry, = db_api.image_volume_cache_get_all(context.get_admin_context())
        self.cached = concurrent_base.Source(self, 'volume',
                                             entry['volume_id'])
        self.assertEqual(self.checksum, self.cached.checksum)
        del self.driver.journal[:]

    def evict(self):
        """Evict the entry with a create that finds it out of date."""
        self.outdate_image()
        self.evicting = self.create_from_image()

    def assertCopies(self, volumes):
        self.wait_for_status(volumes, 'available')
        self.assertEqual([self.checksum] * len(volumes),
                         [self.driver.checksum(volume) for volume in volumes])

    def test_an_entry_is_evicted_after_the_clones_of_it(self):
        clones = self.gate('create_from_source')
        volumes = [self.create_from_image() for _number in range(2)]
        self.eventually(lambda: len(clones.arrived) == len(volumes),
                        'The clones do not run together')
        self.assertWaitsForCreates(self.evict, 'delete_volume', clones,
                                   self.cached)
        self.assertCopies([*volumes, self.evicting])
        self.eventually(self.cached.is_gone, 'The eviction does not end')

    def test_an_entry_that_is_evicted_first_is_not_cloned(self):
        found = concurrent_base.Gate()
        self.addCleanup(found.open)
        get_entry = cache.ImageVolumeCache.get_entry
        clone = create_volume.CreateVolumeFromSpecTask._create_from_image_cache

        def find_and_wait(*args, **kwargs):
            entry = get_entry(*args, **kwargs)
            found(self.cached)
            return entry

        def clone_what_is_found(*args):
            self.mock_object(cache.ImageVolumeCache, 'get_entry',
                             find_and_wait)
            return clone(*args)

        self.mock_object(create_volume.CreateVolumeFromSpecTask,
                         '_create_from_image_cache', clone_what_is_found)
        volume = self.create_from_image()
        self.eventually(lambda: found.arrived, 'It does not find the entry')
        deletes = self.gate('delete_volume')
        self.cached.delete()
        self.eventually(lambda: deletes.arrived, 'The delete does not run')
        found.open()
        self.glimpse(lambda: self.intervals('create_from_source'))
        deletes.open()
        self.assertCopies([volume])
        self.assertEqual([volume], [
            interval.resource_id
            for interval in self.intervals('copy_image_to_volume')],
            'It was cloned from an entry that was being deleted')

    @ddt.data(True, False)
    def test_clones_of_one_entry_are_inside_the_driver_together(self,
                                                                declared):
        """Also with drivers whose creates from volumes take turns."""
        self.mock_object(type(self.driver), 'PARALLEL_CREATES_FROM_VOLUME',
                         declared)
        barrier = threading.Barrier(CREATES)

        def meet_the_others(volume):
            with contextlib.suppress(threading.BrokenBarrierError):
                barrier.wait(concurrent_base.PATIENCE / 2)

        self.driver.gates['create_from_source'] = meet_the_others
        volumes = [self.create_from_image() for _number in range(CREATES)]
        self.assertCopies(volumes)
        self.assertEqual(CREATES,
                         self.driver.most_inside('create_from_source'),
                         'Clones of one image volume wait for each other')


class ImageLocationTestCase(ImageVolumeTestCase):

    def setUp(self):
        super().setUp()
        self.override_config('allowed_direct_url_schemes', ['cinder'])
        self.start_services()

    def test_an_image_volume_is_deleted_after_the_clones_of_it(self):
        source = concurrent_base.Source(self, 'volume')
        self.mock_object(type(self.images), 'get_location',
                         lambda *args: ('cinder://' + source.id, []))
        clones = self.gate('create_from_source')
        volume = self.create_from_image()
        self.eventually(lambda: clones.arrived, 'The clone does not run')
        self.assertWaitsForCreates(source.delete, 'delete_volume', clones,
                                   source)
        self.wait_for_status([volume], 'available')
        self.assertEqual(source.checksum, self.driver.checksum(volume))

    def test_an_image_volume_that_cannot_be_locked_is_downloaded(self):
        source = concurrent_base.Source(self, 'volume')
        self.mock_object(type(self.images), 'get_location',
                         lambda *args: ('cinder://' + source.id, []))
        refused = self.refuse_lock(source.lock_name)
        volume = self.create_from_image()
        self.wait_for_status([volume], 'available')
        self.assertEqual([source.lock_name], refused)
        self.assertEqual(self.checksum, self.driver.checksum(volume))
        self.assertEqual([], self.intervals('create_from_source'))
