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

from unittest import mock

import ddt

from cinder import service
from cinder.tests.unit import test


class Manager(mock.MagicMock):
    """A manager of any service."""

    RPC_API_VERSION = '1.0'
    additional_endpoints = ()
    availability_zone = 'nova'


@ddt.ddt
class ServiceStopTestCase(test.TestCase):
    """A service ends its requests before it gives up its locks."""

    def setUp(self):
        super().setUp()
        self.servers = []
        self.patch('cinder.rpc.get_server', side_effect=self.get_server)
        self.coordinator = self.patch('cinder.coordination.COORDINATOR')
        self.patch('cinder.db')
        self.service = service.Service(
            'host', 'binary', 'cinder-volume', Manager.__module__ + '.Manager',
            coordination=True, cluster='cluster')
        self.service.start()

    def get_server(self, *args):
        server = mock.Mock(spec_set=['start', 'stop', 'wait'])
        self.servers.append(server)
        return server

    def test_the_coordinator_stops_after_the_last_request(self):
        calls = mock.Mock()
        for number, server in enumerate(self.servers):
            calls.attach_mock(server.stop, 'stop%d' % number)
            calls.attach_mock(server.wait, 'wait%d' % number)
        calls.attach_mock(self.coordinator.stop, 'stop_coordinator')
        self.service.stop()
        names = [call[0] for call in calls.mock_calls]
        self.assertEqual(3, len(self.servers))
        self.assertEqual(
            ['stop0', 'stop1', 'stop2', 'wait0', 'wait1', 'wait2',
             'stop_coordinator'], names)

    @ddt.data('stop', 'wait')
    def test_the_coordinator_stops_although_requests_fail(self, method):
        getattr(self.servers[0], method).side_effect = ValueError
        self.service.stop()
        self.coordinator.stop.assert_called_once_with()

    def test_a_service_that_waits_before_it_starts_keeps_its_locks(self):
        """As the launcher of oslo.service does with eventlet."""
        self.service.wait()
        self.coordinator.stop.assert_not_called()
