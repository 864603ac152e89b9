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

"""tooz's own lock tests, on our locks and on real servers."""

from multiprocessing import resource_tracker
import os
import unittest

import ddt
from eventlet import patcher
import fixtures
import tooz.coordination
from tooz import locking
from tooz.tests import test_coordination

from cinder import rwlock
from cinder.tests.functional.rwlock import etcd3_server
from cinder.tests.functional.rwlock import memcached_server
from cinder.tests.functional.rwlock import postgresql_server
from cinder.tests.functional.rwlock import redis_server
from cinder.tests.functional.rwlock import server
from cinder.tests.functional.rwlock import zookeeper_server
from cinder.tests.unit.rwlock import base
from cinder.tests.unit import test

_TWICE = ('a lock that is acquired already cannot be acquired again: that is '
          'an error, not False')

LEFT_OUT = {
    'test_acquire_twice_no_deadlock_releasing': _TWICE,
    'test_get_lock_locked_twice': _TWICE,
    'test_get_shared_lock_locking_same_lock_twice': _TWICE,
    'test_get_lock_concurrency_locking2': _TWICE,
    'test_get_lock_concurrency_locking_same_lock': _TWICE,
    'test_get_lock_release_broken':
        'nobody can break the lock of somebody else',
    'test_heartbeat_lock_not_acquired':
        'the heart of the coordinator beats, not that of a lock',
}
"""Test of tooz that contradicts our contract -> how."""


class _Lock(locking.Lock):
    """A read and a write lock that are used as one lock of tooz's."""

    def __init__(self, name, read_lock, write_lock):
        super().__init__(name)
        self._read_lock = read_lock
        self._write_lock = write_lock

    @property
    def acquired(self):
        return self._read_lock.acquired or self._write_lock.acquired

    def acquire(self, blocking=True, shared=False, timeout=None):
        lock = self._read_lock if shared else self._write_lock
        return lock.acquire(blocking if timeout is None else timeout)

    def release(self):
        return self._read_lock.release() or self._write_lock.release()

    def is_still_owner(self):
        return (self._read_lock.is_still_owner() or
                self._write_lock.is_still_owner())


class _Coordinator:
    """A coordinator of tooz's, but for its locks."""

    def __init__(self, coordinator, url):
        self._coordinator = coordinator
        self._url = url

    def __getattr__(self, name):
        return getattr(self._coordinator, name)

    def start(self):
        self._coordinator.start(start_heart=True)
        self._backend = rwlock.get_backend(self._url, self._coordinator)

    def get_lock(self, name):
        return _Lock(name, self._backend.read_lock(name),
                     self._backend.write_lock(name))


class ToozLockTests(base.StartsOver):
    """Mixed into tooz's test case, it leaves the lock tests of that.

    The processes that these tests start have tooz's own locks, as an older
    Cinder has.

    :cvar SERVER: The class of the server, a ``server.Server``.
    :cvar UNFIT: Further tests to leave out.
    """

    SERVER = None
    UNFIT = frozenset()

    def __init_subclass__(cls):
        for name in dir(cls):
            if name.startswith('test_') and (
                    name in LEFT_OUT or name in cls.UNFIT or
                    not ('lock' in name or 'acquire' in name)):
                setattr(cls, name, None)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if cls.SERVER:
            cls.server = cls.SERVER()
            cls.server.setUp()
            cls.addClassCleanup(cls.server.cleanUp)

    def setUp(self):
        self.useFixture(fixtures.Timeout(
            int(os.environ.get('OS_TEST_TIMEOUT', 0)) or 60, gentle=True))
        self.useFixture(fixtures.EnvironmentVariable('TOOZ_TEST_URL',
                                                     self.backend_url()))
        self._get_coordinator = tooz.coordination.get_coordinator
        self.useFixture(fixtures.MockPatchObject(
            tooz.coordination, 'get_coordinator', self._coordinator))
        if patcher.is_monkey_patched('os'):
            # Eventlet's would wait for a tracker that has died, for ever.
            self.useFixture(fixtures.MockPatchObject(
                resource_tracker, 'os', patcher.original('os')))
        super().setUp()

    def backend_url(self):
        return self.server.url()

    def _coordinator(self, url, member_id):
        coordinator = self._get_coordinator(url, member_id)
        self.addCleanup(self._stop, coordinator)
        return _Coordinator(coordinator, url)

    @staticmethod
    def _stop(coordinator):
        if coordinator.is_started:
            coordinator.stop()


class FileToozTestCase(ToozLockTests, test_coordination.TestAPI):

    def backend_url(self):
        return 'file://' + self.useFixture(fixtures.TempDir()).path


class Etcd3ToozTestCase(ToozLockTests, test_coordination.TestAPI):

    SERVER = etcd3_server.Etcd3Server


class RedisToozTestCase(ToozLockTests, test_coordination.TestAPI):

    SERVER = redis_server.RedisServer


class ZooKeeperToozTestCase(ToozLockTests, test_coordination.TestAPI):

    SERVER = zookeeper_server.ZooKeeperServer


class PostgreSQLToozTestCase(ToozLockTests, test_coordination.TestAPI):

    SERVER = postgresql_server.PostgreSQLServer


class MemcachedToozTestCase(ToozLockTests, test_coordination.TestAPI):

    SERVER = memcached_server.MemcachedServer
    UNFIT = frozenset([
        # It has no shared locks.
        'test_get_shared_lock_locking_two_lock',
    ])


@ddt.ddt
class SelectionTestCase(test.TestCase):

    def need(self, servers, program='no-such-program'):
        self.useFixture(fixtures.EnvironmentVariable('CINDER_TEST_SERVERS',
                                                     servers))
        return server.need('etcd3', program, 'etcd-server')

    @ddt.data((None, unittest.SkipTest), ('', unittest.SkipTest),
              ('redis', unittest.SkipTest), ('redis,etcd3', RuntimeError),
              ('all', RuntimeError))
    @ddt.unpack
    def test_a_missing_server_fails_only_tests_that_must_run(self, servers,
                                                             expected):
        try:
            self.need(servers)
        except (unittest.SkipTest, RuntimeError) as raised:
            error = raised
        self.assertIs(expected, type(error))
        self.assertIn('no-such-program', str(error))
        self.assertIn('apt-get install etcd-server', str(error))

    @ddt.data('', 'all')
    def test_a_server_that_is_installed_is_found(self, servers):
        self.assertEqual(os.path.realpath('/bin/sh'),
                         os.path.realpath(self.need(servers, 'sh')))

    def test_tooz_has_every_test_that_is_left_out(self):
        for name in LEFT_OUT:
            self.assertTrue(hasattr(test_coordination.TestAPI, name), name)

    def test_the_lock_tests_of_tooz_run(self):
        self.assertLessEqual(20, len([
            name for name in dir(FileToozTestCase)
            if name.startswith('test_') and getattr(FileToozTestCase, name)]))
