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

"""Creates whose locks have a lease, on etcd.

Where etcd is not installed, the tests are skipped, unless the environment
variable ``CINDER_TEST_SERVERS`` says ``all``.
"""

import base64
import os
import shutil
import signal
import socket
import subprocess

import ddt
import fixtures
import requests

from cinder import coordination
from cinder.message import message_field
from cinder.tests.functional import concurrent_base
from cinder.tests.functional import service_process
from cinder.tests import line_process

KINDS = ('snapshot', 'volume')


def free_port():
    """Return a TCP port of the loopback interface that nobody uses."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class EtcdTestCase(concurrent_base.ConcurrentTestCase):
    """Real services with their locks on a server of their own."""

    LEASE = 60

    def setUp(self):
        if not (shutil.which('etcd') or
                os.environ.get('CINDER_TEST_SERVERS') == 'all'):
            self.skipTest('etcd is not installed')
        self.port = free_port()
        super().setUp()
        self.start_etcd()

    def start_etcd(self):
        """Start the server, and kill it at the end of the test."""
        client = 'http://127.0.0.1:%d' % self.port
        peer = 'http://127.0.0.1:%d' % free_port()
        server = subprocess.Popen(
            ['etcd', '--data-dir', self.useFixture(fixtures.TempDir()).path,
             '--listen-client-urls', client, '--advertise-client-urls', client,
             '--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer,
             '--initial-cluster', 'default=' + peer],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.eventually(self.is_ready, 'etcd does not start')

    def is_ready(self):
        """Return whether the server answers."""
        try:
            return self.ask('/kv/range', {'key': 'YQ=='})
        except requests.RequestException:
            return False

    def coordination_url(self):
        return self.url(self.LEASE)

    def url(self, lease):
        """Return a coordination URL.

        :param int lease: How long the locks of a dead process are kept, in
            seconds.
        """
        return 'etcd3+http://127.0.0.1:%d?lock_timeout=%d' % (self.port, lease)

    def ask(self, path, request):
        """Ask the server directly, and return its answer.

        :param str path: Of the request, below ``/v3``.
        :param dict request: The request.
        """
        response = requests.post(
            'http://127.0.0.1:%d/v3%s' % (self.port, path), json=request,
            timeout=concurrent_base.PATIENCE)
        response.raise_for_status()
        return response.json()

    def locks(self, name):
        """Return the keys of the locks of a name, as the server has them."""
        found = self.ask('/kv/range', {'key': 'AA==', 'range_end': 'AA=='})
        return [key for key in found.get('kvs', ())
                if name.encode() in base64.b64decode(key['key'])]


@ddt.ddt
class GracefulStopTestCase(EtcdTestCase):

    LEASE = 3

    def outlive_lease(self):
        """Wait for longer than a lock is kept that nobody renews."""
        lease = self.ask('/lease/grant', {'TTL': self.LEASE + 2})['ID']
        self.eventually(
            lambda: int(self.ask('/lease/timetolive',
                                 {'ID': lease}).get('TTL', -1)) < 0,
            'A lease does not end')

    @ddt.data(*KINDS)
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
        self.outlive_lease()
        self.assertNotEqual([], self.locks(source.lock_name),
                            'The source of a create has no lock')
        self.assertFalse(stopping.done())
        creates.open()
        stopping.result()
        self.wait_for_status([volume], 'available')
        self.assertEqual(source.checksum, self.driver.checksum(volume))
        self.assertFalse(coordination.COORDINATOR.started)

    @ddt.data(*KINDS)
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


class LostSourceLockTestCase(EtcdTestCase):

    def assertLost(self, statuses, messages):
        self.assertEqual('error', statuses[-1])
        self.assertNotIn('available', statuses)
        self.assertIn(message_field.Detail.SOURCE_LOCK_LOST[1], messages)


@ddt.ddt
class RevokedLeaseTestCase(LostSourceLockTestCase):

    def setUp(self):
        super().setUp()
        self.start_services()

    def revoke_leases(self):
        for lease in self.ask('/lease/leases', {})['leases']:
            self.ask('/lease/revoke', lease)

    @ddt.data(*KINDS)
    def test_a_lease_is_revoked_in_mid_create(self, kind):
        source = concurrent_base.Source(self, kind)
        statuses = self.record_statuses()
        creates = self.gate('create_from_source')
        volume = self.create_volume(**source.request)
        self.eventually(lambda: creates.arrived, 'The create does not run')
        self.assertTrue(source.is_read())
        self.revoke_leases()
        creates.open()
        self.wait_for_status([volume], 'error')
        self.assertLost(statuses[volume], self.user_messages(volume))
        self.assertTrue(os.path.exists(self.driver.path_of(volume)))
        self.api.delete_volume(volume)
        self.eventually(lambda: self.is_gone(self.api.get_volume, volume),
                        'The volume cannot be deleted')

    def test_a_create_that_keeps_its_lock_ends_well(self):
        source = concurrent_base.Source(self, 'snapshot')
        volume = self.create_volume(**source.request)
        self.wait_for_status([volume], 'available')


class PausedServiceTestCase(LostSourceLockTestCase):

    def test_a_service_is_paused_for_longer_than_its_lease(self):
        service = line_process.LineProcess(
            service_process.__file__, self.url(10), self.directory)
        self.addCleanup(service.kill)
        name = service.do('make_source', 'snapshot')
        service.do('hold_create')
        self.assertNotEqual([], self.locks(name))
        service.signal(signal.SIGSTOP)
        self.eventually(lambda: not self.locks(name),
                        'A paused service keeps its lock')
        here = coordination.COORDINATOR
        here.start()
        self.addCleanup(here.stop)
        with here.get_lock(name):
            service.signal(signal.SIGCONT)
            self.assertLost(*service.do('end_create'))
