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

"""A ZooKeeper server."""

import os
import subprocess

import fixtures
from kazoo import client

from cinder.rwlock import zookeeper_session
from cinder.tests.functional.rwlock import server

JAR = '/usr/share/java/zookeeper.jar'
LOGGING = '/etc/zookeeper/conf'
USER = 'cinder'
PASSWORD = 'secret'

TIMEOUT = 3
"""Seconds without a word after which a session ends."""

TICK = 0.5
"""Seconds by which a session may end later."""

_CONFIGURATION = """
tickTime=%(tick)d
dataDir=%(folder)s
clientPort=%(port)d
clientPortAddress=127.0.0.1
maxClientCnxns=0
admin.enableServer=false
"""


class ZooKeeperServer(server.Server):
    """A ZooKeeper server whose data outlives a restart.

    Pifpaf's driver has ticks of two seconds, and so no session of less than
    four; hence a server of our own.
    """

    NAME = 'zookeeper'
    PROGRAMS = {'java': 'zookeeper', JAR: 'zookeeper'}

    def _setUp(self):
        memory = '/dev/shm' if os.path.isdir('/dev/shm') else None
        folder = self.useFixture(fixtures.TempDir(memory)).path
        configuration = os.path.join(folder, 'zoo.cfg')
        with open(configuration, 'w') as stream:
            stream.write(_CONFIGURATION % {
                'tick': TICK * 1000, 'folder': folder, 'port': self.port})
        self.addCleanup(self.kill)
        subprocess.Popen(
            [self.paths['java'], '-Xmx256m', '-XX:+UseSerialGC',
             '-XX:TieredStopAtLevel=1',
             '-cp', os.pathsep.join([LOGGING, JAR]),
             'org.apache.zookeeper.server.ZooKeeperServerMain', configuration],
            cwd=folder, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_until_ready()

    def url(self, port=None, more_hosts=''):
        """Return the coordination URL.

        :param int port: That of a proxy before the server; default is the
            server's own.
        :param str more_hosts: What follows the host in the URL.
        """
        return 'zookeeper://%s:%s@127.0.0.1:%d%s?timeout=%d' % (
            USER, PASSWORD, port or self.port, more_hosts, TIMEOUT)

    def wait_until_ready(self):
        """Wait until the server answers; it takes connections before."""
        super().wait_until_ready()
        kazoo = self.client()
        kazoo.stop()
        kazoo.close()

    def client(self, client_id=None):
        """Return a started KazooClient that looks into the server.

        :param client_id: The session that it takes over from another client.
        """
        kazoo = client.KazooClient(
            '127.0.0.1:%d' % self.port, timeout=TIMEOUT, client_id=client_id,
            auth_data=[('digest', '%s:%s' % (USER, PASSWORD))])
        kazoo.handler.select = zookeeper_session.patient(kazoo.handler.select)
        kazoo.start(server.PATIENCE)
        return kazoo
