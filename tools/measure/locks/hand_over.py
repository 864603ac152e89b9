# SPDX-License-Identifier: Apache-2.0

"""How long a lock lies free between its holders and those who wait for it.

From just before the last holder's release until the waiter has its lock; of
several waiting readers, until the last one has. The waiters are threads of
the holders' process (inside) or of another one. Several names are held and
waited for at once, and then released one by one, so that a long wait is
waited only once.
"""

import random
import statistics
import time

from tools.common.errors import ToolError
from tools.measure.locks.waiters import Waiters

WAITS = {'inside': (0.2, 6), 'short': (0.2, 6), 'long': (3, 1)}
"""How long, in seconds, all wait before the first release, and how often."""
NAMES = 5
ROUNDS = {f'{part}_{wait}{percentile}': NAMES * times
          for part in ('writer', 'readers')
          for wait, (_seconds, times) in WAITS.items()
          for percentile in ('', '_p95')}
READERS = 3
SPREAD = 0.1
"""At most so many seconds lie between the releases, so that they fall on any
point of the interval in which a waiter asks."""


def measure(backend, url, coordinator):
    """Return the medians and 95th percentiles in milliseconds.

    :param backend: a tools.measure.locks.backends.Backend
    :param str url: the coordination URL of its server
    :param coordinator: Cinder's coordinator of that URL, started
    :returns: dict of the keys of ROUNDS to milliseconds
    """
    from cinder.tests import line_process
    from tools.measure.locks import peer

    readers = READERS if backend.shared else 1
    parts = {'writer': ('read', readers, 'write', 1),
             'readers': ('write', 1, 'read', readers)}
    waiters = Waiters(coordinator)

    def inside(action, *args):
        return getattr(waiters, action)(*args)

    other = line_process.LineProcess(peer.__file__, url)
    try:
        values = {}
        for wait, (seconds, times) in WAITS.items():
            ask = inside if wait == 'inside' else other.do
            found = {part: [] for part in parts}
            for _time in range(times):
                for part, hand_over in hand_overs(
                        coordinator, ask, parts, seconds):
                    found[part].append(1000 * hand_over)
            for part, milliseconds in found.items():
                key = f'{part}_{wait}'
                values[key] = statistics.median(milliseconds)
                values[key + '_p95'] = statistics.quantiles(
                    milliseconds, n=20, method='inclusive')[-1]
        return values
    finally:
        other.kill()


def hand_overs(coordinator, ask, parts, seconds):
    """Yield a part and the seconds of a hand-over, NAMES times each part.

    :param coordinator: that of the holders
    :param ask: function that calls a method of the waiters' Waiters: its
        name, and its arguments
    :param parts: dict of name -> kind and number of the holders, kind and
        number of the waiters
    :param seconds: how long all wait before the first release
    :raises ToolError: if a waiter got a lock while it was held
    """
    held = []
    for number in range(NAMES):
        for part, (kind, holders, *waiters) in parts.items():
            name = f'hand-over-{part}-{number}'
            locks = [getattr(coordinator, f'get_{kind}_lock')(name)
                     for _holder in range(holders)]
            for lock in locks:
                lock.acquire()
            ask('wait', name, *waiters)
            held.append((part, name, locks))
    time.sleep(seconds)
    for part, name, locks in held:
        time.sleep(random.uniform(0, SPREAD))
        for lock in locks[:-1]:
            lock.release()
        begin = time.monotonic()
        locks[-1].release()
        hand_over = ask('last', name) - begin
        if hand_over < 0:
            raise ToolError('all waiters got the lock before its last holder '
                            'released it')
        yield part, hand_over
