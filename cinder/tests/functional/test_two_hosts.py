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

"""Creates on one host of a cluster, deletes of their source on another.

The test runs one host, and a process of its own is the other. They share the
database, the storage and the directory of the locks. Each has its own message
bus, so that the test chooses the host that a request gets to.
"""

import os

import ddt

from cinder.message import message_field
from cinder.tests.functional import concurrent_base
from cinder.tests.functional import service_process
from cinder.tests import line_process

KINDS = ('snapshot', 'volume')


@ddt.ddt
class TwoHostsTestCase(concurrent_base.ConcurrentTestCase):

    CLUSTER = service_process.ServiceProcess.CLUSTER
    WORKERS = 3

    def setUp(self):
        super().setUp()
        self.override_config('executor_thread_pool_size', self.WORKERS)
        self.other = line_process.LineProcess(
            service_process.__file__, self.coordination_url(), self.directory)
        self.addCleanup(self.other.kill)
        self.start_services()

    def assertAllSucceed(self, source, volumes):
        self.wait_for_status(volumes, 'available')
        self.assertEqual([source.checksum] * len(volumes),
                         [self.driver.checksum(volume) for volume in volumes])
        self.eventually(source.is_gone, 'The delete does not end')

    def assertRefused(self, volume, detail):
        self.wait_for_status([volume], 'error')
        self.assertEqual([], self.intervals('create_from_source'))
        self.eventually(lambda: detail[1] in self.user_messages(volume),
                        'The user is not told why')
        self.assertFalse(os.path.exists(self.driver.path_of(volume)))

    def late_create(self, source, kind):
        """Send a create that asks for its lock when the delete has begun.

        :returns: The id of the volume.
        """
        before_lock = self.gate_before_lock()
        volume = self.create_volume(**source.request)
        self.eventually(lambda: before_lock.arrived,
                        'The create does not reach the manager')
        self.other.do('count_on_locks')
        self.other.do('hold_delete', kind, source.id)
        before_lock.open()
        self.assertFalse(
            self.glimpse(lambda: self.status(volume) != 'creating'),
            'The create does not wait for the delete')
        return volume

    @ddt.data(*KINDS)
    def test_a_delete_waits_for_creates_on_another_host(self, kind):
        source = concurrent_base.Source(self, kind)
        creates = self.gate('create_from_source')
        volumes = self.create_volumes(self.WORKERS, **source.request)
        self.eventually(lambda: len(creates.arrived) == len(volumes),
                        'The creates do not run together')
        self.other.do('count_on_locks')
        self.other.do('delete_source', kind, source.id)
        self.eventually(
            lambda: source.is_closed_to_creates() or source.is_gone(),
            'The delete asks for no lock')
        creates.open()
        self.assertAllSucceed(source, volumes)

    @ddt.data(*KINDS)
    def test_a_delete_waits_for_turns_and_the_queue_of_another_host(
            self, kind):
        self.mock_object(type(self.driver),
                         'PARALLEL_CREATES_FROM_%s' % kind.upper(), False)
        source = concurrent_base.Source(self, kind)
        creates = self.gate('create_from_source')
        volumes = self.create_volumes(2 * self.WORKERS, **source.request)
        self.eventually(
            lambda: creates.arrived and all(
                self.api.get_volume(volume)['os-vol-host-attr:host']
                for volume in volumes),
            'The creates do not reach the queue of cinder-volume')
        self.other.do('delete_source', kind, source.id)
        self.eventually(
            lambda: source.is_closed_to_creates() or source.is_gone(),
            'The delete asks for no lock')
        creates.open()
        self.assertAllSucceed(source, volumes)
        self.assertEqual(1, self.driver.most_inside('create_from_source'))

    @ddt.data(*KINDS)
    def test_a_create_waits_for_a_delete_on_another_host(self, kind):
        source = concurrent_base.Source(self, kind)
        volume = self.late_create(source, kind)
        self.other.do('end_delete')
        self.assertRefused(volume, message_field.Detail.SOURCE_NOT_FOUND)
        self.eventually(source.is_gone, 'The delete does not end')

    @ddt.data(*KINDS)
    def test_a_create_is_refused_when_another_host_died_in_a_delete(
            self, kind):
        source = concurrent_base.Source(self, kind)
        volume = self.late_create(source, kind)
        self.other.kill()
        self.assertRefused(volume, message_field.Detail.SOURCE_NOT_USABLE)
        self.assertEqual('deleting', source.status())
