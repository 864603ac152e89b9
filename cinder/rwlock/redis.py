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

"""Read and write locks on a Redis server, beside those of tooz's driver.

Every acquire is identified by a token, a random number and the owner's text.
A name has two keys.

* The writer's key is that of tooz's own lock of the name. Its value is the
  token of the writer, and it expires after the lease, which is tooz's
  ``lock_timeout``.
* The readers' key has a sorted set with the token of every reader, scored by
  when it expires. Each reader has an expiry of its own, so a live one does
  not keep the lock of a dead one. Nobody looks at expired ones; a renewal
  removes them, and the whole key expires with the latest of them.

A reader enters the set unless there is a writer's key. A writer takes the
writer's key, which keeps later readers out, and has the lock once no reader
in the set is unexpired; until then it keeps the key by asking again. Both
are one step for the server, by the server's own time: a script of
:mod:`cinder.rwlock.redis_scripts`. A writer that has lost its key while it
waits takes it anew, if it can, behind the readers that came meanwhile. A
script that is sent twice with the same token, because an answer was lost,
does what it does once.

With every heartbeat of tooz all held locks of this process are renewed in one
request. A renewal that finds the token gone or expired tells that the lock is
lost. By the local clock, a lock is held for one lease from when the request
was sent that acquired or renewed it last.

Whoever could let others go on publishes the name: a writer that leaves, and
the last reader that leaves when a writer waits. A process in which somebody
waits listens to that, and lets its first waiter for the name ask at once.
This is but a hint. A waiter asks again after a second at the latest, and when
the lock in its way expires. Between waiters of several processes there is no
order until a writer has taken the writer's key.

When a request fails, its token may be on the server all the same. It is
removed with the next heartbeat; as nobody renews it, it expires after one
lease at the latest.

What is not promised:

* An older Cinder respects the write lock, as both take the same key, but not
  the readers. Until all are upgraded, set ``[coordination] read_locks`` off.
* A server that forgets its data forgets the locks: one without persistence
  that restarts, or a replica that is promoted before it has heard of the
  latest locks. Others can acquire them then; the holder is told so by
  ``is_still_owner()`` at once, and by the log with the next heartbeat.
* A bound on the wait is kept even if the server is silent. Without one, a
  request takes at most the ``socket_timeout`` of the URL, and a connection
  that has to be made first as long as redis-py goes on trying.

The server must be Redis 5 or later, as the scripts ask for the time before
they write.
"""

from concurrent import futures
import functools
import secrets
import threading
import time
import weakref

from oslo_log import log
from oslo_utils import versionutils
import redis
from redis import exceptions
import tooz
from tooz import coordination

from cinder.rwlock import base
from cinder.rwlock import redis_scripts
from cinder.rwlock import tooz_internals
from cinder.rwlock import turns

LOG = log.getLogger(__name__)

LISTEN = 60
"""Seconds after which a process that listens subscribes anew, if it must."""

PATIENCE = 0.1
"""Seconds that a request gets at least, however short the wait may be."""


