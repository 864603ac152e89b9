# SPDX-License-Identifier: Apache-2.0

"""A new read lock against the system calls that it makes.

The calls are written out below, from module ``posix``, since eventlet puts a
function of its own in the place of ``os.open``. Before anything is timed the
calls of the lock are recorded and compared with them, so the two cannot
drift apart unseen.
"""

import fcntl
import os
import posix
import struct
import sys

from tools.common.errors import ToolError
from tools.measure import turns

ROUNDS = 60
CALLS = 200

NAME = b'calls'
FLAGS = os.O_RDWR | os.O_CREAT


def _record(lock_type, length):
    return struct.pack('hhqqi', lock_type, os.SEEK_SET, 0, length, 0)


_SHARE_BOTH = _record(fcntl.F_RDLCK, 2)
_LEAVE_FIRST = _record(fcntl.F_UNLCK, 1)
_LEAVE_BOTH = _record(fcntl.F_UNLCK, 2)


def bare(path):
    """Make the system calls of one acquire and release, and nothing else."""
    fd = posix.open(path, FLAGS, 0o666)
    fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _SHARE_BOTH)
    fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _LEAVE_FIRST)
    posix.fstat(fd)
    posix.stat(path)
    posix.fstat(fd)
    fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _LEAVE_BOTH)
    posix.close(fd)


def measure(backend, url, coordinator):
    """Return the ratio of a new read lock to its bare system calls.

    :param backend: not used
    :param str url: the coordination URL, of files
    :param coordinator: not used
    :returns: dict of ``read_calls`` to the ratio
    :raises ToolError: if the lock makes other calls than bare()
    """
    from tools.measure.locks import patched

    read_lock = patched.rwlocks(url).read_lock
    path = read_lock(NAME).name

    def lock():
        new = read_lock(NAME)
        new.acquire()
        new.release()

    def calls():
        bare(path)

    check_same_calls(read_lock, path)
    seconds = turns.take_turns(ROUNDS, CALLS, lock=lock, calls=calls)
    return {'read_calls': turns.ratio(seconds['lock'], seconds['calls'])}


def check_same_calls(read_lock, path):
    """Raise ToolError unless a read lock makes the calls of bare().

    :param read_lock: function that makes a lock from its name in bytes
    :param path: the path of its lock file
    """
    new = [read_lock(NAME)]

    def use():
        lock = new.pop()
        lock.acquire()
        lock.release()

    made = sorted(_calls_made_by(use))
    written_out = sorted(_calls_made_by(lambda: bare(path)))
    if made != written_out:
        raise ToolError(
            'a read lock makes the system calls %s, but this benchmark '
            'has written out %s' % (' '.join(made), ' '.join(written_out)))


def _calls_made_by(function):
    calls = []

    def note(_frame, event, called):
        if (event == 'c_call' and
                called.__module__ in (posix.__name__, fcntl.__name__)):
            calls.append(called.__name__)

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return calls
