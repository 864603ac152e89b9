# SPDX-License-Identifier: Apache-2.0

"""The measures, each a function of a tools.measure.locks.program.Site.

It returns ``values``, a value for each key of the measure, and ``rounds``, of
how many each is the median, a number or one for each key.
"""

import random
import statistics
import time

from tools.common.errors import ToolError
from tools.measure.locks.backends import BACKENDS
from tools.measure.locks.backends import CROWDS
from tools.measure import turns


def uncontended(site):
    """Acquire and release a lock that nobody else wants.

    The lock object is made anew for each use, as Cinder does.
    """
    rounds, about = 30, 0.02
    owners = {lock: worker for worker in (site.patched(), site.released())
              for lock in worker.greeting}
    owners['tooz'].ask('seconds', 'tooz', 1)
    once = owners['tooz'].ask('seconds', 'tooz', 1)
    uses = max(10, round(about / once))

    def timer(lock):
        return lambda: owners[lock].ask('seconds', lock, uses)

    seconds = turns.take_turns(rounds, {lock: timer(lock) for lock in owners})
    values = {f'{lock}_ms': 1000 * statistics.median(timings)
              for lock, timings in seconds.items()}
    for kind, peer in BACKENDS[site.name].ratios:
        values[f'{kind}_{peer}'] = turns.ratio(seconds[kind], seconds[peer])
    return {'rounds': rounds, 'values': values}


def trips(site):
    """Count the round trips of an acquire and of a release.

    Heartbeats pass the proxy too, so a few counts are too high. The first
    acquire and release, which may open a connection or ask for a lease, do
    not count.
    """
    rounds, values = 9, {}
    proxy = site.proxy()
    for start in site.patched, site.released:
        worker = start(proxy.greeting)
        for lock in worker.greeting:
            counts = {'acquire': [], 'release': []}
            for _round in range(1 + rounds):
                proxy.ask('trips')
                worker.ask('acquire', lock)
                counts['acquire'].append(proxy.ask('trips'))
                worker.ask('release')
                counts['release'].append(proxy.ask('trips'))
            for step, (_first, *counted) in counts.items():
                values[f'{lock}_{step}'] = statistics.median(counted)
    return {'rounds': rounds, 'values': values}


WAITS = {'inside': (0.2, 6), 'short': (0.2, 6), 'long': (3, 1)}
"""How long, in seconds, all wait before the first release, and how often."""
NAMES = 5
SPREAD = 0.1
"""At most so many seconds lie between the releases, so that they fall on any
point of the interval in which a waiter asks."""
PARTS = {'writer': ((True, 3), (False, 1)), 'readers': ((False, 1), (True, 3))}
"""Whether holders share the lock, and how many; the same of the waiters."""


def hand_over(site):
    """Measure how long a lock lies free between holders and waiters.

    From just before the last holder's release until the waiter has its lock;
    of several waiting readers, until the last one has. The waiters are
    threads of the holders' process (inside) or of another one.
    """
    holder, other = site.patched(), site.patched()
    rounds, values = {}, {}
    for wait, (seconds, times) in WAITS.items():
        found = {part: [] for part in PARTS}
        for _time in range(times):
            for part, free in hand_overs(
                    holder, holder if wait == 'inside' else other, seconds):
                found[part].append(1000 * free)
        for part, milliseconds in found.items():
            key = f'{part}_{wait}'
            values[key] = statistics.median(milliseconds)
            values[f'{key}_p95'] = statistics.quantiles(
                milliseconds, n=20, method='inclusive')[-1]
            rounds[key] = rounds[f'{key}_p95'] = len(milliseconds)
    return {'rounds': rounds, 'values': values}


def hand_overs(holder, waiter, seconds):
    """Yield a part and the seconds of a hand-over, NAMES times each part.

    All names are held and waited for at once, and then released one by one,
    so that a long wait is waited only once.

    :param tools.measure.locks.program.Program holder: holds the locks
    :param tools.measure.locks.program.Program waiter: waits for them
    :param seconds: how long all wait before the first release
    :raises ToolError: if all waiters got a lock while it was held
    """
    names = {f'hand-over-{part}-{number}': part
             for number in range(NAMES) for part in PARTS}
    for name, part in names.items():
        holders, waiters = PARTS[part]
        holder.ask('hold', name, *holders)
        waiter.ask('wait', name, *waiters)
    time.sleep(seconds)
    for name, part in names.items():
        time.sleep(random.uniform(0, SPREAD))
        begin = holder.ask('let_go', name)
        free = waiter.ask('last', name) - begin
        if free < 0:
            raise ToolError('all waiters got the lock before its last holder '
                            'released it')
        yield part, free


def throughput(site):
    """Compare readers of one name with as many readers of as many names.

    They are threads of one process.
    """
    rounds, about = 15, 0.1
    worker = site.patched()
    worker.ask('read', ['one'], 2)
    uses = about / worker.ask('read', ['one'], 5)

    def timer(names):
        each = max(1, round(uses / len(names)))
        return lambda: worker.ask('read', names, each)

    seconds = turns.take_turns(rounds, {'one_1': timer(['one'])})
    for number in CROWDS:
        seconds |= turns.take_turns(rounds, {
            f'one_{number}': timer(number * ['one']),
            f'names_{number}': timer([f'name-{reader}'
                                      for reader in range(number)])})
    values = {key: statistics.median(1 / second for second in timings)
              for key, timings in seconds.items()}
    for number in CROWDS:
        values[f'readers_{number}'] = turns.ratio(
            seconds[f'one_{number}'], seconds[f'names_{number}'])
    return {'rounds': rounds, 'values': values}


def crowd(site):
    """Let one process hold 1,000 locks of one name, and 5,000 of as many.

    ``reader`` is what the last 100 readers of the one name cost, against the
    first 100.
    """
    rounds, readers, names, compared = 3, 1000, 5000, 100
    worker = site.patched()

    def hold(names):
        return [[acquire + release for acquire, release in zip(
            *worker.ask('crowd', names))] for _round in range(rounds)]

    of_one = hold(readers * ['crowd'])
    of_many = hold([f'crowd-{number}' for number in range(names)])
    return {'rounds': rounds, 'values': {
        'reader': statistics.median(
            statistics.median(costs[-compared:]) /
            statistics.median(costs[:compared]) for costs in of_one),
        'readers_s': statistics.median(map(sum, of_one)),
        'names_s': statistics.median(map(sum, of_many))}}


MEASURES = {measure.__name__: measure
            for measure in (uncontended, trips, hand_over, throughput, crowd)}
