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

"""Sessions at a PostgreSQL server, for locks that belong to a session.

Connections of psycopg2 are used asynchronously, so all waiting is done here
on sockets, with a bound, and under eventlet other greenthreads run meanwhile.
Only the addresses of host names are looked up by libpq, without either.

Whatever goes wrong with a session ends it, since nobody knows then what it
holds; the server frees it all. It notices the end

* at once if the session is idle, and after ``CHECK`` if it waits for a lock,
  when the process has closed the connection or died;
* after ``LEASE`` seconds if the host is not heard any more, since then both
  ends give up the TCP connection.
"""

import collections
import contextlib
import os
import selectors
import threading
import time
import weakref

import psycopg2
from psycopg2 import extensions
import tooz
from tooz import coordination

LEASE = 30
"""Seconds after which the locks of a host that is not heard are free."""

CHECK = '250ms'
"""How often the server looks whether those who wait are there."""

IDLE_SESSIONS = 4
"""How many sessions without a lock a process keeps at most."""

_KEEPALIVES = {'keepalives_idle': LEASE // 3,
               'keepalives_interval': LEASE // 6,
               'keepalives_count': 4,
               'tcp_user_timeout': LEASE * 1000}
"""When our end gives up the connection, as parameters of libpq."""

_SETTINGS = '''
    SET tcp_keepalives_idle = %(keepalives_idle)d;
    SET tcp_keepalives_interval = %(keepalives_interval)d;
    SET tcp_keepalives_count = %(keepalives_count)d;
    SET tcp_user_timeout = %(tcp_user_timeout)d;
    SET client_connection_check_interval = '%(check)s';
    SET statement_timeout = 0;
    SET lock_timeout = 0;
    SET idle_session_timeout = 0;
''' % dict(_KEEPALIVES, check=CHECK)
"""When the server's end gives up the connection; and that nothing else ends a
session that holds or waits, whatever an administrator has set for others."""

_EVENTS = {extensions.POLL_READ: selectors.EVENT_READ,
           extensions.POLL_WRITE: selectors.EVENT_WRITE}

_sessions = weakref.WeakSet()
"""All sessions of this process."""


def _leave_sessions_after_fork():
    for session in list(_sessions):
        session.leave()


os.register_at_fork(after_in_child=_leave_sessions_after_fork)


class Session:
    """A session at the server. Whatever goes wrong with it ends it.

    :param dict parameters: Those of libpq for the connection.
    :param float deadline: When the session has to be there, by
        ``time.monotonic()``.
    :ivar bool closed: Whether it has ended.
    :raises coordination.ToozConnectionError: The server refuses it.
    :raises coordination.OperationTimedOut: The deadline has passed.
    """

    def __init__(self, parameters, deadline):
        self._mutex = threading.Lock()
        self._connection = None
        self._begun = None
        with self._closed_on_error():
            self._connection = psycopg2.connect(
                async_=True, **dict(parameters, **_KEEPALIVES))
            _sessions.add(self)
            self._wait_until(deadline)
        self.ask(_SETTINGS, deadline)

    @property
    def closed(self):
        return bool(self._connection.closed)

    def ask(self, statement, deadline):
        """Execute a statement.

        :param str statement: One or more statements in SQL.
        :param float deadline: When it has to be answered.
        :returns: The rows of the answer, a list, if it has rows.
        :raises coordination.ToozConnectionError: The session has ended.
        :raises coordination.OperationTimedOut: The deadline has passed.
        """
        with self._mutex, self._closed_on_error():
            cursor = self._execute(statement)
            self._wait_until(deadline)
            return cursor.fetchall() if cursor.description else []

    def begin(self, statement):
        """Execute a statement without waiting for its end."""
        with self._closed_on_error():
            # psycopg2 refuses the answer if its cursor is gone.
            self._begun = self._execute(statement)

    def wait(self, seconds):
        """Wait until the server has done what it was told.

        :param float seconds: The bound of the wait.
        :returns: Whether it is done.
        :raises coordination.ToozConnectionError: The session has ended.
        """
        deadline = time.monotonic() + seconds
        with self._closed_on_error():
            while True:
                state = self._connection.poll()
                if state == extensions.POLL_OK:
                    return True
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                with selectors.DefaultSelector() as selector:
                    selector.register(self._connection.fileno(),
                                      _EVENTS[state])
                    selector.select(left)

    def close(self):
        """End the session."""
        _sessions.discard(self)
        if self._connection is not None:
            self._connection.close()

    def leave(self):
        """Close a forked child's end of the connection, unheard.

        The descriptor stays, since libpq would use another file that gets
        its number.
        """
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, self._connection.fileno(), inheritable=False)
        os.close(nowhere)

    def _execute(self, statement):
        cursor = self._connection.cursor()
        cursor.execute(statement)
        return cursor

    def _wait_until(self, deadline):
        if not self.wait(deadline - time.monotonic()):
            raise coordination.OperationTimedOut(
                'PostgreSQL does not answer in time')

    @contextlib.contextmanager
    def _closed_on_error(self):
        try:
            yield
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            self.close()
            raise coordination.ToozConnectionError(
                'PostgreSQL: %s' % str(error).strip()) from error
        except psycopg2.Error as error:
            self.close()
            raise tooz.ToozError(
                'PostgreSQL: %s' % str(error).strip()) from error
        except BaseException:
            self.close()
            raise


class Sessions:
    """The sessions of a backend that have no lock.

    :param dict parameters: Those of libpq for a connection.
    """

    def __init__(self, parameters):
        self._parameters = parameters
        self._idle = collections.deque()

    def ask(self, statement, deadline):
        """Execute a statement in a session that nobody uses.

        :param str statement: One or more statements in SQL.
        :param float deadline: When it has to be answered.
        :returns: The session, to be kept or put back, and the rows.
        :raises coordination.ToozConnectionError: The server has ended even
            a new session, or refuses it.
        :raises coordination.OperationTimedOut: The deadline has passed.
        """
        while True:
            try:
                session = self._idle.pop()
            except IndexError:
                break
            with contextlib.suppress(coordination.ToozConnectionError):
                return session, session.ask(statement, deadline)
        session = Session(self._parameters, deadline)
        return session, session.ask(statement, deadline)

    def ask_whether_there(self, deadline):
        """Have the server show that it is there, if only by a refusal.

        :param float deadline: When it has to be answered.
        :raises coordination.OperationTimedOut: The deadline has passed.
        """
        with contextlib.suppress(coordination.ToozConnectionError):
            session, _rows = self.ask('SELECT', deadline)
            self.put_back(session)

    def put_back(self, session):
        """Keep a session without locks for others, or end it."""
        if len(self._idle) >= IDLE_SESSIONS:
            session.close()
        elif not session.closed:
            self._idle.append(session)
