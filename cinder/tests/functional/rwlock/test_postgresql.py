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

"""Read and write locks on PostgreSQL."""

import itertools
import logging
import os
import socket
import threading
import time
from unittest import mock

import ddt
import fixtures
from tooz import coordination

from cinder import rwlock
from cinder.rwlock import exclusive
from cinder.rwlock import postgresql
from cinder.rwlock import postgresql_sessions
from cinder.tests.functional.rwlock import postgresql_server
from cinder.tests.functional.rwlock import server_case
from cinder.tests.functional.rwlock import server_contract
from cinder.tests.unit.rwlock import base
from cinder.tests.unit.rwlock import contract

KINDS = contract.KINDS


class _Interruption(BaseException):
    """What ends a thread in the middle of a request."""


class PostgreSQLTestCase(server_case.ServerTestCase):
    """What all tests on PostgreSQL need."""

    SERVER = postgresql_server.PostgreSQLServer

    def setUp(self):
        (self.began,), = self.query('SELECT clock_timestamp()')
        super().setUp()

    def query(self, statement, *args):
        """Return the rows of a query in a session of the test's own."""
        connection = self.server.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, args)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def end_session(self, lock):
        """End the session of a lock as an administrator would."""
        self.assertEqual([(True,)], self.query(
            'SELECT pg_terminate_backend(%s, 60000)', self.session_id(lock)))

    def session_id(self, lock):
        return lock._session._connection.info.backend_pid

    def sessions(self):
        """Return the process numbers of the sessions since the test began."""
        return self.query(
            'SELECT pid FROM pg_stat_activity '
            'WHERE pid <> pg_backend_pid() AND backend_start > %s '
            "AND backend_type = 'client backend' ORDER BY 1", self.began)

    def locks_at_server(self):
        """Return who holds or waits for the advisory locks of the name."""
        keys = self.read_lock()._keys
        return self.query(
            'SELECT pid, objsubid, mode, granted FROM pg_locks '
            "WHERE locktype = 'advisory' AND (classid, objid) IN ((%s), "
            '(%d >> 32 & 4294967295, %d & 4294967295)) ORDER BY 1, 2' % (
                keys['tooz'], keys['own'], keys['own']))

    def waits_at_server(self, lock, blocking=True):
        """Let another thread acquire a lock, and return once it queues."""
        waiter = self.waits(lock, blocking)
        self.eventually(lambda: waiter.ended.is_set() or (
            lock._waits and (self.session_id(lock), False) in [
                (lock[0], lock[-1]) for lock in self.locks_at_server()]),
            'It does not wait at the server')
        return waiter


class PostgreSQLContractTestCase(server_contract.ServerContract,
                                 PostgreSQLTestCase):

    ACQUIRE = b'pg_try_advisory_lock'
    RELEASE = b'pg_advisory_unlock'
    PAUSED_LOSE = False
    SILENT_LOSE = False
    CUT_LOSE = True

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(
            postgresql, 'REQUEST_TIMEOUT', self.REQUEST_SECONDS))

    def break_lock(self, lock):
        if not lock.acquired:
            self.eventually(lambda: lock._waits, 'It does not wait')
        self.end_session(lock)

    def traces(self):
        return self.locks_at_server()