class _RedisLock(base.Lock):
    """What read and write locks do alike.

    :param Backend backend: Whose lock it is.
    :param bytes key: The key of tooz's lock.
    :param str purpose: What the lock is held for.
    """

    FIRST_PAUSE = 0.01
    LONGEST_PAUSE = 1

    ACQUIRE = RENEW = RELEASE = None

    _leaves_mark = False
    """Whether a waiter has its token on the server."""

    def __init__(self, backend, key, purpose):
        super().__init__(key.decode(), backend.queue(key), purpose)
        self._backend = backend
        self._keys = (key, key + b'_readers')
        self._token = None
        self._is_heard = True
        self._left = 0
        self._valid_until = 0

    def arguments(self):
        """Return the keys and arguments of the scripts."""
        return (*self._keys, self._token or b'',
                b'%d' % (self._backend.lease * 1000))

    def is_still_owner(self):
        deadline = self._valid_until
        if not self.acquired or time.monotonic() >= deadline:
            return False
        began = time.monotonic()
        try:
            renewed = self._backend.ask(self.RENEW, self.arguments(), deadline)
        except tooz.ToozError as error:
            LOG.debug('The %s lock %s is held by the clock: %s',
                      self.kind, self.name, error)
            return self._is_held_by_clock()
        self.note_renewal(renewed, began)
        return bool(renewed)

    def _is_held_by_clock(self):
        return time.monotonic() < self._valid_until

    def note_renewal(self, renewed, began):
        """Take note of the answer to a renewal.

        :param renewed: Whether the token was there.
        :param float began: When the request was sent, in seconds.
        """
        if renewed:
            self._valid_until = began + self._backend.lease
        elif self.acquired:
            self._valid_until = 0
            self._tell_lost()

    def _try_acquire(self, deadline):
        if self._token is None:
            self._token = ('%s %s' % (secrets.token_hex(16),
                                      self.owner())).encode()
        began = time.monotonic()
        self._is_heard = False
        self._left = self._backend.ask(self.ACQUIRE, self.arguments(),
                                       deadline) / 1000
        self._valid_until = began + self._backend.lease
        if time.monotonic() >= self._valid_until:
            # The answer came so late that somebody else may hold it now.
            return False
        self._is_heard = True
        if self._left:
            return False
        self._backend.held[self.arguments()] = self
        return True

    def _give_up(self):
        if self._token is None:
            return
        arguments = self.arguments()
        self._token = None
        if not self._is_heard:
            self._backend.abandoned[arguments] = self.RELEASE
        elif self._leaves_mark:
            try:
                self._backend.ask(self.RELEASE, arguments, time.monotonic())
            except tooz.ToozError:
                self._backend.abandoned[arguments] = self.RELEASE

    def _release(self):
        arguments = self.arguments()
        self._backend.held.pop(arguments, None)
        self._token = None
        held = self._is_held_by_clock()
        try:
            answer = self._backend.ask(self.RELEASE, arguments, times=1)
        except tooz.ToozError:
            self._backend.abandoned[arguments] = self.RELEASE
            raise
        return held and bool(answer)

    def _abandon(self):
        self._backend.abandoned[self.arguments()] = self.RELEASE

    def _pause(self, turn, seconds):
        self._backend.listen()
        turn.wait(min(seconds, max(self._left, self.FIRST_PAUSE),
                      self._backend.lease / 3))

    def _holders(self):
        tokens = self._backend.ask(redis_scripts.HOLDERS, self.arguments())
        return [token.decode().partition(' ')[2] or 'a lock of tooz'
                for token in tokens if token != self._token]


class ReadLock(_RedisLock):
    """The read lock of one name. See the module for the algorithm."""

    kind = 'read'
    ACQUIRE = redis_scripts.READ_ACQUIRE
    RENEW = redis_scripts.READ_RENEW
    RELEASE = redis_scripts.READ_RELEASE


class WriteLock(_RedisLock):
    """The write lock of one name. See the module for the algorithm."""

    kind = 'write'
    ACQUIRE = redis_scripts.WRITE_ACQUIRE
    RENEW = redis_scripts.WRITE_RENEW
    RELEASE = redis_scripts.WRITE_RELEASE
    _leaves_mark = True


