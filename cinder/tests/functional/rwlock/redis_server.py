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

"""A Redis server, and one with a replica and a sentinel."""

import subprocess
import time

from pifpaf.drivers import redis as pifpaf_redis
import redis

from cinder.tests.functional.rwlock import server

PASSWORD = 'secret'
OPTIONS = 'timeout=3&lock_timeout=3&socket_timeout=2'


class RedisServer(server.Server):
    """A Redis server that wants a password and forgets all in a restart."""

    NAME = 'redis'
    PROGRAMS = {'redis-server': 'redis-server'}

    def _setUp(self):
        self.driver = self.useFixture(pifpaf_redis.RedisDriver(
            port=self.port, password=PASSWORD, **self.sentinel_options()))

    def sentinel_options(self):
        """Return the arguments that have pifpaf start a sentinel too."""
        return {}

    def url(self, port=None):
        return 'redis://:%s@127.0.0.1:%d?%s' % (
            PASSWORD, port or self.port, OPTIONS)

    def client(self, port=None):
        """Return a redis.Redis that looks into the server.

        :param int port: Of another Redis server, with the same password.
        """
        return redis.Redis(port=port or self.port, password=PASSWORD)

    def restart(self):
        self.kill()
        self.start(self.port, '--save', '')

    def start(self, port, *options):
        """Start a Redis server that ends with the fixture.

        :param int port: Where it listens on the loopback interface.
        :param str options: Of ``redis-server``.
        """
        process = subprocess.Popen(
            ['redis-server', '--port', str(port), '--bind', '127.0.0.1',
             '--dir', self.driver.tempdir, '--requirepass', PASSWORD,
             '--masterauth', PASSWORD, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.wait_until_ready()

    @staticmethod
    def wait(condition):
        """Wait until a condition is true, and the server takes requests."""
        deadline = time.monotonic() + server.PATIENCE
        while True:
            try:
                if condition():
                    return
            except redis.ConnectionError:
                pass
            if time.monotonic() > deadline:
                raise RuntimeError('Redis is not ready')
            time.sleep(0.05)


class DurableRedisServer(RedisServer):
    """A Redis server that has every lock on disk before it answers."""

    def _setUp(self):
        super()._setUp()
        self.client().config_set('appendfsync', 'always')
        self.client().config_set('appendonly', 'yes')
        self.wait(lambda: not self.client().info('persistence')
                  ['aof_rewrite_in_progress'])

    def restart(self):
        self.kill()
        self.start(self.port, '--appendonly', 'yes', '--appendfsync', 'always')


class SentinelServer(RedisServer):
    """A Redis server with a replica, and a sentinel that watches both.

    :ivar int replica_port: Where the replica listens.
    """

    PROGRAMS = {**RedisServer.PROGRAMS, 'redis-sentinel': 'redis-sentinel'}

    _NAME = 'pifpaf'
    """What the sentinel calls the server."""

    def _setUp(self):
        self.sentinel_port = server.free_port()
        super()._setUp()
        self.client().config_set('masterauth', PASSWORD)
        self.client().config_set('repl-diskless-sync-delay', 0)
        self.replica_port = server.free_port()
        self.start(self.replica_port, '--save', '',
                   '--replicaof', '127.0.0.1', str(self.port))
        self.wait(lambda: self.client(self.replica_port).info('replication')
                  ['master_link_status'] == 'up')
        self.sentinel = self.client(self.sentinel_port)
        # Have it look for replicas anew, now that there is one.
        self.sentinel.sentinel_remove(self._NAME)
        self.sentinel.sentinel_monitor(self._NAME, '127.0.0.1', self.port, 1)
        self.sentinel.sentinel_set(self._NAME, 'auth-pass', PASSWORD)
        self.sentinel.sentinel_set(self._NAME, 'failover-timeout', 1000)
        self.wait(lambda: self.sentinel.sentinel_slaves(self._NAME))
        self.wait(lambda: self._is_master(self.port))

    def sentinel_options(self):
        return {'sentinel': True, 'sentinel_port': self.sentinel_port}

    def url(self, port=None):
        return ('redis://:%s@127.0.0.1:%d?sentinel=%s&sentinel_password=%s&'
                'timeout=60&socket_timeout=2' % (
                    PASSWORD, self.sentinel_port, self._NAME, PASSWORD))

    def fail_over(self):
        """Kill the server and wait until the replica is in its place."""
        self._set_patience(500)
        self.kill()
        self.wait(lambda: self._state()['port'] == self.replica_port)
        self._set_patience(1000 * server.PATIENCE)
        self.wait(lambda: self._is_master(self.replica_port))

    def _set_patience(self, milliseconds):
        self.sentinel.sentinel_set(self._NAME, 'down-after-milliseconds',
                                   milliseconds)

    def _is_master(self, port):
        return self._state()['port'] == port and (
            self._state()['flags'] == 'master')

    def _state(self):
        return self.sentinel.sentinel_masters()[self._NAME]
