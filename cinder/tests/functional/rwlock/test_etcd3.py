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

"""Read and write locks on real etcd servers."""

import base64
import threading
import time
from unittest import mock

import ddt
import requests
import tooz
from urllib3 import connectionpool

from cinder.rwlock import base as rwlock_base
from cinder.rwlock import etcd3_session
from cinder.tests.functional.rwlock import etcd3_server
from cinder.tests.functional.rwlock import server_case
from cinder.tests.functional.rwlock import server_contract
from cinder.tests.unit.rwlock import base
from cinder.tests.unit.rwlock import contract

KINDS = server_contract.KINDS
PATIENT = '&timeout=%d&lock_timeout=60' % base.PATIENCE


class Etcd3:
    """What the tests on every kind of etcd server need."""

    LEASE = 3

    def keys(self):
        """Return the keys of the lock, as the server tells them."""
        found = self.server.ask('/kv/range', {
            'key': 'AA==', 'range_end': 'AA==', 'keys_only': True})
        return [key for key in found.get('kvs', ())
                if self.name.encode() in base64.b64decode(key['key'])]

    def traces(self):
        return sorted(key['key'] for key in self.keys())

    def break_lock(self, lock):
        self.server.ask('/kv/lease/revoke', {'ID': lock._session._lease.id})


class Etcd3ContractTestCase(Etcd3, server_contract.ServerContract):
    """The contract, with one server."""

    SERVER = etcd3_server.Etcd3Server
    ACQUIRE = b'"request_put"'
    RELEASE = b'"request_delete_range"'
    EXCLUDED = frozenset([('tooz', 'read'), ('tooz', 'write'),
                          ('write', 'tooz')])


class Etcd3ClusterContractTestCase(Etcd3ContractTestCase):
    """The contract, with three servers; other hosts ask another one."""

    SERVER = etcd3_server.Etcd3Cluster
    STORM_ROUNDS = 250

    def stranger(self):
        return self.new_coordinator(self.server.members[1].url())


class Etcd3ServerTestCase(Etcd3, server_case.ServerTestCase):
    """A coordinator on a server, and one that goes through a proxy."""

    SERVER = etcd3_server.Etcd3Server

    def waits_patiently(self, lock):
        """Let another thread wait, that only a watch wakes."""
        for pause in ('FIRST_PAUSE', 'LONGEST_PAUSE'):
            patch = mock.patch.object(lock, pause, 10 * base.PATIENCE)
            patch.start()
            self.addCleanup(patch.stop)
        return self.waits(lock)


