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

"""What the locks of every backend have in common.

A lock is acquired in two steps. It is asked for once; if that fails and the
caller wants to wait, it gets a place in the queue of this process (see
:mod:`cinder.rwlock.turns`). The first of the queue asks again and again, with
pauses that grow from ``FIRST_PAUSE`` to ``LONGEST_PAUSE``; a backend that is
told of a release by its server ends the pause then. Where the server keeps a
queue of all waiters, each has its own place there and none waits here for
another of its process: such a lock gives itself a ``_queue`` of its own.
"""

import abc
import datetime
import os
import socket
import threading
import time
import weakref

from oslo_log import log
import tooz
from tooz import coordination

from cinder.rwlock import turns

LOG = log.getLogger(__name__)

FIRST_REPORT = 30
"""Seconds of waiting after which a waiter says so, then after twice as long,
and so on."""

_mutex = threading.RLock()
"""Guards ``_locks``. Garbage collection can free a lock in a thread that has
the mutex already."""

_locks = weakref.WeakSet()
"""All locks of this process."""


def _disown_after_fork():
    global _mutex
    _mutex = threading.RLock()
    turns.forget_all()
    for lock in _locks:
        lock.disown()


os.register_at_fork(after_in_child=_disown_after_fork)


class LockLost(tooz.ToozError):
    """A lock was lost while the body of a ``with`` statement ran."""


