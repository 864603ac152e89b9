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

"""Read and write locks on PostgreSQL's advisory locks.

The server does the work: it has shared and exclusive advisory locks, queues
who waits for one first come first served, and frees them when the session
that took them ends. A lock of ours is two advisory locks:

1. The key that tooz uses for the name, which readers and writers alike take
   shared. tooz takes it exclusively, so the lock of an older Cinder and each
   of ours exclude each other.
2. A key of our own, which readers take shared and writers exclusively.

The second key is there because tooz's has only two bytes. Among a few hundred
names two have the same one, and where writers take it exclusively, they wait
for each other. Ours has 64 bits of SHA-256, so no two names meet by accident.
PostgreSQL keeps the two kinds of key, two numbers of 32 bits and one of 64,
apart. Only where an older Cinder holds or waits for its exclusive lock, the
locks of all names with those two bytes wait for it, as they always did.

A session holds one lock at a time: the advisory locks of one session do not
exclude each other. So the locks that the server can bear are bounded by its
``max_connections``. A session is kept for the next lock after a release, a
few of them in every process, so acquire and release are one round trip each.

A waiter first asks without waiting. If the lock is taken, it asks with a
statement that the server answers when the lock is granted, which keeps its
place in the server's queue, and waits on the socket, where other greenthreads
run meanwhile. It asks in another session now and then whether the server is
there at all. If its session ends, it begins anew, at the end of the queue.

No lock has a lease. Its session lives as long as its TCP connection, see
:mod:`cinder.rwlock.postgresql_sessions`: a process that dies frees its locks
at once, a host that is not heard any more in half a minute, and a process
that is merely stopped keeps them. A holder learns from its session whether
it lives. Who gets no answer in ``REQUEST_TIMEOUT`` ends the session, and with
it whatever it has got.

PostgreSQL 14 is needed, which notices the end of a session that waits.

See https://www.postgresql.org/docs/current/explicit-locking.html, "Advisory
Locks".
"""

import contextlib
import hashlib
import time

import tooz
from tooz import coordination

from cinder.rwlock import base
from cinder.rwlock import postgresql_sessions
from cinder.rwlock import tooz_internals

REQUEST_TIMEOUT = 10
"""Seconds in which the server has to answer."""

_TRY = '''
    SELECT CASE
        WHEN NOT pg_try_advisory_lock_shared(%(tooz)s) THEN false
        WHEN pg_try_advisory_lock%(shared)s(%(own)d) THEN true
        ELSE NOT pg_advisory_unlock_shared(%(tooz)s)
    END
'''

_WAIT = '''
    SELECT pg_advisory_lock_shared(%(tooz)s),
           pg_advisory_lock%(shared)s(%(own)d)
'''

_RELEASE = '''
    SELECT pg_advisory_unlock%(shared)s(%(own)d)
           AND pg_advisory_unlock_shared(%(tooz)s)
'''

_HOLDERS = '''
    SELECT CASE
        WHEN query LIKE '-- %%' THEN substr(split_part(query, E'\\n', 1), 4)
        ELSE format('server process %%s for %%s', pid, client_addr)
    END
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND datname = current_database()
        AND database = datid
        AND (objsubid = 1
             AND (classid::bigint << 32 | objid::bigint) = %(own)d
             OR (classid, objid) = (%(tooz)s) AND objsubid = 2
             AND mode = 'ExclusiveLock')
'''