class Backend(base.Backend):
    """Locks on the Redis server of tooz's driver, over its connections.

    :param str url: The coordination URL, not looked at: tooz has done so.
    :param coordinator: The started tooz coordinator.
    :raises tooz.NotImplemented: The server is older than Redis 5.
    :raises tooz.ToozError: The server does not answer.
    :ivar float lease: The time in seconds after which a lock expires that is
        not renewed.
    :ivar held: Arguments of requests -> the lock that is held with them.
    :ivar abandoned: Arguments of requests that failed -> the script that
        undoes them.
    """

    READ_LOCK = ReadLock
    WRITE_LOCK = WriteLock

    def __init__(self, url, coordinator):
        self._coordinator = coordinator
        self._client = tooz_internals.redis_client(coordinator)
        try:
            version = self._client.info('server')['redis_version']
        except exceptions.RedisError as error:
            raise _tooz_error(error) from error
        if not versionutils.is_compatible('5.0', version, same_major=False):
            raise tooz.NotImplemented('Redis %s is too old' % version)
        self.lease = coordinator.lock_timeout
        self.held = weakref.WeakValueDictionary()
        self.abandoned = {}
        self._listener = None
        self._pool = self._client.connection_pool
        self._connect = self._pool.get_connection
        if redis.VERSION < (5, 3):
            self._connect = functools.partial(self._connect, 'EVALSHA')
        tooz_internals.beat_with(coordinator, self._heartbeat)

    def _lock(self, lock_class, name, purpose):
        return lock_class(self, self._coordinator.get_lock(name).name,
                          purpose)

    def queue(self, key):
        """Return the key of the waiters of this coordinator for a lock.

        :param bytes key: The key of tooz's lock.
        """
        return (id(self), key)

    def ask(self, script, arguments, deadline=None, times=2):
        """Run a script on the server.

        :param redis_scripts.Script script: What to run.
        :param arguments: What :meth:`_RedisLock.arguments` returns.
        :param float deadline: When to stop waiting for the answer, by
            ``time.monotonic()`` in seconds, or None for no bound of ours.
        :param int times: How often to send it if the connection breaks.
        :returns: What the script returns.
        :raises tooz.coordination.OperationTimedOut: The deadline has passed.
        :raises tooz.ToozError: The server failed.
        """
        [answer] = _within(deadline, self._ask_all, [(script, arguments)],
                           times)
        if isinstance(answer, exceptions.ResponseError):
            raise tooz.ToozError(str(answer)) from answer
        return answer

    def listen(self):
        """Have the first waiters told that they could go on."""
        if self._listener is None or not self._listener.is_alive():
            self._listener = threading.Thread(target=self._listen,
                                              daemon=True)
            self._listener.start()

    def _listen(self):
        until = time.monotonic() + LISTEN
        try:
            with self._client.pubsub(ignore_subscribe_messages=True) as hints:
                hints.subscribe(redis_scripts.CHANNEL)
                while time.monotonic() < until:
                    hint = hints.get_message(timeout=1)
                    if hint:
                        turns.wake_first(self.queue(hint['data']))
        except exceptions.RedisError as error:
            LOG.debug('Waiters are not told of releases: %s', error)
            time.sleep(1)

    def _heartbeat(self):
        began = time.monotonic()
        held = [(reference(), reference.key)
                for reference in self.held.valuerefs()]
        held = [(lock, arguments) for lock, arguments in held if lock]
        abandoned = list(self.abandoned.items())
        answers = self._ask_all(
            [(lock.RENEW, arguments) for lock, arguments in held] +
            [(script, arguments) for arguments, script in abandoned])
        for (lock, arguments), answer in zip(held, answers):
            # It may have been released meanwhile, or the server was in no
            # state to renew anything, so that the lease goes on to run out.
            if answer in (0, 1) and self.held.get(arguments) is lock:
                lock.note_renewal(answer, began)
        for arguments, _script in abandoned:
            del self.abandoned[arguments]

    def _ask_all(self, requests, times=2):
        """Send requests together, once more if the connection breaks.

        :param requests: Pairs of a script and its keys and arguments.
        :returns: Their answers, of which any can be a ResponseError.
        """
        if not requests:
            return []
        while True:
            times -= 1
            try:
                return self._converse(requests)
            except exceptions.RedisError as error:
                if not (times and isinstance(
                        error, exceptions.ConnectionError)):
                    raise _tooz_error(error) from error

    def _converse(self, requests):
        connection = self._connect()
        try:
            answers = _exchange(connection, [
                (b'EVALSHA', script.sha, b'2', *arguments)
                for script, arguments in requests])
            if any(isinstance(answer, exceptions.NoScriptError)
                   for answer in answers):
                answers = _exchange(connection, [
                    (b'EVAL', script.text, b'2', *arguments)
                    for script, arguments in requests])
            return answers
        except BaseException:
            connection.disconnect()
            raise
        finally:
            self._pool.release(connection)


def _exchange(connection, commands):
    connection.send_packed_command(connection.pack_commands(commands))
    answers = []
    for _command in commands:
        try:
            answers.append(connection.read_response())
        except exceptions.ResponseError as error:
            answers.append(error)
    return answers


def _tooz_error(error):
    """Return what tooz's driver makes of an error of redis-py."""
    kind = tooz.ToozError
    if isinstance(error, (exceptions.ConnectionError,
                          exceptions.TimeoutError)):
        kind = coordination.ToozConnectionError
    return kind(str(error))


def _within(deadline, function, *args):
    """Call a function, but do not wait for it longer than until a deadline.

    :param float deadline: By ``time.monotonic()``, in seconds; or None.
    :raises tooz.coordination.OperationTimedOut: The function still runs.
    """
    if deadline is None:
        return function(*args)
    future = futures.Future()

    def run():
        try:
            future.set_result(function(*args))
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return future.result(max(deadline - time.monotonic(), PATIENCE))
    except futures.TimeoutError:
        raise coordination.OperationTimedOut(
            'The Redis server does not answer in time') from None
