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

"""cinder-volume is stopped while it creates volumes, with locks on etcd."""

import base64

import ddt

from cinder import coordination
from cinder.tests.functional import concurrent_base
from cinder.tests.functional.rwlock import etcd3_server


@ddt.ddt
class GracefulStopTestCase(concurrent_base.ConcurrentTestCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = etcd3_server.Etcd3Server()
        cls.server.setUp()
        cls.addClassCleanup(cls.server.cleanUp)

    def coordination_url(self):
        return self.server.url()

    def locks(self, name):
        """Return the keys of the locks of a name, as the server has them."""
        found = self.server.ask('/kv/range', {'key': 'AA==',
                                              'range_end': 'AA=='})
        return [key for key in found.get('kvs', ())
                if name.encode() in base64.b64decode(key['key'])]

    def outlive_lease(self, name):
        """Wait until the lease of a lock was renewed twice, or it is gone.

        :returns: Whether the lock is there.
        """
        renewals, before = 0, None
        while renewals < 2:
            keys = self.locks(name)
            if not keys:
                return False
            left = int(self.server.ask(
                '/lease/timetolive', {'ID': keys[0]['lease']}).get('TTL', -1))
            renewals += before is not None and left > before
            before = left
        return True

    @ddt.data('snapshot', 'volume')
    def test_a_create_keeps_its_lock_to_its_end(self, kind):
        self.start_services()
        source = concurrent_base.Source(self, kind)
        creates = self.gate('create_from_source')
        volume = self.create_volume(**source.request)
        self.eventually(lambda: creates.arrived, 'The create does not run')
        stopping = self.in_thread(self.service.stop)
        self.eventually(
            lambda: not self.service.rpcserver._started or stopping.done(),
            'It does not stop')
        self.assertTrue(self.outlive_lease(source.lock_name),
                        'The source of a create has no lock')
        self.assertFalse(stopping.done())
        creates.open()
        stopping.result()
        self.wait_for_status([volume], 'available')
        self.assertEqual(source.checksum, self.driver.checksum(volume))
        self.assertFalse(coordination.COORDINATOR.started)

    @ddt.data('snapshot', 'volume')
    def test_creates_that_wait_for_a_worker_end_well(self, kind):
        self.override_config('executor_thread_pool_size', 1)
        self.start_services()
        source = concurrent_base.Source(self, kind)
        creates = self.gate('create_from_source')
        volumes = self.create_volumes(3, **source.request)
        self.eventually(lambda: creates.arrived, 'No create runs')
        for volume in volumes:
            self.eventually(
                lambda: self.api.get_volume(volume).get(
                    'os-vol-host-attr:host'), 'It is not scheduled')
        stopping = self.in_thread(self.service.stop)
        self.eventually(
            lambda: not self.service.rpcserver._started or stopping.done(),
            'It does not stop')
        creates.open()
        stopping.result()
        self.wait_for_status(volumes, 'available')
