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

"""Read and write locks on the lock files of tooz's file driver.

A lock is a record lock on the file that tooz uses for the same name. It is
of the kind that belongs to the open file (``F_OFD_SETLK``) and not to the
process: closing another descriptor of the file drops nothing, threads of one
process exclude each other as processes do, and the kernel frees the lock
when its holder dies. The classic locks that tooz and an older Cinder take on
the whole file exclude these, and the other way round.

Byte 0 of the file is the gate, byte 1 is the lock.

* A reader locks both bytes shared, in one step, and leaves the gate.
* A writer locks the gate exclusively, then the lock, and keeps both. While
  it waits for the readers that are there to finish, it holds the gate
  already, so a reader that arrives later waits before the gate.

Whoever has got the lock looks whether the file still stands at its path. If
it was removed meanwhile, others may lock a new file there, so the waiter
starts over with that one. A lock file may be removed under the exclusive
lock on the whole file; see ``Coordinator.remove_lock``.

The kernel walks through all locks of a file to set one, so the readers of
one process share an open file: the first one locks it, the last one to leave
unlocks it, and who comes between only looks whether the gate is free.

Nobody sleeps in the kernel, where a wait would stop every greenthread of the
process. A waiter asks again instead, at growing intervals up to
``LONGEST_POLL``. The waiters of one process stand in a queue in the order of
their arrival: only the first one asks, and a release in the same process
wakes it at once, so the interval counts between processes only. Nobody who
arrives while others stand in the queue goes past them. Between waiters of
several processes the gate keeps no order until one of them has passed it.

A child made by fork shares the open files. It closes its descriptors at
once, and a release unlocks before it closes, so a child neither holds nor
keeps a lock of its parent.

Do not take tooz's own lock (``Coordinator.get_lock``) and one of these on the
same name in the same process: closing a descriptor of the file here would
drop tooz's lock there, by the rules for classic record locks.

See fcntl(2), "Open file description locks".
"""

import collections
import fcntl
import os
import struct
import threading
import time
import weakref

from oslo_log import log
from oslo_utils import netutils
import tooz
from tooz import utils as tooz_utils

from cinder.rwlock import base

LOG = log.getLogger(__name__)

FIRST_POLL = 0.001
LONGEST_POLL = 0.02

GATE = 0
LOCK = 1


def _record(lock_type, start, length):
    """Return a struct flock for ``length`` bytes from ``start`` on."""
    return struct.pack('hhqqi', lock_type, os.SEEK_SET, start, length, 0)


_SHARE_GATE_AND_LOCK = _record(fcntl.F_RDLCK, GATE, 2)
_SHARE_GATE = _record(fcntl.F_RDLCK, GATE, 1)
_LEAVE_GATE = _record(fcntl.F_UNLCK, GATE, 1)
_TAKE_GATE = _record(fcntl.F_WRLCK, GATE, 1)
_TAKE_LOCK = _record(fcntl.F_WRLCK, LOCK, 1)
_LEAVE_ALL = _record(fcntl.F_UNLCK, GATE, 2)

_mutex = threading.RLock()
"""Guards what follows, and the number of holders of every lock file.

Garbage collection can free a lock in a thread that has it already.
"""

_locks = weakref.WeakSet()
"""All locks of this process."""

_queues = {}
"""Path -> the waiters of this process, first come first."""

_shared = {}
"""Path -> the lock file that the readers of this process share."""


def _disown_after_fork():
    global _mutex
    _mutex = threading.RLock()
    for lock in _locks:
        lock.disown()
    _shared.clear()
    _queues.clear()


os.register_at_fork(after_in_child=_disown_after_fork)