@ddt.ddt
class Etcd3LockTestCase(Etcd3ServerTestCase):

    @ddt.data('/a', '%2Fa', 'a', '/')
    def test_names_that_begin_alike_do_not_meet(self, rest):
        name = self.name
        for held, other in ((name, name + rest), (name + rest, name)):
            self.name = held
            lock = self.held('read')
            self.name = other
            self.assertTrue(self.is_free('write'))
            lock.release()

    def test_all_locks_of_a_coordinator_share_a_lease(self):
        coordinator = self.new_coordinator(self.url)
        locks = [self.lock('read', coordinator) for _number in range(20)]
        threads = [base.Background(lock.acquire) for lock in locks]
        for thread in threads:
            self.assertAcquires(thread)
        leases = [key['lease'] for key in self.keys()]
        self.assertEqual(leases[:1] * len(locks), leases)
        self.assertFalse(self.lock('write', coordinator).acquire(False))
        for lock in locks:
            self.assertTrue(lock.release())

    @ddt.data(*KINDS)
    def test_a_lost_lease_does_not_fail_the_next_acquire(self, kind):
        self.assertTrue(self.is_free(kind))
        self.break_lock(self.lock(kind))
        self.assertTrue(self.is_free(kind))

    @ddt.data(*KINDS)
    def test_the_heartbeat_tells_that_a_lock_is_lost(self, kind):
        held = self.held(kind)
        with mock.patch.object(rwlock_base.LOG, 'warning') as warning:
            self.break_lock(held)
            self.eventually(lambda: base.told_of(warning, held),
                            'Nobody is told')
        self.assertEqual(1, len(base.told_of(warning, held)))

    @ddt.data(*KINDS)
    def test_the_lease_ends_by_the_local_clock(self, kind):
        held = self.held(kind)
        self.assertTrue(held.is_still_owner())
        with (mock.patch.object(held._mine.lease, 'valid_until', 0),
                mock.patch.object(etcd3_session.Session, 'ask') as ask):
            self.assertFalse(held.is_still_owner())
        ask.assert_not_called()

    @ddt.data(*KINDS)
    def test_the_clock_decides_while_the_server_does_not_say(self, kind):
        between, coordinator = self.through_proxy()
        held = self.held(kind, coordinator)
        between.cut()
        try:
            self.assertTrue(held.is_still_owner())
            self.eventually(lambda: not held.is_still_owner(),
                            'It believes that it holds for ever')
        finally:
            between.mend()

    @ddt.data(*KINDS)
    def test_an_answer_later_than_the_lease_is_not_believed(self, kind):
        transact = etcd3_session.Session.transact

        def transact_late(session, *args):
            answer = transact(session, *args)
            session._lease.valid_until = 0
            return answer

        lock = self.lock(kind)
        with mock.patch.object(etcd3_session.Session, 'transact',
                               transact_late):
            self.assertFalse(lock.acquire(blocking=False))
        self.eventually(lambda: not self.traces(),
                        'The key of the acquire is left behind')

    @ddt.data(*KINDS)
    def test_what_a_failed_acquire_writes_late_is_deleted(self, kind):
        """The server gets the request after it has deleted the key once."""
        between, coordinator = self.through_proxy()
        self.assertTrue(self.is_free(kind, coordinator))
        session = self.lock(kind, coordinator)._session
        lease = session._lease
        between.lose_answer_to(b'"request_put"')
        with mock.patch.object(session, '_delete_abandoned'):
            self.assertRaises(tooz.ToozError,
                              self.lock(kind, coordinator).acquire)
            [key] = lease.abandoned
            self.assertNotEqual([], self.traces())
        with mock.patch.object(session, '_seconds', 10 * base.PATIENCE):
            self.eventually(lambda: not self.traces(), 'It is not deleted')
            self.eventually(lambda: lease.abandoned.get(key, True),
                            'Not noted')
            self.server.ask('/kv/put', key.put()['request_put'])
        self.eventually(lambda: not self.traces(), 'It is not deleted again')
        self.eventually(lambda: not lease.abandoned, 'It is never forgotten')
        self.assertFalse(lease.lost)

    @ddt.data(*KINDS)
    def test_a_release_that_failed_is_made_up_for(self, kind):
        lock = self.lock(kind)
        self.assertTrue(lock.acquire())
        lease = lock._mine.lease
        with mock.patch.object(etcd3_session.Session, 'delete',
                               side_effect=tooz.ToozError('')):
            self.assertTrue(lock.release())
            self.assertNotEqual([], self.traces())
        self.eventually(lambda: not self.traces(), 'The lock is left behind')
        self.assertFalse(lease.lost)

    def test_a_wait_whose_end_is_not_heard_is_made_up_for(self):
        """The writer's key keeps readers out until it is deleted."""
        held = self.held('read')
        lock = self.write_lock()
        with mock.patch.object(etcd3_session.Session, 'delete',
                               side_effect=tooz.ToozError('')):
            self.assertIs(False, self.acquire_elsewhere(lock, 0.1))
            self.assertEqual(2, len(self.traces()))
        self.eventually(lambda: len(self.traces()) == 1,
                        'The gate is left behind')
        self.assertTrue(held.is_still_owner())

    @ddt.data(*contract.CONFLICTS)
    @ddt.unpack
    def test_a_watch_ends_the_pause(self, holder, other):
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', holder, self.name, False))
        waiter = self.waits_patiently(self.lock(other))
        process.do('release', 'a')
        self.assertAcquires(waiter)

    @ddt.data(*contract.CONFLICTS)
    @ddt.unpack
    def test_a_watch_that_fails_ends_no_wait(self, holder, other):
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', holder, self.name, False))
        lock = self.lock(other)
        with mock.patch.object(etcd3_session.Session, 'watch',
                               side_effect=ValueError) as watch:
            waiter = self.waits(lock)
            self.eventually(lambda: watch.call_count > 2, 'It does not watch')
            process.do('release', 'a')
            self.assertAcquires(waiter)

    def test_a_watch_keeps_its_bound(self):
        """One reader of two leaves just before the time is over."""
        def one_leaves():
            leaving = self.held('read')
            session, readers = leaving._session, leaving._readers
            revision = session.transact([], [], [])[2]
            timer = threading.Timer(0.8, leaving.release)

            def watch():
                timer.start()
                self.assertRaises(requests.RequestException, session.watch,
                                  readers, revision, 2, 1)
                timer.join()
            return watch

        self.held('read')
        self.assertKeepsBound(1, one_leaves)

    def test_a_writer_asks_no_more_than_once_for_many_readers(self):
        readers = [self.lock('read') for _number in range(50)]
        for lock in readers:
            self.assertTrue(lock.acquire())
        write_lock = self.write_lock()
        with mock.patch.object(write_lock, '_ask',
                               side_effect=write_lock._ask) as ask:
            waiter = self.waits_patiently(write_lock)
            for lock in readers[:25]:
                self.assertTrue(lock.release())
            time.sleep(contract.GLIMPSE)
            self.assertFalse(waiter.ended.is_set())
            for lock in readers[25:]:
                self.assertTrue(lock.release())
            self.assertAcquires(waiter)
        # Once at first, once more as the first waiter, once at the end.
        self.assertEqual(3, ask.call_count)

    @ddt.data('read', 'write', 'tooz')
    def test_a_waiter_tells_which_process_holds_the_lock(self, kind):
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', kind, self.name, False))
        lock = self.write_lock()
        self.waits(lock)
        holder = 'an older Cinder' if kind == 'tooz' else (
            'process %d on ' % process._process.pid)
        [told] = lock._holders()
        self.assertIn(holder, told)

    def test_a_bound_holds_while_another_thread_gets_the_lease(self):
        between, coordinator = self.through_proxy(PATIENT)
        between.silence()
        first = base.Background(self.lock('read', coordinator).acquire)
        self.eventually(self.lock('read', coordinator)._session._mutex.locked,
                        'It does not ask for a lease')
        result = self.acquire_elsewhere(self.lock('read', coordinator), 0.5)
        self.assertIs(False, result)
        self.assertFalse(first.ended.is_set())

    def test_the_connections_of_all_workers_are_kept(self):
        between, coordinator = self.through_proxy(PATIENT)
        self.assertTrue(self.is_free('read', coordinator))
        locks = [self.lock('read', coordinator) for _number in range(64)]
        between.silence()
        with mock.patch.object(connectionpool.log, 'warning') as warning:
            threads = [base.Background(lock.acquire) for lock in locks]
            self.eventually(
                lambda: all(lock._is_unanswered for lock in locks),
                'They do not ask together')
            between.hear()
            for thread in threads:
                self.assertAcquires(thread)
        warning.assert_not_called()
        for lock in locks:
            self.assertTrue(lock.release())


