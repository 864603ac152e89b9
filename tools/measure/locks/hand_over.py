# SPDX-License-Identifier: Apache-2.0

"""How long a lock lies free between its holders and waiters elsewhere.

From just before the last holder's release until a waiter in another process
has the lock; of several waiting readers, until the last one has. Several
names are held and waited for at once, and then released one by one, so that a
long wait is waited only once.
"""

import random
import statistics
import time

from tools.common.errors import ToolError

WAITS = {'short': (0.2, 4), 'long': (3, 1)}
"""How long, in seconds, all wait before the first release, and how often."""
NAMES = 5
ROUNDS = {'%s_%s' % (part, wait): NAMES * times
          for part in ('writer', 'readers')
          for wait, (_seconds, times) in WAITS.items()}
READERS = 3
SPREAD = 0.1
"""At most so many seconds lie between the releases, so that they fall on any
point of the interval in which a waiter asks."""


def measure(backend, url, coordinator):
    """Return the medians in milliseconds.

    :param backend: a tools.measure.locks.backends.Backend
    :param url: the coordination URL of its server
    :param coordinator: Cinder's coordinator of that URL, started
    """
    from cinder.tests import line_process
    from tools.measure.locks import peer

    readers = READERS if backend.shared else 1
    parts = {'writer': ('read', readers, 'write', 1),
             'readers': ('write', 1, 'read', readers)}
    other = line_process.LineProcess(peer.__file__, url)
    try:
        values = {}
        for wait, (seconds, times) in WAITS.items():
            found = {part: [] for part in parts}
            for _time in range(times):
                for part, hand_over in hand_overs(
                        coordinator, other, parts, seconds):
                    found[part].append(1000 * hand_over)
            for part, milliseconds in found.items():
                values['%s_%s' % (part, wait)] = statistics.median(
                    milliseconds)
        return values
    finally:
        other.kill()


def hand_overs(coordinator, other, parts, seconds):
    """Yield a part and the seconds of a hand-over, NAMES times each part.

    :param coordinator: that of the holders
    :param other: the process of the waiters, of tools.measure.locks.peer
    :param parts: dict of name -> kind and number of the holders, kind and
        number of the waiters
    :param seconds: how long all wait before the first release
    :raises ToolError: if a waiter got a lock while it was held
    """
    held = []
    for number in range(NAMES):
        for part, (kind, holders, *waiters) in parts.items():
            name = 'hand-over-%s-%d' % (part, number)
            locks = [getattr(coordinator, 'get_%s_lock' % kind)(name)
                     for _holder in range(holders)]
            for lock in locks:
                lock.acquire()
            other.do('wait', name, *waiters)
            held.append((part, name, locks))
    time.sleep(seconds)
    for part, name, locks in held:
        time.sleep(random.uniform(0, SPREAD))
        for lock in locks[:-1]:
            lock.release()
        begin = time.monotonic()
        locks[-1].release()
        hand_over = other.do('last', name) - begin
        if hand_over < 0:
            raise ToolError('all waiters got the lock before its last '
                             'holder released it')
        yield part, hand_over
