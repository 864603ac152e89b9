#
# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The locks of the Redis driver.

A lock has five keys on the server.

* The lock itself: a string that expires. It is the token of who holds the lock
  exclusively, or ``shared``. tooz 9.0 and 9.1, which know no more than this
  key, take the lock only while the key does not exist.
* The same under the name that the key had up to tooz 8. Whoever holds the lock
  has both, so those older ones are kept out, and keep others out, as well.
* Those who share it: a sorted set of their tokens, scored by when each one
  expires. It counts while the first two keys say ``shared``, which expire with
  the last of them and are deleted by the last to leave.
* The queue: a sorted set of tokens of those who wait, in order of arrival.
* When they asked last: the same tokens, scored by when a waiter that asks no
  more loses its place.

Every hold has a token of its own, which says who it is. Whoever asks for the
lock gets it if those two keys allow it and nobody waits in front. Else, a
waiter joins the queue. All this is one script, one step for the server, by the
server's clock, and to ask twice with one token does it once.

Whoever makes way, publishes the token of the first waiter, which then asks at
once: who releases the lock, who gives up waiting and, if the next one wants to
share it too, who has got a share. This is but a hint. A waiter asks again
after a second at the latest, so it also notices what nobody publishes: a
holder that died, or the release of an older tooz.

In a process only the first waiter stands in the queue of the server, and all
of them have their place in the queue of the process. So nobody is overtaken
once it is first in its process; before that, by each other process once each
time the first one of its own process changes. An older tooz stands in no
queue and can overtake whenever the lock is free.

With each heartbeat, all locks of the coordinator are renewed in one request.
A request that finds no answer within a quarter of the lease is tried again on
a new connection. What may be left on the server by a failure is removed with
the next heartbeat, and expires after one lease at the latest, since nobody
renews it.

What is not promised:

* A server that forgets its data forgets the locks: one that restarts without
  persistence, or a replica that is promoted before it has heard of them. So
  does one whose clock is stepped forward by more than what is left of a lease.
  Others can get the lock then. The holder is told by ``is_still_owner()`` at
  once, and by the log with the next heartbeat. A clock that is stepped back
  keeps the lock of a dead holder for as much longer.
* A master that is cut off from its replicas goes on to give and renew locks
  while a replica becomes the new master and gives them to others. With the
  option ``min-replicas-to-write`` it ends that after ``min-replicas-max-lag``
  seconds, and whoever has a lock from it knows of the loss when its lease is
  over. If ``down-after-milliseconds`` of the sentinels is more than the lag
  and a lease, no two hold a lock at any time; if it is just more than the lag,
  they do for one lease at most.
