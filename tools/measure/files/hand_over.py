# SPDX-License-Identifier: Apache-2.0

"""How long a lock lies free between its holders and those who wait for it.

From just before the last holder's release until the waiter has its lock; of
several waiting readers, until the last one has. The waiters are threads of
the holders' process (inside) or of another one (between).
"""

import random
import statistics
import time

from tools.common.errors import ToolError
from tools.measure.files.peer import NAME
from tools.measure.files.peer import Peer
from tools.measure.files.waiters import Waiters

ROUNDS = 60
READERS = 3
# How long, in seconds, holders keep a waiter waiting. Longer than it takes a
# waiter to reach its longest interval, and spread, so that a release falls on
# any point of the interval.
HOLD = (0.04, 0.08)


def measure(backend, directory):
    """Return the medians and 95th percentiles in milliseconds.

    :param backend: the file backend of read and write locks
    :param directory: the directory of the lock files, as text
    """
    def inside(kind, number):
        return Waiters([getattr(backend, kind)(NAME)
                        for _waiter in range(number)])

    with Peer(directory) as peer:
        return {
            **_to_writer(backend, 'writer_inside', inside),
            **_to_writer(backend, 'writer_between', peer.arrive),
            **_to_readers(backend, 'readers_inside', inside),
            **_to_readers(backend, 'readers_between', peer.arrive),
        }


def _to_writer(backend, key, arrive):
    return _summary(key, [
        hand_over([backend.read_lock(NAME) for _reader in range(READERS)],
                  lambda: arrive('write_lock', 1))
        for _round in range(ROUNDS)])


def _to_readers(backend, key, arrive):
    return _summary(key, [
        hand_over([backend.write_lock(NAME)],
                  lambda: arrive('read_lock', READERS))
        for _round in range(ROUNDS)])


def hand_over(holders, arrive):
    """Hold, let others wait, release, and time the last one's acquire.

    :param holders: list of locks that can be held together, not acquired
    :param arrive: function that starts the waiters and returns an object
        whose last() is the time when the last one got its lock
    :returns: seconds
    :raises ToolError: if it got the lock while there were holders
    """
    for holder in holders:
        holder.acquire()
    waiters = arrive()
    time.sleep(random.uniform(*HOLD))
    for holder in holders[:-1]:
        holder.release()
    begin = time.monotonic()
    holders[-1].release()
    seconds = waiters.last() - begin
    if seconds < 0:
        raise ToolError('all waiters got the lock before its last holder '
                         'released it')
    return seconds


def _summary(key, seconds):
    milliseconds = [1000 * second for second in seconds]
    return {
        key: statistics.median(milliseconds),
        key + '_p95': statistics.quantiles(milliseconds, n=20)[-1],
    }
