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

"""Exclusive locks in the place of read and write locks, on memcached."""

from unittest import mock

import ddt
from pymemcache import client as pymemcache_client
import tooz

from cinder.rwlock import base as rwlock_base
from cinder.rwlock import exclusive
from cinder.tests.functional.rwlock import memcached_server
from cinder.tests.functional.rwlock import server_contract
from cinder.tests.unit import test


class ExclusiveContractTestCase(server_contract.ServerContract):

    SERVER = memcached_server.MemcachedServer
    LEASE = 3
    READERS_SHARE = False
    ORDERED = False
    # tooz renews each lock by itself; a thousand may take longer than a lease.
    CROWD = 100
    REQUEST_SECONDS = 1
    ROUND_TRIPS = {'acquire': 1, 'release': 2}
    ACQUIRE = b'add __TOOZ_LOCK_'
    RELEASE = b'delete __TOOZ_LOCK_'

    def setUp(self):
        super().setUp()
        self.memcached = pymemcache_client.Client(
            ('127.0.0.1', self.server.port))
        self.addCleanup(self.memcached.close)
        self.key = '__TOOZ_LOCK_cinder-' + self.name

    def break_lock(self, lock):
        if lock.acquired:
            self.memcached.delete(self.key, noreply=False)

    def traces(self):
        return self.memcached.get(self.key)

    def test_two_locks_of_one_coordinator_are_told_apart(self):
        """memcached has the name of the coordinator for both."""
        lost = self.held('write')
        self.break_lock(lost)
        held = self.held('write')
        self.assertFalse(lost.is_still_owner())
        self.assertFalse(lost.release())
        self.assertTrue(held.is_still_owner())
        self.assertTrue(held.release())

    def test_a_heartbeat_tells_that_a_lock_is_lost(self):
        held = self.held('write')
        with mock.patch.object(rwlock_base.LOG, 'warning') as warning:
            self.break_lock(held)
            self.eventually(lambda: warning.called, 'It says nothing')
            self.assertFalse(held.release())
        warning.assert_called_once()

    def test_a_lost_lock_does_not_keep_that_of_a_dead_holder(self):
        held = self.held('write')
        self.memcached.set(self.key, 'a dead holder', self.LEASE,
                           noreply=False)
        self.eventually(lambda: self.traces() is None, 'It is kept alive')
        self.assertFalse(held.release())


@ddt.ddt
class ExclusiveLockTestCase(test.TestCase):
    """What tooz's locks are asked for and what is made of their answers."""

    def lock(self, *methods):
        """Return an acquired lock whose tooz lock has further methods."""
        self.now = 1000
        clock = mock.patch.object(exclusive, 'time', mock.Mock(
            monotonic=lambda: self.now))
        clock.start()
        self.addCleanup(clock.stop)
        self.tooz_lock = mock.Mock(
            spec_set=['acquire', 'acquired', 'is_still_owner', 'release',
                      *methods])
        for method in ('acquire', 'is_still_owner', 'release', *methods):
            getattr(self.tooz_lock, method).return_value = True
        coordinator = mock.Mock(lock_timeout=30)
        coordinator.get_lock.return_value = self.tooz_lock
        lock = exclusive.Backend('', coordinator).write_lock(b'name')
        self.assertTrue(lock.acquire(blocking=False))
        self.addCleanup(lock.release)
        return lock

    @ddt.data(True, False)
    def test_a_lock_that_tooz_cannot_ask_about_is_held_if_acquired(self,
                                                                   acquired):
        lock = self.lock()
        self.tooz_lock.is_still_owner.side_effect = tooz.NotImplemented
        self.tooz_lock.acquired = acquired
        self.assertIs(acquired, lock.is_still_owner())

    def test_a_lock_without_heartbeat_has_no_lease(self):
        lock = self.lock()
        self.now += 3600
        self.assertTrue(lock.is_still_owner())

    def test_a_lease_ends_a_second_earlier_here(self):
        lock = self.lock('heartbeat')
        self.now += 28.9
        self.assertTrue(lock.is_still_owner())
        self.now += 0.1
        self.assertFalse(lock.is_still_owner())

    def test_a_lock_that_is_given_after_its_lease_is_none(self):
        lock = self.lock('heartbeat')
        self.assertTrue(lock.release())
        self.tooz_lock.release.reset_mock()

        def acquire_late(blocking):
            self.now += 29
            return True

        self.tooz_lock.acquire = acquire_late
        self.assertFalse(lock.acquire(blocking=False))
        self.tooz_lock.release.assert_called_once_with()
        self.assertFalse(lock.is_still_owner())

    def test_an_answer_after_the_lease_is_none(self):
        lock = self.lock('heartbeat')

        def answer_late():
            self.now += 29
            return True

        self.tooz_lock.is_still_owner = answer_late
        self.assertFalse(lock.is_still_owner())

    def test_a_heartbeat_that_is_answered_renews_the_lease(self):
        lock = self.lock('heartbeat')
        self.now += 20
        self.assertTrue(self.tooz_lock.heartbeat())
        self.now += 20
        self.assertTrue(lock.is_still_owner())

    def test_a_heartbeat_renews_from_when_it_was_sent(self):
        lock = self.lock('heartbeat')

        def answer_late():
            self.now += 10
            return True

        lock._renew = answer_late
        self.tooz_lock.heartbeat()
        self.now += 19
        self.assertFalse(lock.is_still_owner())