class _AdvisoryLock(base.Lock):
    """What read and write locks do alike.

    :param key: What locks of this process have in common that can wait for
        each other.
    :param bytes name: The name as tooz gets it.
    :param tuple tooz_key: The two numbers that tooz uses for the name.
    :param postgresql_sessions.Sessions sessions: Those of the backend.
    :param str purpose: What the lock is held for.
    """

    FIRST_PAUSE = LONGEST_PAUSE = 1

    _shared = None
    """What the functions of SQL for this kind of lock have in their names."""

    def __init__(self, key, name, tooz_key, sessions, purpose):
        super().__init__(name.decode(), key, purpose)
        digest = hashlib.sha256(b'cinder.rwlock:' + name).digest()
        self._keys = {'tooz': '%d, %d' % tooz_key,
                      'own': int.from_bytes(digest[:8], 'big', signed=True),
                      'shared': self._shared}
        self._sessions = sessions
        self._session = None
        self._waits = False
        self._heard = None

    def is_still_owner(self):
        session = self._session
        if not self.acquired:
            return False
        try:
            session.ask(self._statement('SELECT'), _bound())
        except tooz.ToozError:
            self._tell_lost()
            return False
        return True

    def _try_acquire(self, deadline):
        if self._session is not None:
            with contextlib.suppress(coordination.ToozConnectionError):
                return self._is_granted(deadline)
            self._give_up()
        self._session, rows = self._sessions.ask(
            self._statement(_TRY), _bound(deadline))
        return rows[0][0]

    def _is_granted(self, deadline):
        now = time.monotonic()
        if not self._waits:
            self._session.begin(self._statement(_WAIT))
            self._waits = True
            self._heard = now
        elif self._session.wait(0):
            self._waits = False
            return True
        elif now > self._heard + REQUEST_TIMEOUT:
            self._sessions.ask_whether_there(_bound(deadline))
            self._heard = now
        return False

    def _pause(self, turn, seconds):
        with contextlib.suppress(coordination.ToozConnectionError):
            self._session.wait(seconds)

    def _give_up(self):
        if self._session is not None:
            if self._waits:
                self._session.close()
            self._sessions.put_back(self._session)
        self._session = None
        self._waits = False

    def _release(self):
        session, self._session = self._session, None
        try:
            held = session.ask(self._statement(_RELEASE), _bound())[0][0]
        except coordination.ToozConnectionError:
            return False
        if not held:
            session.close()
        self._sessions.put_back(session)
        return held

    def _holders(self):
        session, rows = self._sessions.ask(_HOLDERS % self._keys,
                                           time.monotonic() + 1)
        self._sessions.put_back(session)
        return [owner for owner, in rows]

    def _statement(self, template):
        """Return a statement that tells others who executes it.

        They find it in ``pg_stat_activity``.
        """
        owner = self.owner().encode('ascii', 'replace').decode()
        return '-- %s\n%s' % (' '.join(owner.split()), template % self._keys)


def _bound(deadline=None):
    """Return until when to wait for an answer.

    :param deadline: When the wait for the lock ends, or None. One question
        is answered even if there is hardly time.
    """
    now = time.monotonic()
    if deadline is None:
        return now + REQUEST_TIMEOUT
    return min(now + REQUEST_TIMEOUT, max(deadline, now + 0.1))


class ReadLock(_AdvisoryLock):
    """The read lock of one name. See the module for the algorithm."""

    kind = 'read'
    _shared = '_shared'


class WriteLock(_AdvisoryLock):
    """The write lock of one name. See the module for the algorithm."""

    kind = 'write'
    _shared = ''


class Backend(base.Backend):
    """Locks at the server of tooz's PostgreSQL driver.

    :param str url: The coordination URL, not looked at: sessions are made
        with the parameters of the coordinator's connection.
    :param coordinator: The started tooz coordinator.
    :raises tooz.NotImplemented: The server is older than PostgreSQL 14.
    """

    READ_LOCK = ReadLock
    WRITE_LOCK = WriteLock

    def __init__(self, url, coordinator):
        connection = tooz_internals.postgresql_connection(coordinator)
        tooz_internals.postgresql_key(coordinator, b'any')
        if connection.server_version < 140000:
            raise tooz.NotImplemented('PostgreSQL 14 or later is needed')
        self._coordinator = coordinator
        self._sessions = postgresql_sessions.Sessions(dict(
            connection.info.dsn_parameters,
            password=connection.info.password))

    def _lock(self, lock_class, name, purpose):
        return lock_class(
            (id(self._coordinator), name), name,
            tooz_internals.postgresql_key(self._coordinator, name),
            self._sessions, purpose)
