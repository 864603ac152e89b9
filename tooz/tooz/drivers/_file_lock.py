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

"""The locks of the file driver.

They are record locks of the kind that belongs to an open file, not to a
process (see "Open file description locks" in fcntl(2)). The kernel frees them
when their holder dies, threads exclude each other as processes do, and closing
another descriptor of the file drops nothing. The classic record lock that an
older tooz takes on the whole file conflicts with each of them.

* Every waiter locks a byte of its own, its ticket. Its offset is the time of
  arrival and the number of the process, so who came first has the lowest
  ticket.
* A holder locks all bytes from such an offset on, in the upper half of the
  offsets: with a read lock to share them, with a write lock to have them
  exclusively. All holders have the last byte, so they exclude each other, and
  the offset is for those who ask who holds the lock. A waiter locks them when
  no ticket that conflicts with its own comes before it.

Who comes when nobody waits, locks the whole file at once, which fails if
there is a holder or a ticket that conflicts, and then leaves the tickets.

In a process only the first waiter has a ticket, and all of them have their
place in the queue of the process. So nobody is overtaken once it is first in
its process. Before that, each time the first one of its process changes, those
of other processes that ask in just this moment can overtake it: that takes
some microseconds, so it hardly ever happens, and then once. Processes that
arrive in the same millisecond are ordered by their number.

To lock a file costs as much as it has locks, so the holders of one process
that share the lock share an open file. It lives as long as one of them has
a reference to it: an exception at any point leaves nothing to count down.

Who has got a lock looks whether its file still has a name, and starts over
with a new file if not. :meth:`FileLock.break_` and :meth:`FileLock.remove` use
this.
"""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import fcntl
import io
import os
import socket
import struct
import weakref

import tooz
from tooz import _sharing
from tooz import locking

_HOLDERS = 1 << 62
"""Where the bytes of holders begin, behind the tickets."""

_PROCESS_BITS = 22
"""How many bits the number of a process has on Linux."""


def _record(kind: int, start: int, end: int = 0) -> bytes:
    """Return a struct flock for the bytes up to ``end``, 0 for all."""
    return struct.pack(
        'hhqqi', kind, os.SEEK_SET, start, end and end - start, 0
    )


_KINDS = {True: fcntl.F_RDLCK, False: fcntl.F_WRLCK}
_WHOLE_FILE = {shared: _record(_KINDS[shared], 0) for shared in _KINDS}
_SHARED_TICKETS = _record(fcntl.F_RDLCK, 0, _HOLDERS)
_UNLOCK = _record(fcntl.F_UNLCK, 0)


def _open(path: str) -> io.FileIO:
    """Open a lock file, and make it if it does not exist."""
    try:
        return io.FileIO(path, 'r+', opener=_opener)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return io.FileIO(path, 'r+', opener=_opener)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o666)


class _Locks:
    """The locks of an open file, which are dropped with it.

    Nothing refers to it weakly: while ``__del__`` runs, a weak reference would
    bring it back, with locks that go in the next moment.
    """

    def __init__(self, stream: io.FileIO) -> None:
        self._stream = stream

    def __del__(self) -> None:
        self.drop()

    def drop(self) -> None:
        """Drop all locks and close the file."""
        if not self._stream.closed:
            # A child that is about to start a program has the file as well.
            fcntl.fcntl(self._stream, fcntl.F_OFD_SETLK, _UNLOCK)
            self._stream.close()


class _OpenFile:
    """An open lock file, whose locks go with it.

    :param stream: What :func:`_open` returns.
    :ivar is_shared: Whether several holds may have it.
    """

    def __init__(self, stream: io.FileIO) -> None:
        self._stream = stream
        self._descriptor = stream.fileno()
        self._locks = _Locks(stream)
        self.is_shared = False

    def unlock(self) -> None:
        """Drop all locks and close the file."""
        self._locks.drop()

    def close(self) -> None:
        """Close the file and leave its locks to others that have it open."""
        self._stream.close()

    def lock(self, record: bytes) -> bool:
        """Set or drop a record lock; return False if another one forbids."""
        try:
            fcntl.fcntl(self._descriptor, fcntl.F_OFD_SETLK, record)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def could_lock(self, record: bytes) -> bool:
        """Return whether no lock of another open file forbids this one."""
        answer = fcntl.fcntl(self._descriptor, fcntl.F_OFD_GETLK, record)
        return answer[:2] == _UNLOCK[:2]

    def has_a_name(self) -> bool:
        """Return whether the file has not been removed."""
        return os.fstat(self._descriptor).st_nlink > 0


_shared_files: weakref.WeakValueDictionary[str, _OpenFile] = (
    weakref.WeakValueDictionary()
)
"""Path -> the open file by which this process shares the lock."""


