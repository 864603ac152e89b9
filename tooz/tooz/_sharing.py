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

"""What the drivers whose locks can be shared have in common.

Any number of holders share a lock, one holder has it exclusively. All
drivers promise the same:

* First come, first served between shared and exclusive: who wants to share
  waits behind somebody who waits for the exclusive lock, so nobody starves.
* The bound of a wait covers all of it. Whoever gives up or dies leaves nothing
  behind that keeps others out.
* ``release()`` tells whether the lock was held until then. Until a lease has
  run out by the local clock, a server that does not answer takes no lock away.
* An exclusive lock of an older tooz, which cannot share, counts as well.

Every ``acquire()`` makes a :class:`Hold`. One lock object can have several:
it can be shared by several threads, or more than once by the same one. Only
the hold talks to the backend, and what it has there goes when the object is
released or dropped: whatever exception ends an acquire, no lock stays behind.

The waiters of a process stand in a queue for each lock. Only the first one
asks the backend, with pauses that grow, so a hundred waiters cost as much as
one; a release in the same process wakes it at once. Nobody sleeps in the
kernel or holds a mutex meanwhile, so with eventlet all others go on.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
import contextlib
import datetime
import logging
import os
import socket
import threading
import time
from typing import Any, Generic, TypeVar
import weakref

import tooz
from tooz import coordination
from tooz import locking
from tooz import utils

LOG = logging.getLogger(__name__)

LONG_WAIT: float = 10
"""Seconds of a wait after which the log tells who holds the lock. It does so
again each time the wait has taken twice as long."""

MOST_HOLDERS = 3
"""How many of them the log names."""

_CLOCK = getattr(time, 'CLOCK_BOOTTIME', time.CLOCK_MONOTONIC)


def now() -> float:
    """Return the seconds by a clock that goes on in a suspended machine."""
    return time.clock_gettime(_CLOCK)


class Lease:
    """For how long something on a server is ours, by the local clock.

    A server counts from when it gets a request, so counting from when the
    request was sent is on the safe side.

    :param seconds: How long the server keeps it without a renewal.
    :param sent: When it was asked for, by :func:`now`.
    """

    RETRY_PAUSE = 0.2
    """Seconds between a renewal that failed and the next."""

    def __init__(self, seconds: float, sent: float) -> None:
        self.seconds = seconds
        self._end = sent + seconds
        self._is_lost = False

    def left(self) -> float:
        """Return for how many seconds it is ours; 0 if it may be over."""
        return 0 if self._is_lost else max(self._end - now(), 0)

    def extend(self, sent: float) -> None:
        """Take note that the server has renewed it.

        :param sent: When it was asked to do so, by :func:`now`.
        """
        self._end = max(self._end, sent + self.seconds)

    def lose(self) -> None:
        """Take note that the server has given it up for good."""
        self._is_lost = True

    def bound(self) -> float:
        """Return how long one request may take, in seconds.

        It leaves time to try again before the lease is over.
        """
        return max(min(self.seconds / 4, self.left()), 0.1)

    def renew(self, ask: Callable[[float], bool]) -> bool:
        """Renew the lease, and try again while that may still help.

        :param ask: Renews it on the server. It gets the seconds that it may
            take and returns whether the server still had the lease.
        :returns: Whether the lease was renewed.
        """
        while self.left():
            sent = now()
            try:
                renewed = ask(self.bound())
            except tooz.ToozError as error:
                LOG.warning(
                    "A lease was not renewed; %.1f s are left: %s",
                    self.left(),
                    error,
                )
                time.sleep(min(self.RETRY_PAUSE, self.left()))
                continue
            if renewed:
                self.extend(sent)
            else:
                self.lose()
            return renewed
        return False


class Hold(abc.ABC):
    """One acquire of a lock, from the first request to the release.

    :param lock: The lock.
    :param shared: Whether to share it.
    :param deadline: When the wait ends, by :func:`now`, or None.
    :ivar lease: The lease that it is held under, if it has one.
    :ivar turn: Its place in the queue, once it has one.
    """

    def __init__(
        self, lock: SharedLock[Any], shared: bool, deadline: float | None
    ) -> None:
        self.shared = shared
        self.deadline = deadline
        self.purpose = lock.purpose
        self.key = lock.key
        self.since = now()
        self.pid = os.getpid()
        self.lease: Lease | None = None
        self.turn: _Turn | None = None
        self.acquired = False

    @property
    def waits(self) -> bool:
        """Whether it has a place in the queue, or had one.

        If not, what a request that is refused leaves in the backend is given
        up, unless the hold becomes the first in the queue.
        """
        return self.turn is not None

    @abc.abstractmethod
    def try_acquire(self) -> bool:
        """Ask the backend for the lock, and again while it is waited for.

        :returns: Whether the lock is held now.
        :raises tooz.coordination.OperationTimedOut: No answer came in time.
        :raises tooz.ToozError: The backend failed.
        """

    def pause(self, turn: _Turn, seconds: float) -> None:
        """Sleep before :meth:`try_acquire` is called again.

        A driver whose server tells of a release ends it then.

        :param turn: Its place in the queue, which a release in this process
            wakes.
        :param seconds: How long to sleep at most.
        """
        turn.wait(seconds)

    @abc.abstractmethod
    def give_up(self) -> None:
        """Remove what a wait has left in the backend. It never raises."""

    @abc.abstractmethod
    def is_held(self) -> bool:
        """Return whether the lock has not been lost."""

    @abc.abstractmethod
    def release(self) -> bool:
        """Release the lock.

        :returns: Whether it was held until now.
        :raises tooz.ToozError: The backend does not say; what is left there
            goes with the next heartbeat, or with the lease.
        """

    def disown(self) -> None:
        """Leave the lock to the parent, in a child that was forked."""

    def owner(self) -> locking.Owner:
        """Return what :meth:`tooz.locking.Lock.owners` tells of it."""
        return locking.Owner(
            self.acquired,
            self.shared,
            self.pid,
            socket.gethostname(),
            wall_time(self.since),
            self.purpose,
        )


HoldT = TypeVar('HoldT', bound=Hold)


def wall_time(moment: float) -> datetime.datetime:
    """Return the time of day at a moment by :func:`now`."""
    return datetime.datetime.fromtimestamp(
        time.time() - now() + moment, datetime.UTC
    )


class SharedLock(locking.Lock, Generic[HoldT]):
    """A lock that can be shared. A driver gives the class of its holds.

    :param name: The name of the lock.
    :param key: What all locks of this process that exclude each other have in
        common.
    """

    FIRST_PAUSE = 0.001
    LONGEST_PAUSE = 0.02

    def __init__(self, name: bytes, key: Any) -> None:
        self._holds: list[HoldT] = []
        super().__init__(name)
        self.key = key

    @property
    def acquired(self) -> bool:
        # A forked child has the object, but not the lock.
        return bool(self._holds) and self._holds[-1].pid == os.getpid()

    def is_still_owner(self) -> bool:
        return self.acquired and self._holds[-1].is_held()

    def acquire(
        self,
        blocking: bool | float = True,
        shared: bool = False,
        timeout: float | None = None,
    ) -> bool:
        blocking, timeout = utils.convert_blocking(blocking, timeout)
        deadline = None if timeout is None else now() + timeout
        hold = self._new_hold(shared, deadline)
        _holds[id(hold)] = weakref.ref(hold)
        try:
            hold.acquired = self._wait(hold, blocking)
        except coordination.OperationTimedOut:
            # A wait that ends before an answer comes is no failure.
            if deadline is None or now() < deadline:
                raise
        finally:
            if not hold.acquired:
                _holds.pop(id(hold), None)
                hold.give_up()
                if hold.turn is not None:
                    hold.turn.leave()
        if hold.acquired:
            self._holds.append(hold)
        return hold.acquired

    def release(self) -> bool:
        if not self.acquired:
            return False
        hold = self._holds.pop()
        hold.acquired = False
        held = hold.lease is None or hold.lease.left() > 0
        try:
            held = hold.release()
        except tooz.ToozError as error:
            LOG.warning(
                "Releasing lock %s got no answer: %s", self.name, error
            )
        finally:
            _holds.pop(id(hold), None)
            _wake(self.key)
        if not held:
            LOG.warning("Lock %s was lost while it was held", self.name)
        return held

    def owners(self) -> list[locking.Owner]:
        return [
            hold.owner()
            for hold in _all_holds()
            if hold.key == self.key
            and hold.pid == os.getpid()
            and (hold.acquired or hold.waits)
        ]

    def __del__(self) -> None:
        if self.acquired:
            LOG.warning("Unreleased lock %s garbage collected", self.name)

    @abc.abstractmethod
    def _new_hold(self, shared: bool, deadline: float | None) -> HoldT:
        """Return a hold that is not acquired yet."""

    def _wait(self, hold: HoldT, blocking: bool) -> bool:
        if not _queues.get(self.key) and hold.try_acquire():
            return True
        if not blocking:
            return False
        pause, long_wait = self.FIRST_PAUSE, LONG_WAIT
        turn = hold.turn = _Turn(self.key)
        try:
            if not turn.is_first():
                # Who is first would wait for what a refused request has left.
                hold.give_up()
            while True:
                is_first = turn.is_first()
                if is_first and hold.try_acquire():
                    return True
                waited = now() - hold.since
                if is_first and waited >= long_wait:
                    long_wait = 2 * waited
                    self._log_wait(hold.purpose, waited)
                seconds = pause if is_first else _Turn.LONGEST_WAIT
                if hold.deadline is not None:
                    seconds = min(seconds, hold.deadline - now())
                if seconds <= 0:
                    return False
                if is_first:
                    pause = min(2 * pause, self.LONGEST_PAUSE)
                    hold.pause(turn, seconds)
                else:
                    turn.wait(seconds)
        finally:
            turn.leave()

    def _log_wait(self, purpose: str, waited: float) -> None:
        """Log who holds the lock; the wait goes on whatever becomes of it."""

        def log() -> None:
            try:
                holders = _holders(self.owners())
            except Exception as error:
                # Its text may have the URL of a server.
                holders = f'that is not known ({type(error).__name__})'
            LOG.info(
                "Waiting for lock %s%s for %.0f s; held by %s",
                self.name,
                purpose and f' ({purpose})',
                waited,
                holders,
            )

        with contextlib.suppress(RuntimeError):  # no more threads
            threading.Thread(target=log, daemon=True).start()


class _Turn:
    """A place in the queue for a lock, until it is left or dropped."""

    LONGEST_WAIT = 1
    """Seconds after which a waiter looks who is in front of it: one that was
    dropped did not wake it."""

    def __init__(self, key: Any) -> None:
        self._key = key
        self._event = threading.Event()
        self._place = weakref.ref(self, lambda place: _leave(key, place))
        with _mutex:
            self._queue = _queues.setdefault(key, [])
            self._queue.append(self._place)

    def is_first(self) -> bool:
        """Return whether all who came before have left the queue."""
        if self._queue[0] is not self._place:
            return False
        self._event.clear()
        return True

    def wait(self, seconds: float) -> None:
        """Sleep until this waiter is woken, but no longer than that."""
        self._event.wait(seconds)

    def leave(self) -> None:
        """Leave the queue and wake the next one."""
        _leave(self._key, self._place)
        _wake(self._key)

    def wake(self) -> None:
        """End the sleep of this waiter."""
        self._event.set()


_holds: dict[int, weakref.ref[Hold]] = {}
"""All holds of this process, by their ``id()``."""

_queues: dict[Any, list[weakref.ref[_Turn]]] = {}
"""Key of a lock -> its waiters, first come first."""

_mutex = threading.RLock()
"""Guards the queues. The garbage collector can drop a turn in a thread that
has the mutex already."""


def _all_holds() -> list[Hold]:
    holds = (reference() for reference in list(_holds.values()))
    return [hold for hold in holds if hold is not None]


def _holders(owners: list[locking.Owner]) -> str:
    """Return a text that names those who hold the lock, not all if many."""
    texts = []
    for owner in owners:
        if not owner.acquired:
            continue
        text = 'an unknown process'
        if owner.host:
            text = f'process {owner.process} of {owner.host}'
        if owner.since:
            text += f' since {owner.since:%Y-%m-%d %H:%M:%S} UTC'
        if owner.purpose:
            text += f' ({owner.purpose})'
        texts.append(text)
    if len(texts) > MOST_HOLDERS:
        texts[MOST_HOLDERS:] = [f'{len(texts) - MOST_HOLDERS} others']
    return ', '.join(texts) or 'nobody now'


def _leave(key: Any, place: weakref.ref[_Turn]) -> None:
    with _mutex:
        queue = _queues.get(key, [])
        if place in queue:
            queue.remove(place)
        if not queue:
            _queues.pop(key, None)


def _wake(key: Any) -> None:
    if _queues.get(key):
        with _mutex:
            queue = _queues.get(key)
            turn = queue[0]() if queue else None
        if turn is not None:
            turn.wake()


def _disown_all() -> None:
    global _mutex
    _mutex = threading.RLock()
    _queues.clear()
    for hold in _all_holds():
        hold.disown()


os.register_at_fork(after_in_child=_disown_all)
