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

"""Creates that lose the lock of their source before they end, on etcd."""

import base64
import os
import signal
from unittest import mock

import ddt
import tooz

from cinder import coordination
from cinder.message import message_field
from cinder.tests.functional import concurrent_base
from cinder.tests.functional.rwlock import etcd3_server
from cinder.tests.functional import service_process
from cinder.tests import line_process

KINDS = ('snapshot', 'volume')


class LostSourceLockTestCase(concurrent_base.ConcurrentTestCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = etcd3_server.Etcd3Server()
        cls.server.setUp()
        cls.addClassCleanup(cls.server.cleanUp)

    def coordination_url(self):
        """Return a URL with a lease that no test outlasts by accident."""
        return self.server.url() + '&timeout=30&lock_timeout=60'

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
        for lease in self.server.ask('/lease/leases', {})['leases']:
            self.server.ask('/lease/revoke', lease)

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


@ddt.ddt
class LockNotAcquiredTestCase(LostSourceLockTestCase):

    def setUp(self):
        super().setUp()
        self.start_services()

    @ddt.data(*KINDS)
    def test_a_create_that_gets_no_lock_is_not_rescheduled(self, kind):
        source = concurrent_base.Source(self, kind)
        with mock.patch.object(
                coordination.COORDINATOR, 'get_read_lock',
                side_effect=tooz.ToozError('down')) as get_lock:
            volume = self.create_volume(**source.request)
            self.wait_for_status([volume], 'error')
        self.assertEqual(1, get_lock.call_count)
        self.eventually(
            lambda: message_field.Detail.SOURCE_NOT_LOCKED[1]
            in self.user_messages(volume), 'The user is not told why')


class PausedServiceTestCase(LostSourceLockTestCase):

    def has_lock(self, name):
        """Return whether the server knows a lock of a name."""
        keys = self.server.ask('/kv/range', {
            'key': 'AA==', 'range_end': 'AA==', 'keys_only': True})
        return any(name.encode() in base64.b64decode(key['key'])
                   for key in keys.get('kvs', ()))

    def test_a_service_is_paused_for_longer_than_its_lease(self):
        service = line_process.LineProcess(
            service_process.__file__,
            self.server.url() + '&timeout=30&lock_timeout=10', self.directory)
        self.addCleanup(service.kill)
        name = service.do('make_source', 'snapshot')
        service.do('hold_create')
        self.assertTrue(self.has_lock(name))
        service.signal(signal.SIGSTOP)
        self.eventually(lambda: not self.has_lock(name),
                        'A paused service keeps its lock')
        coordination.COORDINATOR.start()
        self.addCleanup(coordination.COORDINATOR.stop)
        with coordination.COORDINATOR.get_write_lock(name):
            service.signal(signal.SIGCONT)
            self.assertLost(*service.do('end_create'))
