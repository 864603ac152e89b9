# SPDX-License-Identifier: Apache-2.0

"""The thousandth reader of one name against the first.

All readers of a round hold the lock together. The cost of a reader is the
time to make and acquire its lock while those before it hold theirs, and to
release and drop it while the same still do.
"""

import resource
import statistics
import time

from tools.common.errors import ToolError

ROUNDS = 25
READERS = 1000
COMPARED = 100
# Descriptors that the process needs for all else.
SPARE = 100


def measure(backend, url, coordinator):
    """Return the ratios of the costs of the last readers to the first.

    :param backend: not used
    :param str url: the coordination URL, of files
    :param coordinator: not used
    :returns: dict of ``reader`` and ``reader_acquire`` to a ratio
    :raises ToolError: if the process may not open so many files
    """
    from tools.measure.locks import patched

    allow_open_files(READERS + SPARE)
    rwlocks = patched.rwlocks(url)
    hold(rwlocks)
    return growth([hold(rwlocks) for _round in range(ROUNDS)])


def growth(rounds):
    """Return what measure() does.

    :param rounds: list of what hold() returned
    """
    return {
        'reader': statistics.median(
            _growth([sum(cost) for cost in zip(*costs)]) for costs in rounds),
        'reader_acquire': statistics.median(
            _growth(acquires) for acquires, _releases in rounds),
    }


def _growth(costs):
    return (statistics.median(costs[-COMPARED:]) /
            statistics.median(costs[:COMPARED]))


def hold(rwlocks, clock=time.perf_counter_ns):
    """Let READERS readers of one name hold its lock together.

    :param rwlocks: Cinder's backend of read and write locks
    :param clock: function that returns the time in nanoseconds
    :returns: two lists in the order of arrival, the nanoseconds that each
        reader took to acquire and to release
    """
    locks, acquires, releases = [], [], []
    for _reader in range(READERS):
        begin = clock()
        lock = rwlocks.read_lock(b'crowd')
        lock.acquire()
        acquires.append(clock() - begin)
        locks.append(lock)
    del lock
    while locks:
        begin = clock()
        locks.pop().release()
        releases.append(clock() - begin)
    releases.reverse()
    return acquires, releases


def allow_open_files(number):
    """Let this process open so many files.

    :raises ToolError: if the hard limit is lower
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _allows(soft, number):
        return
    if not _allows(hard, number):
        raise ToolError(
            '%d readers at once need %d open files, but the hard limit of '
            'this process is %d; raise it (ulimit -Hn)'
            % (READERS, number, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))


def _allows(limit, number):
    return limit == resource.RLIM_INFINITY or limit >= number