class Lock(abc.ABC):
    """A read or write lock, used as tooz's locks are.

    As a context manager it raises LockLost at the end if it was lost
    meanwhile, unless another error is on its way already.

    A backend gives the four methods that begin with an underscore and, where
    it can do better, the pauses.

    :param str name: The name of the lock, for log and error messages.
    :param key: What two locks of this process that can wait for each other
        have in common; the default is the name.
    :param str purpose: What the lock is held for, told to those who wait.
    :ivar str kind: ``read`` or ``write``.
    :ivar bool acquired: Whether it was acquired and not released since.
    """

    kind = None

    FIRST_PAUSE = 0.001
    LONGEST_PAUSE = 0.02

    def __init__(self, name, key=None, purpose=''):
        self.acquired = False
        self.name = name
        self.purpose = purpose
        self._key = key or name
        self._queue = self._key
        self._thread = None
        self._since = None
        self._lost = False
        with _mutex:
            _locks.add(self)

    def acquire(self, blocking=True):
        """Acquire the lock.

        :param blocking: True waits without a bound, False does not wait, a
            number is the bound of the wait in seconds.
        :returns: True if the lock is held now, False if it is not, or if the
            backend has not answered when the wait ends.
        :raises tooz.ToozError: The backend failed; the lock is not held.
        :raises RuntimeError: This lock is acquired already, or the calling
            thread would wait for a lock that it holds itself.
        """
        if self.acquired:
            raise RuntimeError('Lock %s is acquired already' % self.name)
        deadline = None
        if blocking is not True and blocking is not False:
            deadline = time.monotonic() + blocking
        self._thread = threading.get_ident()
        self._since = time.time()
        self._lost = False
        try:
            if not turns.are_taken(self._queue):
                self.acquired = self._try_acquire(deadline)
            if not self.acquired and blocking:
                self._refuse_to_wait_for_itself()
                self.acquired = self._wait(deadline)
        except coordination.OperationTimedOut:
            if deadline is None or time.monotonic() < deadline:
                raise
        finally:
            if not self.acquired:
                self._give_up()
        return self.acquired

    def release(self):
        """Release the lock.

        If the backend does not answer, the local clock decides, and what is
        left in the backend goes with the next heartbeat or after the lease.

        :returns: True if the lock was held until now, False if it was not
            acquired or has been lost.
        """
        if not self.acquired:
            return False
        held = self._is_held_by_clock()
        self.acquired = False
        try:
            held = self._release()
        except tooz.ToozError as error:
            LOG.warning('The release of the %s lock %s had no answer: %s',
                        self.kind, self.name, error)
        finally:
            turns.wake_first(self._queue)
        if not held:
            self._tell_lost()
        return held

    @abc.abstractmethod
    def is_still_owner(self):
        """Return whether the lock is acquired and has not been lost.

        The local clock is asked first, and then the backend. If that does
        not answer, the clock decides.
        """

    def disown(self):
        """Forget that the lock is acquired, in a child that did not."""
        self.acquired = False

    @abc.abstractmethod
    def _try_acquire(self, deadline):
        """Ask the backend once for the lock, or again while it is waited for.

        It may leave a mark in the backend that says that somebody waits.

        :param deadline: When the wait ends by ``time.monotonic()``, in
            seconds, or None if it has no bound.
        :returns: Whether the lock is held now.
        :raises tooz.coordination.OperationTimedOut: There is no answer in
            time, or none by the deadline.
        :raises tooz.ToozError: The backend failed.
        """

    @abc.abstractmethod
    def _give_up(self):
        """Remove what a wait has left in the backend. It never raises."""

    @abc.abstractmethod
    def _release(self):
        """Release the lock in the backend.

        :returns: Whether it was held until now.
        :raises tooz.ToozError: The backend failed.
        """

    def _is_held_by_clock(self):
        """Return whether the lease of the acquired lock cannot be over yet.

        A lock without a lease is held until its backend denies it.
        """
        return True

    def _abandon(self):
        """Have the lock freed by the next heartbeat or after its lease.

        Garbage collection calls it, in the middle of whatever a thread does:
        it sends no request and waits for nothing.
        """

    def _pause(self, turn, seconds):
        """Sleep between two questions to the backend.

        :param turn: The place in the queue, a :class:`turns.Turn`.
        :param float seconds: The bound of the sleep.
        """
        turn.wait(seconds)

    def _holders(self):
        """Return the owners that hold the lock, as far as one can tell.

        :rtype: list[str]
        :raises tooz.ToozError: The backend failed.
        """
        with _mutex:
            return [lock.owner() for lock in _locks
                    if lock.acquired and lock._key == self._key]

    def owner(self):
        """Return who acquires the lock, since when and for what."""
        since = datetime.datetime.fromtimestamp(
            self._since, datetime.timezone.utc)
        return 'process %d on %s since %s%s' % (
            os.getpid(), socket.gethostname(),
            since.isoformat(timespec='seconds'),
            self.purpose and ' for ' + self.purpose)

    def _tell_lost(self):
        if not self._lost:
            self._lost = True
            LOG.warning('The %s lock %s was lost while it was held',
                        self.kind, self.name)

    def _wait(self, deadline):
        began = time.monotonic()
        next_report = began + FIRST_REPORT
        pause = self.FIRST_PAUSE
        with turns.Turn(self._queue) as turn:
            if not turn.is_first():
                # What the first question has left in the backend would be in
                # the way of those who are in front here.
                self._give_up()
            while True:
                is_first = turn.is_first()
                if is_first and self._try_acquire(deadline):
                    return True
                now = time.monotonic()
                if deadline is not None and now >= deadline:
                    return False
                if now >= next_report:
                    self._report(now - began)
                    next_report = now + (now - began)
                left = next_report - now
                if deadline is not None:
                    left = min(left, deadline - now)
                if is_first:
                    self._pause(turn, min(pause, left))
                    pause = min(2 * pause, self.LONGEST_PAUSE)
                else:
                    turn.wait(left)

    def _report(self, seconds):
        try:
            holders = self._holders()
        except tooz.ToozError as error:
            holders = ['somebody, but the backend failed: %s' % error]
        if len(holders) > 5:
            holders[5:] = ['%d others' % (len(holders) - 5)]
        LOG.info('Waiting for the %s lock %s for %d s; it is held by %s',
                 self.kind, self.name, seconds,
                 '; '.join(holders) or 'another process')

    def _refuse_to_wait_for_itself(self):
        with _mutex:
            locks = list(_locks)
        if any(lock.acquired and lock._key == self._key and
               lock._thread == self._thread for lock in locks):
            raise RuntimeError('The calling thread holds lock %s already '
                               'and would wait for itself' % self.name)

    def __enter__(self):
        LOG.debug('Acquiring %s lock "%s"', self.kind, self.name)
        if not self.acquire():
            raise coordination.LockAcquireFailed(
                'Lock %s was not acquired' % self.name)
        LOG.debug('%s lock "%s" acquired :: waited %0.3fs',
                  self.kind.capitalize(), self.name, time.time() - self._since)
        return self

    def __exit__(self, exception_type, *exception):
        held = self.release()
        LOG.debug('%s lock "%s" %s', self.kind.capitalize(), self.name,
                  'released' if held else 'was not held any more')
        if not held and exception_type is None:
            raise LockLost('The %s lock %s was lost while it was held' %
                           (self.kind, self.name))

    def __del__(self):
        if self.acquired:
            self.acquired = False
            LOG.warning('The %s lock %s was not released by its holder',
                        self.kind, self.name)
            self._abandon()


class Backend(abc.ABC):
    """The locks of a coordinator. A backend gives the classes and _lock().

    :param str url: The coordination URL.
    :param coordinator: The started tooz coordinator of that URL.
    :raises tooz.NotImplemented: The backend has no shared locks here.
    """

    READ_LOCK = WRITE_LOCK = None

    def read_lock(self, name, purpose=''):
        """Return the read lock of a name.

        :param bytes name: The name as tooz gets it.
        :param str purpose: What the lock is held for.
        :returns: A :class:`Lock` that is not acquired.
        """
        return self._lock(self.READ_LOCK, name, purpose)

    def write_lock(self, name, purpose=''):
        """Return the write lock of a name.

        :param bytes name: The name as tooz gets it.
        :param str purpose: What the lock is held for.
        :returns: A :class:`Lock` that is not acquired.
        """
        return self._lock(self.WRITE_LOCK, name, purpose)

    def remove_lock(self, name):
        """Remove what is left of a lock, at the end of its use at the latest.

        :param bytes name: The name as tooz gets it.
        """

    @abc.abstractmethod
    def _lock(self, lock_class, name, purpose):
        """Return a lock of a class for a name."""
