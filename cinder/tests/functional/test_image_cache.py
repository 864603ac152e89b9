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

"""One create downloads an image into the cache; the others are cloned."""

import contextlib
import threading

import ddt
from oslo_config import cfg

from cinder.common import constants
from cinder import context
from cinder import coordination
from cinder.db import api as db_api
from cinder import exception
from cinder import service
from cinder.tests.functional import test_image_volumes
from cinder.volume import driver

CONF = cfg.CONF
CREATES = 8


class ImageCacheTestCase(test_image_volumes.ImageVolumeTestCase):

    def setUp(self):
        super().setUp()
        self.use_image_volume_cache()
        self.start_services()

    def start_another_service(self, host, backend, cluster=None):
        another = service.Service.create(
            host='%s@%s' % (host, backend), service_name=backend,
            binary=constants.VOLUME_BINARY, coordination=True,
            cluster=cluster)
        another.start()
        self.addCleanup(another.wait)
        self.addCleanup(another.stop)

    def record_creates(self):
        """Record each create that is about to look for the image.

        :returns: A list that gets the id of the volume and the host.
        """
        creates = []

        def record(volume_driver, ctxt, volume, *args):
            creates.append((volume.id, volume_driver.host))
            return None, False

        self.mock_object(type(self.driver), 'clone_image', record)
        return creates

    def hold_download(self, download=lambda: None):
        """Send creates, and hold the download until all look for the image.

        :param download: A function that is called inside each download.
        :returns: The id of the volume whose create downloads the image, and
            the ids of the others.
        """
        gate = self.gate('copy_image_to_volume')

        def wait_and_download(volume):
            gate(volume)
            download()

        self.driver.gates['copy_image_to_volume'] = wait_and_download
        creates = self.record_creates()
        volumes = [self.create_from_image() for _number in range(CREATES)]
        self.eventually(lambda: len(creates) == CREATES and gate.arrived,
                        'The image is not downloaded')
        gate.open()
        first = gate.arrived[0]
        volumes.remove(first)
        return first, volumes

    def assertDownloaded(self, count, volumes):
        """Assert that volumes have the image, and how often it was read."""
        self.wait_for_status(volumes, 'available')
        self.assertEqual({self.checksum},
                         {self.driver.checksum(volume) for volume in volumes})
        self.assertEqual(count, len(self.intervals('copy_image_to_volume')),
                         'Creates do not wait for the image')
        self.assertEqual(1, self.driver.most_inside('copy_image_to_volume'))


class OneBackendTestCase(ImageCacheTestCase):

    def test_one_create_downloads_and_the_others_are_cloned_together(self):
        barrier = threading.Barrier(CREATES - 1)
        self.addCleanup(barrier.abort)

        def meet_the_others(volume):
            if volume.project_id != CONF.cinder_internal_tenant_project_id:
                with contextlib.suppress(threading.BrokenBarrierError):
                    barrier.wait()

        self.driver.gates['create_from_source'] = meet_the_others
        first, others = self.hold_download()
        self.assertDownloaded(1, [first, *others])
        self.assertEqual(CREATES - 1,
                         self.driver.most_inside('create_from_source'))

    def test_one_create_downloads_again_after_a_failure(self):
        failures = [exception.ImageCopyFailure(reason='It fails once')]

        def fail_once():
            while failures:
                raise failures.pop()

        first, others = self.hold_download(fail_once)
        self.wait_for_status([first], 'error')
        self.assertDownloaded(2, others)

    def test_one_create_downloads_an_image_that_was_updated(self):
        self.assertDownloaded(1, [self.create_from_image()])
        del self.driver.journal[:]
        self.outdate_image()
        first, others = self.hold_download()
        self.assertDownloaded(1, [first, *others])

    def test_one_create_downloads_when_a_snapshot_limit_is_reached(self):
        self.assertDownloaded(1, [self.create_from_image()])
        entry, = self.entries()
        first = []

        def reach_the_limit(volume):
            if not first:
                first.append(volume.id)
                raise exception.SnapshotLimitReached(set_limit=1)

        self.driver.gates['create_from_source'] = reach_the_limit
        volume = self.create_from_image()
        self.assertDownloaded(2, [volume])
        self.assertEqual([volume], first)
        self.assertNotIn(entry, self.entries())
        self.assertEqual(1, len(self.entries()))

    def entries(self):
        return [entry['volume_id'] for entry in
                db_api.image_volume_cache_get_all(context.get_admin_context())]


class TwoHostsTestCase(ImageCacheTestCase):

    CLUSTER = 'cluster'

    def test_a_cluster_downloads_an_image_once(self):
        self.start_another_service('another-host', self.BACKEND,
                                   cluster='cluster@' + self.BACKEND)
        downloads = self.gate('copy_image_to_volume')
        creates = self.record_creates()
        volumes = []

        def both_hosts_create():
            if len(creates) == len(volumes):
                volumes.append(self.create_from_image())
            return len({host for _volume, host in creates}) == 2

        self.eventually(both_hosts_create, 'One host creates all volumes')
        self.glimpse(lambda: len(downloads.arrived) > 1)
        downloads.open()
        self.assertDownloaded(1, volumes)


class TwoBackendsTestCase(ImageCacheTestCase):

    OTHER = 'another'

    def setUp(self):
        for backend in (self.BACKEND, self.OTHER):
            CONF.register_opts(driver.volume_opts, group=backend)
        super().setUp()
        self.start_another_service(CONF.host, self.OTHER)

    def start_services(self):
        for backend in (self.BACKEND, self.OTHER):
            self.override_config('volume_backend_name', backend,
                                 group=backend)
        super().start_services()

    def test_backends_do_not_wait_for_each_other(self):
        downloads = self.gate('copy_image_to_volume')
        volumes = []
        for backend in (self.BACKEND, self.OTHER):
            type_id = self.api.create_type(backend)['id']
            self.api.create_volume_type_extra_specs(
                type_id, {'volume_backend_name': backend})
            volumes.append(self.create_from_image(volume_type=type_id))
        self.eventually(lambda: len(downloads.arrived) == 2,
                        'A backend waits for the download of another')
        downloads.open()
        self.wait_for_status(volumes, 'available')
        self.assertEqual([self.checksum] * 2,
                         [self.driver.checksum(volume) for volume in volumes])


@ddt.ddt
class ImageLockTestCase(test_image_volumes.ImageVolumeTestCase):

    def locks_of_a_create(self):
        """Return the names of the locks of the image that a create takes."""
        names = []
        get_lock = coordination.COORDINATOR.get_lock

        def record_and_get(name):
            names.append(name)
            return get_lock(name)

        self.mock_object(coordination.COORDINATOR, 'get_lock', record_and_get)
        self.wait_for_status([self.create_from_image()], 'available')
        return [name for name in names if self.image_id in name]

    def test_a_cached_image_is_not_locked(self):
        self.use_image_volume_cache()
        self.start_services()
        self.wait_for_status([self.create_from_image()], 'available')
        self.assertEqual([], self.locks_of_a_create())

    @ddt.data({'image_volume_cache_enabled': False},
              {'cinder_internal_tenant_project_id': None},
              {'cinder_internal_tenant_user_id': None})
    def test_an_image_that_cannot_be_cached_is_not_locked(self, options):
        self.use_image_volume_cache(**options)
        self.start_services()
        self.assertEqual([], self.locks_of_a_create())