class _FileHold(_sharing.Hold):
    def __init__(
        self, lock: FileLock, shared: bool, deadline: float | None
    ) -> None:
        super().__init__(lock, shared, deadline)
        self.removes_file = False
        self._file: _OpenFile | None = None
        self._ticket = (int(self.since * 1000) << _PROCESS_BITS) + self.pid

    def try_acquire(self) -> bool:
        while True:
            held = self.shared and self._join()
            if not held:
                if self._file is None:
                    self._file = _OpenFile(_open(self.key))
                held = self._lock(self._file)
            assert self._file is not None  # narrow type
            if self._file.has_a_name():
                return held
            self.give_up()

    def _join(self) -> bool:
        """Share the open file of this process, unless somebody waits."""
        shared_file = _shared_files.get(self.key)
        if shared_file is None or not shared_file.has_a_name():
            return False
        if not shared_file.could_lock(_SHARED_TICKETS):
            return False
        self._file = shared_file
        return True

    def _lock(self, lock_file: _OpenFile) -> bool:
        kind = _KINDS[self.shared]
        holder = _HOLDERS + self._ticket
        if not self.waits:
            held = lock_file.lock(_WHOLE_FILE[self.shared])
        else:
            ticket = self._ticket
            held = (
                lock_file.lock(_record(kind, ticket, ticket + 1))
                and lock_file.could_lock(_record(kind, 0, ticket))
                and lock_file.lock(_record(kind, holder))
            )
        if held:
            lock_file.lock(_record(fcntl.F_UNLCK, 0, holder))
            if self.shared:
                lock_file.is_shared = True
                _shared_files[self.key] = lock_file
        return held

    def give_up(self) -> None:
        lock_file, self._file = self._file, None
        # An exception that somebody keeps has the file in its traceback.
        if lock_file is not None and not lock_file.is_shared:
            lock_file.unlock()

    def disown(self) -> None:
        if self._file is not None:
            self._file.close()

    def is_held(self) -> bool:
        return self._file is not None and self._file.has_a_name()

    def release(self) -> bool:
        held = self.is_held()
        if held and self.removes_file:
            with contextlib.suppress(OSError):  # It stays, as after a use.
                os.unlink(self.key)
        self.give_up()
        return held


class FileLock(_sharing.SharedLock[_FileHold]):
    """A file based lock."""

    def __init__(self, path: str) -> None:
        super().__init__(path, path)  # type: ignore[arg-type]

    def acquire(
        self,
        blocking: bool | float = True,
        shared: bool = False,
        timeout: float | None = None,
    ) -> bool:
        try:
            return super().acquire(blocking, shared, timeout)
        except OSError as error:
            raise tooz.ToozError(
                f"Lock file {self.name!r} cannot be locked: {error.strerror}",
                error,
            ) from error

    def remove(self) -> bool:
        """Release the lock and remove its file, if it is not shared.

        Those who wait for the lock go on with a new file.

        :returns: As :meth:`release`.
        """
        if self.acquired:
            self._holds[-1].removes_file = not self._holds[-1].shared
        return self.release()

    def owners(self) -> list[locking.Owner]:
        return super().owners() + [
            owner
            for owner in _owners(self.key)
            if owner.process != os.getpid()
        ]

    def break_(self) -> bool:
        """Remove the file, so that its locks mean nothing any more."""
        try:
            if _OpenFile(_open(self.key)).could_lock(_WHOLE_FILE[False]):
                return False
            os.unlink(self.key)
        except FileNotFoundError:
            return False
        return True

    def _new_hold(self, shared: bool, deadline: float | None) -> _FileHold:
        return _FileHold(self, shared, deadline)


def _owners(path: str) -> Iterator[locking.Owner]:
    """Tell what the kernel knows about the locks of a file.

    :returns: For each process one holder that shares the lock, and the first
        of those who wait.
    """
    try:
        inode = os.stat(path).st_ino
        with open('/proc/locks') as stream:
            locks = [line.split() for line in stream]
    except FileNotFoundError:
        return
    for _, kind, _, access, process, file_id, start, *_ in locks:
        if not file_id.endswith(f':{inode}'):
            continue
        offset = int(start)
        since = None
        if kind == 'OFDLCK':
            if not offset:  # It has locked the whole file in this moment.
                continue
            milliseconds = offset % _HOLDERS >> _PROCESS_BITS
            since = _sharing.wall_time(milliseconds / 1000)
            process = str(offset % (1 << _PROCESS_BITS))
        yield locking.Owner(
            kind != 'OFDLCK' or offset >= _HOLDERS,
            access == 'READ',
            int(process),
            socket.gethostname(),
            since,
        )
