# SPDX-License-Identifier: Apache-2.0

"""Readers of one name against as many readers of as many names.

They are threads of one process. Each acquires its lock, lets the others run
and releases it, again and again.
"""

import statistics
import threading
import time

from tools.measure.locks.backends import CROWDS
from tools.measure import turns

ROUNDS = 15
SECONDS = 0.1
"""About how long one reader alone would take for the work of all."""


def measure(backend, url, coordinator):
    """Return rates in acquires a second, and the ratios of the times.

    :param backend: not used
    :param url: not used
    :param coordinator: Cinder's coordinator, started
    """
    def one(number):
        return [coordinator.get_read_lock('crowd')
                for _reader in range(number)]

    def names(number):
        return [coordinator.get_read_lock('crowd-%d' % reader)
                for reader in range(number)]

    alone, = one(1)
    seconds_of(alone, 2)
    uses = max(1, round(SECONDS / (seconds_of(alone, 5) / 5)))
    found = _take_turns({'one_1': one(1)}, uses)
    for number in CROWDS:
        found.update(_take_turns({'one_%d' % number: one(number),
                                  'names_%d' % number: names(number)}, uses))
    values = {key: statistics.median(1 / second for second in seconds)
              for key, seconds in found.items()}
    for number in CROWDS:
        values['readers_%d' % number] = turns.ratio(
            found['one_%d' % number], found['names_%d' % number])
    return values


def _take_turns(crowds, uses):
    """Return the seconds of one use in each round, by name."""
    found = {name: [] for name in crowds}
    for number in range(1 + ROUNDS):
        for name in turns.forth_and_back(crowds, number):
            locks = crowds[name]
            each = max(1, round(uses / len(locks)))
            found[name].append(
                seconds_of_all(locks, each) / (each * len(locks)))
    return {name: seconds[1:] for name, seconds in found.items()}


def seconds_of_all(locks, uses):
    """Return how long a thread for each lock takes to use it so often."""
    barrier = threading.Barrier(len(locks) + 1)

    def read(lock):
        barrier.wait()
        _use(lock, uses)

    threads = [threading.Thread(target=read, args=(lock,)) for lock in locks]
    for thread in threads:
        thread.start()
    barrier.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begin


def seconds_of(lock, uses):
    """Return how long one thread takes to use a lock so often."""
    begin = time.perf_counter()
    _use(lock, uses)
    return time.perf_counter() - begin


def _use(lock, uses):
    for _use in range(uses):
        lock.acquire()
        time.sleep(0)
        lock.release()