"""

from __future__ import annotations

import collections
import datetime
import json
import logging
import os
import secrets
import threading
import time
from typing import Any
import weakref

import redis
from redis import exceptions

import tooz
from tooz import _sharing
from tooz import coordination
from tooz.drivers import _redis_connections
from tooz.drivers import _redis_scripts
from tooz import locking

LOG = logging.getLogger(__name__)

_PATIENCE = 1
"""Seconds that a request gets at least, however short the wait may be."""

_PLACE = 10
"""Seconds after which a waiter that does not ask loses its place, at most."""

_LISTEN = 60
"""Seconds after which a process that listens subscribes anew."""


class LockServer(_redis_connections.Connections):
    """The server, as the locks of a coordinator see it.

    :param client: What knows how to connect to the server.
    :param lease: Seconds after which a lock expires that is not renewed.
    :param channel: Where is published whose turn it is.
    :ivar waiting: Token -> a hold that waits for its turn.
    :ivar abandoned: What failed requests may have left on the server, as the
        arguments of their scripts.
    """

    def __init__(
        self, client: redis.Redis, lease: float, channel: bytes
    ) -> None:
        super().__init__(client)
        self.lease = lease
        self.channel = channel
        self.abandoned: collections.deque[tuple[bytes, ...]] = (
            collections.deque()
        )
        self._client = client
        self.waiting: weakref.WeakValueDictionary[bytes, _RedisHold] = (
            weakref.WeakValueDictionary()
        )
        self._listener: threading.Thread | None = None

    def renew(self, *command: bytes) -> None:
        """Renew all locks, and remove what was abandoned.

        :param command: What to have done with the same request.
        :raises tooz.ToozError: It was not done.
        """
        holds = [
            hold
            for hold in _sharing._all_holds()
            if isinstance(hold, _RedisHold)
            and hold.server is self
            and hold.acquired
            and hold.pid == os.getpid()
            and hold.is_held_by_the_clock()
        ]
        abandoned = list(self.abandoned)
        requests = [
            *(
                _redis_connections.Request(
                    _redis_scripts.RENEW, hold.arguments
                )
                for hold in holds
            ),
            *(
                _redis_connections.Request(_redis_scripts.RELEASE, arguments)
                for arguments in abandoned
            ),
            _redis_connections.Request(None, command),
        ]
        reply = self.ask_all(requests, self.lease / 4)
        for hold, answer in zip(holds, reply.answers):
            hold.note_renewal(answer, reply.sent)
        for arguments in abandoned:
            self.abandoned.remove(arguments)
        _redis_connections.check(reply)

    def listen(self, hold: _RedisHold) -> None:
        """Have a hold woken when it is its turn."""
        self.waiting[hold.token] = hold
        if self._listener is None or not self._listener.is_alive():
            self._listener = threading.Thread(target=self._listen, daemon=True)
            self._listener.start()

    def _listen(self) -> None:
        until = _sharing.now() + _LISTEN
        try:
            client: Any = self._client
            with client.pubsub(ignore_subscribe_messages=True) as hints:
                hints.subscribe(self.channel)
                while self.waiting and _sharing.now() < until:
                    hint = hints.get_message(timeout=1)
                    hold = hint and self.waiting.get(hint['data'])
                    if hold and hold.turn:
                        hold.turn.wake()
        except exceptions.RedisError as error:
            LOG.debug('Waiters are not told of their turn: %s', error)
            time.sleep(1)


class _RedisHold(_sharing.Hold):
    _may_be_on_server = False
    _is_answered = False

    def __init__(
        self, lock: RedisLock, shared: bool, deadline: float | None
    ) -> None:
        super().__init__(lock, shared, deadline)
        self.server = lock.server
        owner = self.owner()
        assert owner.since is not None  # narrow type
        self.token = b'%s %s %s' % (
            b'shared' if shared else b'exclusive',
            secrets.token_hex(16).encode(),
            json.dumps(
                [
                    owner.process,
                    owner.host,
                    owner.since.timestamp(),
                    owner.purpose,
                ]
            ).encode(),
        )
        self.arguments = lock.arguments(self.token)

    def __del__(self) -> None:
        if self._may_be_on_server:
            self.abandon()

    def abandon(self) -> None:
        """Have what may be on the server removed with the next heartbeat."""
        self._may_be_on_server = False
        if self.pid == os.getpid():
            self.server.abandoned.append(self.arguments)

    def try_acquire(self) -> bool:
        seconds = self.server.lease
        if self.deadline is not None:
            seconds = max(self.deadline - _sharing.now(), _PATIENCE)
        place = 0
        if self.waits:
            self.server.listen(self)
            place = int(1000 * min(self.server.lease, _PLACE))
        self._may_be_on_server = True
        self._is_answered = False
        try:
            reply = self.server.ask(
                _redis_scripts.ACQUIRE,
                (*self.arguments[:-1], b'%d' % place),
                seconds,
            )
        except coordination.ToozConnectionError as error:
            if self.deadline is not None and _sharing.now() >= self.deadline:
                raise coordination.OperationTimedOut(str(error)) from error
            raise
        self._is_answered = True
        lease = _sharing.Lease(self.server.lease, reply.sent)
        if not reply.answers[0]:
            self._may_be_on_server = self.waits
            return False
        if not lease.left():
            # The answer came so late that somebody else may hold it now.
            return False
        self.lease = lease
        self.server.waiting.pop(self.token, None)
        return True

    def give_up(self) -> None:
        if self._may_be_on_server and self._is_answered:
            try:
                self.server.ask(
                    _redis_scripts.RELEASE, self.arguments, _PATIENCE
                )
                self._may_be_on_server = False
            except tooz.ToozError as error:
                LOG.debug('A waiter is left on the server: %s', error)
        if self._may_be_on_server:
            self.abandon()

    def is_held(self) -> bool:
        if self.is_held_by_the_clock():
            try:
                reply = self.server.ask(
                    _redis_scripts.RENEW, self.arguments, self.server.lease / 4
                )
                self.note_renewal(reply.answers[0], reply.sent)
            except tooz.ToozError as error:
                LOG.debug('A lock is held by the clock: %s', error)
        return self.is_held_by_the_clock()

    def is_held_by_the_clock(self) -> bool:
        """Return whether the lease is not over."""
        return self.lease is not None and self.lease.left() > 0

    def note_renewal(self, answer: Any, sent: float) -> None:
        """Take note of the answer to a renewal that was sent then."""
        if answer == 1:
            self.lease = _sharing.Lease(self.server.lease, sent)
        elif answer == 0 and self.acquired and self.lease is not None:
            self.lease.lose()
            LOG.warning('The server has lost lock %s', self.arguments[0])

    def release(self) -> bool:
        held = self.is_held_by_the_clock()
        try:
            reply = self.server.ask(
                _redis_scripts.RELEASE, self.arguments, self.server.lease / 4
            )
        except tooz.ToozError:
            self.abandon()
            raise
        self._may_be_on_server = False
        return held and bool(reply.answers[0] or not reply.is_first)


class RedisLock(_sharing.SharedLock[_RedisHold]):
    """A lock on a Redis server.

    :param name: The name of the lock, its key since tooz 9.
    :param former: Its key up to tooz 8.
    :param server: The connections to the server.
    """

    FIRST_PAUSE = 0.01
    LONGEST_PAUSE = 1

    def __init__(self, name: bytes, former: bytes, server: LockServer) -> None:
        super().__init__(name, (id(server), name))
        self.server = server
        self._former = former

    def arguments(self, token: bytes = b'') -> tuple[bytes, ...]:
        """Return the keys and the arguments of the scripts."""
        return (
            self.name,
            self._former,
            self.name + b'_shared',
            self.name + b'_queue',
            self.name + b'_asked',
            token,
            b'%d' % (1000 * self.server.lease),
            self.server.channel,
            b'0',
        )

    def heartbeat(self) -> bool:
        """Renew the lock; return whether it is held."""
        return self.is_still_owner()

    def break_(self) -> bool:
        reply = self.server.ask(
            _redis_scripts.BREAK, self.arguments(), self.server.lease
        )
        return bool(reply.answers[0])

    def owners(self) -> list[locking.Owner]:
        reply = self.server.ask(
            _redis_scripts.OWNERS, self.arguments(), self.server.lease
        )
        holders, waiters = reply.answers[0]
        known = {*holders, *waiters}
        return (
            [_owner(token, True) for token in holders]
            + [_owner(token, False) for token in waiters]
            + [
                hold.owner()
                for hold in _sharing._all_holds()
                if isinstance(hold, _RedisHold)
                and hold.key == self.key
                and hold.waits
                and hold.token not in known
            ]
        )

    def abandon(self) -> None:
        """Have the lock released with the next heartbeat."""
        while self.acquired:
            hold = self._holds.pop()
            hold.acquired = False
            hold.abandon()

    def _new_hold(self, shared: bool, deadline: float | None) -> _RedisHold:
        return _RedisHold(self, shared, deadline)


def _owner(token: bytes, acquired: bool) -> locking.Owner:
    kind, _, rest = token.partition(b' ')
    if not rest:
        # An older tooz tells no more than that it has the lock.
        return locking.Owner(acquired, False, None, '', None)
    process, host, since, purpose = json.loads(rest.partition(b' ')[2])
    return locking.Owner(
        acquired,
        kind == b'shared',
        process,
        host,
        datetime.datetime.fromtimestamp(since, datetime.UTC),
        purpose,
    )