@ddt.ddt
class PostgreSQLLockTestCase(PostgreSQLTestCase):

    # Keys

    def test_names_that_share_the_key_of_tooz_do_not_meet(self):
        names = {}
        for number in itertools.count():
            name = 'source-%d-delete_volume' % number
            key = tuple(self.coordinator.get_lock(name).key)
            if key in names:
                break
            names[key] = name
        first = self.coordinator.get_write_lock(names[key])
        second = self.coordinator.get_write_lock(name)
        self.assertTrue(first.acquire(blocking=False))
        self.assertTrue(second.acquire(blocking=False),
                        'It waits for the lock of another name')
        self.assertTrue(second.release())
        self.assertTrue(first.is_still_owner())
        self.assertTrue(first.release())

    def test_a_reader_does_not_overtake_an_older_cinder_that_waits(self):
        held = self.held('read')
        older = self.process()
        older.ask('acquire', 'a', 'tooz', self.name, True)
        self.eventually(lambda: not self.is_free('read'),
                        'A reader overtakes the older Cinder')
        held.release()
        self.assertTrue(older.answer())
        self.assertTrue(older.do('release', 'a'))
        self.assertTrue(self.is_free('read'))

    # Sessions

    def test_few_sessions_stay_without_a_lock(self):
        before = self.sessions()
        locks = [self.read_lock() for _number in range(16)]
        for lock in locks:
            self.assertTrue(lock.acquire())
        self.assertEqual(len(before) + 16, len(self.sessions()))
        for lock in locks:
            self.assertTrue(lock.release())
        few = len(before) + postgresql_sessions.IDLE_SESSIONS
        self.eventually(lambda: len(self.sessions()) <= few,
                        'Sessions stay without a lock')

    def test_a_session_without_a_lock_that_ends_is_not_missed(self):
        locks = [self.held('read') for _number in range(3)]
        ids = [self.session_id(lock) for lock in locks]
        for lock in locks:
            self.assertTrue(lock.release())
        for session_id in ids:
            self.query('SELECT pg_terminate_backend(%s, 60000)', session_id)
        self.assertTrue(self.is_free('write'))

    def test_sessions_end_with_the_coordinator(self):
        before = self.sessions()
        coordinator = self.new_coordinator(self.url)
        self.assertTrue(self.is_free('write', coordinator))
        self.assertLess(len(before) + 1, len(self.sessions()))
        coordinator.stop()
        self.eventually(lambda: before == self.sessions(),
                        'A session survives its coordinator')

    @ddt.data(*contract.CONFLICTS)
    @ddt.unpack
    def test_a_waiter_that_gives_up_leaves_nothing_behind(self, holder,
                                                          other):
        self.held(holder)
        lock = self.lock(other)
        self.assertFalse(lock.acquire(blocking=False))
        locks = self.locks_at_server()
        sessions = self.sessions()
        waiter = self.waits_at_server(lock, 1)
        self.assertTrue(waiter.ended.wait(base.PATIENCE))
        self.assertIs(False, waiter.result)
        self.eventually(lambda: locks == self.locks_at_server(),
                        'It still waits')
        self.eventually(
            lambda: len(self.sessions()) <= len(sessions),
            'Its session stays')

    def test_a_killed_waiter_leaves_nothing_behind(self):
        self.held('read')
        locks = self.locks_at_server()
        sessions = self.sessions()
        waiter = self.process()
        waiter.ask('acquire', 'a', 'write', self.name, True)
        self.eventually(lambda: not self.is_free('read'), 'It does not wait')
        waiter.kill()
        self.eventually(lambda: locks == self.locks_at_server(),
                        'It still waits')
        self.eventually(lambda: len(self.sessions()) <= len(sessions) + 1,
                        'Its session stays')

    @ddt.data(*KINDS)
    def test_a_killed_holder_frees_its_lock_although_it_forked(self, kind):
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', kind, self.name, False))
        process.do('fork')
        process.kill()
        self.assertTrue(self.write_lock().acquire(base.PATIENCE),
                        'The child keeps the lock of its dead parent')

    def test_a_silent_host_is_given_up_by_both_ends(self):
        held = self.held('read')
        lease = postgresql_sessions.LEASE
        number = os.dup(held._session._connection.fileno())
        with socket.socket(fileno=number) as end:
            ours = [end.getsockopt(socket.IPPROTO_TCP, option) for option in (
                socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL,
                socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)]
        theirs = [int(held._session.ask(
            "SELECT setting FROM pg_settings WHERE name = '%s'" % name,
            time.monotonic() + base.PATIENCE)[0][0]) for name in (
                'tcp_keepalives_idle', 'tcp_keepalives_interval',
                'tcp_keepalives_count', 'tcp_user_timeout')]
        for idle, interval, count, unheard in ours, theirs:
            self.assertEqual(lease, idle + interval * count)
            self.assertEqual(lease * 1000, unheard)

    @ddt.data(*contract.CONFLICTS)
    @ddt.unpack
    def test_a_waiter_keeps_its_place_at_the_server(self, holder, other):
        held = self.held(holder)
        lock = self.lock(other)
        waiter = self.waits_at_server(lock)
        session_id = self.session_id(lock)
        self.assertTrue(held.release())
        self.assertAcquires(waiter)
        self.assertEqual(session_id, self.session_id(lock),
                         'The waiter lost its place')

    def test_limits_of_the_role_do_not_end_a_wait_or_a_hold(self):
        limits = ('idle_session_timeout', 'statement_timeout', 'lock_timeout')
        for limit in limits:
            self.query("ALTER ROLE cinder SET %s = '200ms'" % limit)
            self.addCleanup(self.query,
                            'ALTER ROLE cinder RESET %s' % limit)
        coordinator = self.new_coordinator(self.url)
        held = self.held('write', coordinator)
        lock = self.lock('read', coordinator)
        waiter = self.waits_at_server(lock)
        session_id = self.session_id(lock)
        self.assertFalse(waiter.ended.wait(contract.GLIMPSE), waiter.result)
        self.assertTrue(held.release())
        self.assertAcquires(waiter)
        self.assertEqual(session_id, self.session_id(lock),
                         'The waiter lost its place')

    # Requests

    def test_a_bound_of_nothing_asks_once(self):
        self.eventually(lambda: self.write_lock().acquire(blocking=0),
                        'It is never asked for')

    def test_threads_ask_for_one_lock_at_once(self):
        held = self.held('write')
        first, second = threading.Event(), threading.Event()
        execute = held._session._execute

        def executed(statement):
            if not first.is_set():
                cursor = execute(statement)
                first.set()
                second.wait(0.5)
                return cursor
            try:
                return execute(statement)
            finally:
                second.set()

        with mock.patch.object(held._session, '_execute', executed):
            one = base.Background(held.is_still_owner)
            self.assertTrue(first.wait(base.PATIENCE))
            another = base.Background(held.is_still_owner)
            for thread in (one, another):
                self.assertTrue(thread.ended.wait(base.PATIENCE))
        self.assertEqual([True, True], [one.result, another.result])
        self.assertTrue(held.release())

    @ddt.data(*KINDS)
    def test_an_interrupted_question_ends_the_session(self, kind):
        lock = self.lock(kind)
        self.assertTrue(lock.acquire())
        with mock.patch.object(lock._session, 'wait',
                               side_effect=_Interruption):
            self.assertRaises(_Interruption, lock.is_still_owner)
        self.eventually(lambda: self.is_free('write'), 'The session lives on')
        self.assertIs(False, lock.is_still_owner())
        self.assertIs(False, lock.release())

    def test_a_refused_session_shows_that_the_server_is_there(self):
        """A waiter looks after its server in a session of its own."""
        self.held('write')
        lock = self.read_lock()
        refused = coordination.ToozConnectionError('too many clients')
        with (mock.patch.object(postgresql, 'REQUEST_TIMEOUT', 1),
                mock.patch.object(lock._sessions, 'ask',
                                  side_effect=lock._sessions.ask) as ask):
            waiter = self.waits_at_server(lock)
            session_id = self.session_id(lock)
            ask.reset_mock()
            ask.side_effect = refused
            self.eventually(lambda: ask.call_count > 1, 'It does not look')
            self.assertFalse(waiter.ended.is_set(), waiter.result)
            self.assertEqual(session_id, self.session_id(lock))

    def test_a_purpose_is_never_executed(self):
        purpose = "it's 100 %s\n; SELECT pg_advisory_unlock_all(); -- \udcff"
        held = self.held('write', purpose=purpose)
        self.assertTrue(held.is_still_owner())
        self.assertFalse(self.is_free('read'), 'It was executed')
        self.assertIn("it's 100 %s ; SELECT", self.read_lock()._holders()[0])

    def test_a_waiter_tells_that_a_stranger_holds_the_lock(self):
        older = self.process()
        self.assertTrue(older.do('acquire', 'a', 'tooz', self.name, False))
        holder, = self.read_lock()._holders()
        self.assertRegex(holder, r'server process \d+ for 127.0.0.1')

    def test_no_password_is_told(self):
        logger = self.useFixture(fixtures.FakeLogger(
            level=logging.DEBUG, format='%(message)s'))
        coordinator = self.new_coordinator(self.url)
        administrator = self.server.connect()
        self.addCleanup(administrator.close)
        cursor = administrator.cursor()
        cursor.execute("ALTER ROLE cinder PASSWORD 'changed'")
        self.addCleanup(cursor.execute, 'ALTER ROLE cinder PASSWORD %s',
                        (postgresql_server.PASSWORD,))
        error = self.assertRaises(coordination.ToozConnectionError,
                                  self.lock('read', coordinator).acquire)
        self.assertIn('password authentication failed', str(error))
        for text in (str(error), repr(error), logger.output):
            self.assertNotIn(postgresql_server.PASSWORD, text)

    # Servers

    def test_an_old_server_has_no_native_locks(self):
        """It would not notice that a waiter has died."""
        coordinator = self.coordinator.coordinator
        connection = mock.Mock(server_version=130018)
        connection.info.dsn_parameters = {}
        with mock.patch.object(coordinator, '_conn', connection):
            self.assertIsInstance(rwlock.get_backend(self.url, coordinator),
                                  exclusive.Backend)