@ddt.ddt
class Etcd3TLSTestCase(Etcd3ServerTestCase):

    SERVER = etcd3_server.Etcd3TLSServer

    @ddt.data(*contract.CONFLICTS)
    @ddt.unpack
    def test_locks_and_watches_go_through_tls(self, holder, other):
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', holder, self.name, False))
        lock = self.lock(other)
        waiter = self.waits_patiently(lock)
        process.do('release', 'a')
        self.assertAcquires(waiter)
        self.assertTrue(lock.is_still_owner())


@ddt.ddt
class Etcd3ClusterTestCase(Etcd3, base.RWLockTestCase):
    """A cluster that loses its members, for every test a new one."""

    def backend_url(self):
        self.server = self.useFixture(etcd3_server.Etcd3Cluster())
        self.leader = self.server.leader()
        self.rest = [member for member in self.server.members
                     if member is not self.leader]
        return self.rest[0].url()

    @ddt.data(*KINDS)
    def test_a_leader_that_dies_takes_no_lock_with_it(self, kind):
        # It can take as long as the lease of the other tests until the server
        # answers the heartbeat again.
        held = self.held(kind, self.new_coordinator(
            self.rest[0].url() + '&lock_timeout=60'))
        self.leader.kill()
        for member in self.rest:
            member.wait_until_ready()
        other = self.lock('write', self.new_coordinator(self.rest[1].url()))
        self.assertFalse(other.acquire(blocking=False))
        self.assertTrue(held.is_still_owner())
        waiter = self.waits(other)
        self.assertTrue(held.release())
        self.assertAcquires(waiter)

    @ddt.data(*KINDS)
    def test_no_lock_from_a_member_without_the_others(self, kind):
        self.assertTrue(self.is_free(kind))
        lock = self.lock(kind)
        for member in (self.leader, self.rest[1]):
            self.addCleanup(member.resume)
            member.pause()
        attempt = base.Background(lock.acquire)
        self.assertTrue(attempt.ended.wait(base.PATIENCE), 'It has no bound')
        self.assertIsInstance(attempt.result, tooz.ToozError)
        for member in (self.leader, self.rest[1]):
            member.resume()
        self.eventually(self._works, 'It does not work again')

    def _works(self):
        try:
            return self.is_free('write')
        except tooz.ToozError:
            return False
