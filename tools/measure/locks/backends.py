# SPDX-License-Identifier: Apache-2.0

"""What is measured on which backend, and the goals."""

import dataclasses

from tools.measure.locks.figures import Figure
from tools.measure.locks.figures import MILLISECONDS
from tools.measure.locks.figures import PER_SECOND
from tools.measure.locks.figures import RATIO
from tools.measure.locks.figures import SECONDS
from tools.measure.locks.figures import TRIPS

KINDS = ('shared', 'exclusive')
"""The locks of tooz with the series."""
MOST_HAND_OVER = 20
MOST_OF_NAMES = 1.1
MOST_OF_FIRST = 1.5
CROWDS = (8, 64)
"""Numbers of readers that are compared with as many of as many names."""

HAND_OVERS = {
    'writer_inside': 'to writer, one process',
    'readers_inside': 'to readers, one process',
    'writer_short': 'to writer after 0.2 s',
    'readers_short': 'to readers after 0.2 s',
    'writer_long': 'to writer after 3 s',
    'readers_long': 'to readers after 3 s',
}
"""Those after a time are between two processes."""

TOOZ = {'tooz': 'released tooz'}


@dataclasses.dataclass(frozen=True)
class Backend:
    """A coordination backend.

    :ivar title: the scheme of its URL
    :ivar peers: the locks that ours are compared with, name -> title
    :ivar ratios: (kind, peer) -> the most that a lock of ours may cost as a
        part of the peer, None if it is only told
    :ivar trips: the most round trips of an acquire and of a release of ours,
        None if they are only counted
    """

    title: str
    peers: dict
    ratios: dict
    trips: int | None = None

    @property
    def titles(self):
        """Ours and its peers, name -> title."""
        return {**{kind: kind for kind in KINDS}, **self.peers}


BACKENDS = {
    'file': Backend(
        'file',
        {**TOOZ, 'fasteners_read': 'fasteners read lock',
         'fasteners_write': 'fasteners write lock', 'filelock': 'filelock'},
        {('shared', 'tooz'): 0.35, ('shared', 'fasteners_read'): None,
         ('shared', 'filelock'): None,
         ('exclusive', 'tooz'): 0.35, ('exclusive', 'fasteners_write'): None,
         ('exclusive', 'filelock'): None}),
    'etcd3gw': Backend(
        'etcd3+http', TOOZ,
        {('shared', 'tooz'): 0.6, ('exclusive', 'tooz'): 0.6}, 1),
    'redis': Backend(
        'redis', {**TOOZ, 'redis_py': 'redis-py Lock'},
        {('shared', 'tooz'): 1.05, ('shared', 'redis_py'): None,
         ('exclusive', 'tooz'): 1.05, ('exclusive', 'redis_py'): None}, 1),
    'zookeeper': Backend(
        'zookeeper', {**TOOZ, 'kazoo_read': 'kazoo ReadLock',
                      'kazoo_write': 'kazoo WriteLock'},
        {('shared', 'tooz'): None, ('shared', 'kazoo_read'): 1.1,
         ('exclusive', 'tooz'): None, ('exclusive', 'kazoo_write'): 1.1}),
}
"""tooz's name of a driver that shares locks -> its backend, in the order of
the tables."""


def _uncontended(backend):
    titles = backend.titles
    found = {f'{name}_ms': Figure(title, MILLISECONDS)
             for name, title in titles.items()}
    for (kind, peer), bound in backend.ratios.items():
        found[f'{kind}_{peer}'] = Figure(
            f'{titles[kind]} / {titles[peer]}', RATIO, bound)
    return found


def _trips(backend):
    return {f'{name}_{step}': Figure(f'{title}, {step}', TRIPS,
                                     backend.trips if name in KINDS else None)
            for name, title in backend.titles.items()
            for step in ('acquire', 'release')}


def _hand_over(_backend):
    found = {}
    for key, title in HAND_OVERS.items():
        found[key] = Figure(title, MILLISECONDS, MOST_HAND_OVER)
        found[f'{key}_p95'] = Figure('  95th percentile', MILLISECONDS)
    return found


def _throughput(_backend):
    found = {'one_1': Figure('1 reader', PER_SECOND)}
    for number in CROWDS:
        found[f'one_{number}'] = Figure(
            f'{number} readers of one name', PER_SECOND)
        found[f'names_{number}'] = Figure(
            f'{number} readers of as many names', PER_SECOND)
        found[f'readers_{number}'] = Figure(
            f'{number} readers, 1 name / {number}', RATIO, MOST_OF_NAMES)
    return found


def _crowd(backend):
    return {
        'readers_s': Figure('1,000 readers of one name', SECONDS),
        'names_s': Figure('5,000 names', SECONDS),
        'reader': Figure('reader 901..1000 / reader 1..100', RATIO,
                         MOST_OF_FIRST if backend.title == 'file' else None),
    }


def measures(name):
    """Return the measures of a backend.

    :returns: dict of 'backend.function of tools.measure.locks.measures' ->
        key of its results -> tools.measure.locks.figures.Figure
    """
    makers = {'uncontended': _uncontended, 'trips': _trips,
              'hand_over': _hand_over, 'throughput': _throughput,
              'crowd': _crowd}
    if name == 'file':
        del makers['trips']
    return {f'{name}.{measure}': make(BACKENDS[name])
            for measure, make in makers.items()}