class _LockFile:
    """An open lock file.

    :param str path: Where it stands; it is made if it does not exist.
    :ivar int holders: How many locks of this process hold it.
    :raises OSError: It cannot be opened.
    """

    def __init__(self, path):
        self._path = path
        self.holders = 0
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        status = os.fstat(self._fd)
        self._inode = status.st_ino
        self._device = status.st_dev

    def __del__(self):
        self.close()

    def close(self):
        """Close the file. If no other process has it, its locks are gone."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def lock(self, records):
        """Set record locks one after the other, as long as none is refused.

        :param records: What :func:`_record` made, in the order to set.
        :returns: Whether all are set.
        :raises OSError: The file cannot be locked.
        """
        try:
            for record in records:
                fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, record)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def gate_is_free(self):
        """Return whether no writer of another process waits or holds."""
        found = fcntl.fcntl(self._fd, fcntl.F_OFD_GETLK, _SHARE_GATE)
        return found[:2] == _LEAVE_GATE[:2]

    def stands_in_place(self):
        """Return whether the file at the path is still this one."""
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            return False
        return (status.st_ino == self._inode and
                status.st_dev == self._device)

    def unlock(self):
        """Take all record locks of this open file away."""
        fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, _LEAVE_ALL)

    def is_removed(self):
        """Return whether the file was unlinked."""
        return os.fstat(self._fd).st_nlink == 0


class _FileLock(base.Lock):
    """What read and write locks do alike.

    :param str name: The path of the lock file.
    """

    _records = ()
    """The record locks to set, in their order."""

    _shares_file = False
    """Whether holders in one process share an open file."""

    def __init__(self, name):
        super().__init__(name)
        self._file = None
        self._thread = None
        with _mutex:
            _locks.add(self)

    def disown(self):
        """Forget that the lock is acquired, in a child that did not."""
        self.acquired = False
        if self._file is not None:
            self._file.close()
            self._file = None

    def is_still_owner(self):
        return self.acquired and self._file.stands_in_place()

    def acquire(self, blocking=True):
        if self.acquired:
            raise RuntimeError('Lock %s is acquired already' % self.name)
        deadline = None
        if blocking is not True and blocking is not False:
            deadline = time.monotonic() + blocking
        self._thread = threading.get_ident()
        try:
            if self.name not in _queues:
                self.acquired = self._try_acquire()
            if not self.acquired and blocking:
                self._refuse_to_wait_for_itself()
                self.acquired = self._wait(deadline)
        except OSError as error:
            raise tooz.ToozError('Lock file %s cannot be locked: %s' %
                                 (self.name, error.strerror)) from error
        finally:
            if not self.acquired:
                self._close()
        return self.acquired

    def release(self):
        if not self.acquired:
            return False
        self.acquired = False
        lock_file = self._file
        lost = lock_file.is_removed()
        with _mutex:
            lock_file.holders -= 1
            if lock_file.holders:
                self._file = None
            else:
                if self.name in _shared and _shared[self.name] is lock_file:
                    del _shared[self.name]
                lock_file.unlock()
        if self.name in _queues:
            _wake_first(self.name)
        if lost:
            LOG.warning('Lock %s was lost: its file was removed while the '
                        'lock was held', self.name)
        return not lost

    def __del__(self):
        if self.acquired:
            LOG.warning('Lock %s was not released by its holder', self.name)
            self.release()

    def _try_acquire(self):
        while True:
            if self._shares_file and self.name in _shared and self._join():
                return True
            lock_file = self._file
            if lock_file is None:
                lock_file = self._file = _LockFile(self.name)
            if not lock_file.lock(self._records):
                return False
            if lock_file.stands_in_place():
                lock_file.holders = 1
                if self._shares_file:
                    _shared.setdefault(self.name, lock_file)
                return True
            self._close()

    def _join(self):
        with _mutex:
            lock_file = _shared.get(self.name)
            if not (lock_file and lock_file.gate_is_free() and
                    lock_file.stands_in_place()):
                return False
            lock_file.holders += 1
        self._close()
        self._file = lock_file
        return True

    def _close(self):
        if self._file is not None and not self._file.holders:
            self._file.close()
        self._file = None

    def _wait(self, deadline):
        turn = threading.Event()
        with _mutex:
            queue = _queues.setdefault(self.name, collections.deque())
            queue.append(turn)
        poll = FIRST_POLL
        try:
            while True:
                bound = None
                if queue[0] is turn:
                    turn.clear()
                    if self._try_acquire():
                        return True
                    bound = poll
                    poll = min(2 * poll, LONGEST_POLL)
                if deadline is not None:
                    left = deadline - time.monotonic()
                    if left <= 0:
                        return False
                    bound = left if bound is None else min(bound, left)
                turn.wait(bound)
        finally:
            with _mutex:
                queue.remove(turn)
                if not queue:
                    del _queues[self.name]
            _wake_first(self.name)

    def _refuse_to_wait_for_itself(self):
        with _mutex:
            locks = list(_locks)
        if any(lock.acquired and lock.name == self.name and
               lock._thread == self._thread for lock in locks):
            raise RuntimeError('The calling thread holds lock %s already '
                               'and would wait for itself' % self.name)


def _wake_first(name):
    with _mutex:
        if name in _queues:
            _queues[name][0].set()


class ReadLock(_FileLock):
    """The read lock of one name. See the module for the algorithm.

    :param str name: The path of the lock file.
    """

    _records = (_SHARE_GATE_AND_LOCK, _LEAVE_GATE)
    _shares_file = True


class WriteLock(_FileLock):
    """The write lock of one name. See the module for the algorithm.

    :param str name: The path of the lock file.
    """

    _records = (_TAKE_GATE, _TAKE_LOCK)


class Backend:
    """Locks in the directory of tooz's file driver.

    :param str url: The coordination URL, ``file://DIRECTORY``.
    :param coordinator: The started tooz coordinator, not used.
    """

    def __init__(self, url, coordinator):
        self._directory = netutils.urlsplit(url).path

    @staticmethod
    def supported():
        """Return whether this platform has open file description locks."""
        return hasattr(fcntl, 'F_OFD_SETLK')

    def read_lock(self, name):
        """Return the read lock of a name.

        :param bytes name: The name as tooz gets it.
        :returns: A ReadLock that is not acquired.
        """
        return ReadLock(self._path(name))

    def write_lock(self, name):
        """Return the write lock of a name.

        :param bytes name: The name as tooz gets it.
        :returns: A WriteLock that is not acquired.
        """
        return WriteLock(self._path(name))

    def _path(self, name):
        return tooz_utils.safe_abs_path(self._directory, name.decode())
