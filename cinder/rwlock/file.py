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
lock on the whole file; see ``Coordinator.remove_lock``. While it is in use it
is marked instead, by a byte in it, and removed by the last one who releases
its lock. A waiter whose file was removed marks the new one: what it has
waited for is gone.

The kernel walks through all locks of a file to set one, so the readers of
one process share an open file: the first one locks it, the last one to leave
unlocks it, and who comes between only looks whether the gate is free.

Nobody sleeps in the kernel, where a wait would stop every greenthread of the
process. The first waiter of a process asks again instead, see
:mod:`cinder.rwlock.base`. A release in the same process wakes it at once, so
the pauses count between processes only. Between waiters of several processes
the gate keeps no order until one of them has passed it.

A child made by fork shares the open files. It closes its descriptors at
once, and a release unlocks before it closes, so a child neither holds nor
keeps a lock of its parent.

Do not take tooz's own lock (``Coordinator.get_lock``) and one of these on the
same name in the same process: closing a descriptor of the file here would
drop tooz's lock there, by the rules for classic record locks.

See fcntl(2), "Open file description locks".
"""

import fcntl
import os
import struct
import threading

from oslo_log import log
from oslo_utils import netutils
import tooz
from tooz import utils as tooz_utils

from cinder import lock_files
from cinder.rwlock import base

LOG = log.getLogger(__name__)

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
_TAKE_ALL = _record(fcntl.F_WRLCK, GATE, 2)
_LEAVE_ALL = _record(fcntl.F_UNLCK, GATE, 2)

_mutex = threading.RLock()
"""Guards ``_shared`` and the number of holders of every lock file. Garbage
collection can free a lock in a thread that has the mutex already."""

_shared = {}
"""Path -> the lock file that the readers of this process share."""


def _disown_after_fork():
    global _mutex
    _mutex = threading.RLock()
    _shared.clear()


os.register_at_fork(after_in_child=_disown_after_fork)


class _LockFile:
    """An open lock file.

    :param str path: Where it stands; it is made if it does not exist.
    :param bool marked: Whether to mark it.
    :ivar int holders: How many locks of this process hold it.
    :raises OSError: It cannot be opened.
    """

    def __init__(self, path, marked=False):
        self._path = path
        self.holders = 0
        self._fd = None
        while self._fd is None:
            # O_CREAT is refused for the files of others in a directory with
            # the sticky bit, and a link there can lead anywhere.
            try:
                self._fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
            except FileNotFoundError:
                lock_files.make(path)
        if marked:
            self.mark()
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

    def mark(self):
        """Have the file removed when nobody uses it any more."""
        os.ftruncate(self._fd, 1)

    def remove_if_marked(self):
        """Remove the file if it is marked and nobody has a lock on it."""
        if not os.fstat(self._fd).st_size:
            return
        try:
            if self.lock([_TAKE_ALL]) and self.stands_in_place():
                os.unlink(self._path)
        except OSError as error:
            LOG.warning('Lock file %s cannot be removed: %s', self._path,
                        error.strerror)
        finally:
            self.unlock()


class _FileLock(base.Lock):
    """What read and write locks do alike.

    :param str name: The path of the lock file.
    :param str purpose: What the lock is held for.
    """

    _records = ()
    """The record locks to set, in their order."""

    _shares_file = False
    """Whether holders in one process share an open file."""

    def __init__(self, name, purpose):
        super().__init__(name, purpose=purpose)
        self._file = None

    def acquire(self, blocking=True):
        try:
            return super().acquire(blocking)
        except OSError as error:
            raise tooz.ToozError('Lock file %s cannot be locked: %s' %
                                 (self.name, error.strerror)) from error

    def disown(self):
        super().disown()
        if self._file is not None:
            self._file.close()
            self._file = None

    def is_still_owner(self):
        return self.acquired and self._file.stands_in_place()

    def _try_acquire(self, deadline):
        is_removed = False
        while True:
            if self._shares_file and self.name in _shared and self._join():
                return True
            lock_file = self._file
            if lock_file is None:
                lock_file = self._file = _LockFile(self.name, is_removed)
            if not lock_file.lock(self._records):
                return False
            if lock_file.stands_in_place():
                lock_file.holders = 1
                if self._shares_file:
                    _shared.setdefault(self.name, lock_file)
                return True
            self._give_up()
            is_removed = True

    def _join(self):
        with _mutex:
            lock_file = _shared.get(self.name)
            if not (lock_file and lock_file.gate_is_free() and
                    lock_file.stands_in_place()):
                return False
            lock_file.holders += 1
        self._give_up()
        self._file = lock_file
        return True

    def _give_up(self):
        if self._file is not None and not self._file.holders:
            self._file.close()
        self._file = None

    def _abandon(self):
        # To unlock a file is a call to the kernel.
        self._release()

    def _release(self):
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
                lock_file.remove_if_marked()
        return not lost


class ReadLock(_FileLock):
    """The read lock of one name. See the module for the algorithm."""

    kind = 'read'
    _records = (_SHARE_GATE_AND_LOCK, _LEAVE_GATE)
    _shares_file = True


class WriteLock(_FileLock):
    """The write lock of one name. See the module for the algorithm."""

    kind = 'write'
    _records = (_TAKE_GATE, _TAKE_LOCK)


class Backend(base.Backend):
    """Locks in the directory of tooz's file driver.

    :param str url: The coordination URL, ``file://DIRECTORY``.
    :param coordinator: The started tooz coordinator, not used.
    :raises tooz.NotImplemented: This platform has no open file description
        locks.
    """

    READ_LOCK = ReadLock
    WRITE_LOCK = WriteLock

    def __init__(self, url, coordinator):
        if not hasattr(fcntl, 'F_OFD_SETLK'):
            raise tooz.NotImplemented(
                'this platform has no open file description locks')
        self._directory = netutils.urlsplit(url).path

    def remove_lock(self, name):
        lock_file = _LockFile(self._path(name), marked=True)
        lock_file.remove_if_marked()

    def _lock(self, lock_class, name, purpose):
        return lock_class(self._path(name), purpose)

    def _path(self, name):
        return tooz_utils.safe_abs_path(self._directory, name.decode())
