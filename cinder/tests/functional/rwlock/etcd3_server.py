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

"""An etcd server, one with TLS, and a cluster of three."""

import os
import socket
import subprocess
import time

import fixtures
from pifpaf.drivers import etcd
import requests

from cinder.tests.functional.rwlock import server

OPTIONS = 'timeout=2&lock_timeout=3'

MEMORY = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
"""Where etcd, which syncs every write, does not wait for a disk."""


class Etcd3Server(server.Server):
    """An etcd server that keeps its data when it restarts."""

    NAME = 'etcd3'
    PROGRAMS = {'etcd': 'etcd-server', 'etcdctl': 'etcd-client'}
    SCHEME = 'http'

    def _setUp(self):
        self._requests = requests.Session()
        self.addCleanup(self._requests.close)
        self.start()
        self.addCleanup(self.kill)
        self.wait_until_ready()

    def start(self):
        """Start the server."""
        self.useFixture(etcd.EtcdDriver(
            port=self.port, peer_port=server.free_port(), tmp_rootdir=MEMORY))

    def url(self, port=None):
        return 'etcd3+%s://127.0.0.1:%d?%s' % (
            self.SCHEME, port or self.port, OPTIONS)

    def ask(self, path, request):
        """Ask the server directly, and return its answer.

        :param str path: Of the request, below ``/v3``.
        :param dict request: The request.
        """
        response = self._requests.post(
            '%s://127.0.0.1:%d/v3%s' % (self.SCHEME, self.port, path),
            json=request, timeout=server.PATIENCE)
        response.raise_for_status()
        return response.json()

    def wait_until_ready(self):
        deadline = time.monotonic() + server.PATIENCE
        while True:
            try:
                self.ask('/kv/range', {'key': 'YQ=='})
                return
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


class Etcd3TLSServer(Etcd3Server):
    """An etcd server that talks TLS, with a certificate of its own.

    :ivar str certificate: The path of the certificate, which signs itself.
    """

    PROGRAMS = {**Etcd3Server.PROGRAMS, 'openssl': 'openssl'}
    SCHEME = 'https'

    def start(self):
        folder = self.useFixture(fixtures.TempDir(MEMORY)).path
        self.certificate = os.path.join(folder, 'certificate.pem')
        self._requests.verify = self.certificate
        for variable in ('REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'):
            # These come before what a session or a coordination URL says.
            self.useFixture(fixtures.EnvironmentVariable(variable))
        key = os.path.join(folder, 'key.pem')
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
             'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1',
             '-subj', '/CN=etcd', '-addext', 'subjectAltName=IP:127.0.0.1',
             '-keyout', key, '-out', self.certificate],
            check=True, stdin=subprocess.DEVNULL, capture_output=True)
        client_url = 'https://127.0.0.1:%d' % self.port
        process = subprocess.Popen(
            ['etcd', '--data-dir', os.path.join(folder, 'data'),
             '--cert-file', self.certificate, '--key-file', key,
             '--listen-client-urls', client_url,
             '--advertise-client-urls', client_url,
             '--listen-peer-urls',
             'http://127.0.0.1:%d' % server.free_port()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def url(self, port=None):
        return '%s&ca_cert=%s' % (super().url(port), self.certificate)


class Etcd3Cluster(Etcd3Server):
    """Three etcd servers; ``port`` is that of the first.

    :ivar members: A server.Server for each of them.
    """

    def start(self):
        self.port = _free_ports(6)
        self.useFixture(etcd.EtcdDriver(port=self.port, cluster=True,
                                        tmp_rootdir=MEMORY))
        self.members = [Etcd3Server() for _number in range(3)]
        for number, member in enumerate(self.members):
            member.port = self.port + 2 * number
            member._requests = self._requests

    def processes(self):
        return [process for member in self.members
                for process in member.processes()]

    def resume(self):
        super().resume()
        # They may have to elect a leader first.
        self.wait_until_ready()

    def wait_until_ready(self):
        for member in self.members:
            member.wait_until_ready()

    def leader(self):
        """Return the member that leads the others."""
        for member in self.members:
            status = member.ask('/maintenance/status', {})
            if status['leader'] == status['header']['member_id']:
                return member
        raise RuntimeError('The cluster has no leader')


def _free_ports(number):
    """Return the first of so many free ports in a row."""
    while True:
        first = server.free_port()
        try:
            for port in range(first, first + number):
                socket.create_server(('127.0.0.1', port)).close()
            return first
        except (OSError, OverflowError):
            continue
