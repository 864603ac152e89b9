# SPDX-License-Identifier: Apache-2.0

"""Acquire and release of a lock that nobody else wants."""

import statistics
import timeit

from tools.measure.locks.contenders import contenders
from tools.measure import turns

ROUNDS = 30
SECONDS = 0.02
"""About how long tooz's lock is used in each round; the others as often."""


def measure(backend, url, coordinator):
    """Return the milliseconds of each lock and the ratios to the peers.

    :param backend: a tools.measure.locks.backends.Backend
    :param url: the coordination URL of its server
    :param coordinator: Cinder's coordinator of that URL, started
    """
    with contenders(url, coordinator) as locks:
        actions = {name: _use(lock) for name, lock in locks.items()}
        actions['tooz']()
        once = timeit.timeit(actions['tooz'], number=1)
        seconds = turns.take_turns(ROUNDS, max(10, round(SECONDS / once)),
                                   **actions)
    values = {name + '_ms': 1000 * statistics.median(timings)
              for name, timings in seconds.items()}
    for kind, peer in backend.ratios:
        values['%s_%s' % (kind, peer)] = turns.ratio(seconds[kind],
                                                     seconds[peer])
    return values


def _use(lock):
    def use():
        lock.acquire()
        lock.release()

    return use
