# SPDX-License-Identifier: Apache-2.0

"""What is measured on which backend, and the goals."""

import dataclasses

from tools.measure.files.figures import Figure
from tools.measure.files.figures import MILLISECONDS
from tools.measure.files.figures import RATIO

TRIPS = 'trips'
PER_SECOND = '/s'

KINDS = ('read', 'write')
MOST_HAND_OVER = 50
MOST_OF_NAMES = 1.1
CROWDS = (8, 64)
"""Numbers of readers that are compared with as many of as many names."""

HAND_OVERS = {
    'writer_short': 'to writer after 0.2 s',
    'readers_short': 'to readers after 0.2 s',
    'writer_long': 'to writer after 3 s',
    'readers_long': 'to readers after 3 s',
}

TOOZ = {'tooz': 'tooz'}


@dataclasses.dataclass(frozen=True)
class Backend:
    """A coordination backend.

    :ivar title: the scheme of its URL
    :ivar server: module and class of its server, below
        cinder.tests.functional.rwlock; None if it needs none
    :ivar peers: the locks that ours are compared with, name -> title
    :ivar ratios: (kind, peer) -> the most that a lock of ours may cost as a
        part of the peer, None if it is only told
    :ivar trips: the most round trips of an acquire and of a release, kind ->
        number; other kinds are only counted
    :ivar shared: whether readers hold the lock together
    """

    title: str
    server: str | None
    peers: dict
    ratios: dict
    trips: dict = dataclasses.field(default_factory=dict)
    shared: bool = True


BACKENDS = {
    'file': Backend(
        'file', None,
        {**TOOZ, 'fasteners_read': 'fasteners read lock',
         'fasteners_write': 'fasteners write lock', 'filelock': 'filelock'},
        {('read', 'tooz'): None, ('read', 'fasteners_read'): None,
         ('read', 'filelock'): None,
         ('write', 'tooz'): None, ('write', 'fasteners_write'): None,
         ('write', 'filelock'): None}),
    'etcd3': Backend(
        'etcd3+http', 'etcd3_server.Etcd3Server', TOOZ,
        {('read', 'tooz'): 0.6, ('write', 'tooz'): None},
        {'read': 1}),
    'redis': Backend(
        'redis', 'redis_server.RedisServer',
        {**TOOZ, 'redis_py': 'redis-py Lock'},
        {('read', 'tooz'): 1, ('read', 'redis_py'): None,
         ('write', 'tooz'): 1, ('write', 'redis_py'): None},
        {'read': 1, 'write': 1}),
    'zookeeper': Backend(
        'zookeeper', 'zookeeper_server.ZooKeeperServer',
        {**TOOZ, 'kazoo_read': 'kazoo ReadLock',
         'kazoo_write': 'kazoo WriteLock'},
        {('read', 'tooz'): None, ('read', 'kazoo_read'): 1.1,
         ('write', 'tooz'): None, ('write', 'kazoo_write'): 1.1}),
    'postgresql': Backend(
        'postgresql', 'postgresql_server.PostgreSQLServer',
        {**TOOZ, 'bare_shared': 'bare shared lock',
         'bare': 'bare exclusive lock'},
        {('read', 'tooz'): 1, ('read', 'bare_shared'): None,
         ('write', 'tooz'): 1, ('write', 'bare'): None},
        {'read': 1, 'write': 1}),
    'memcached': Backend(
        'memcached', 'memcached_server.MemcachedServer', TOOZ,
        {('read', 'tooz'): None, ('write', 'tooz'): None},
        shared=False),
}
"""In the order of the tables. memcached stands for all backends on which a
read lock is exclusive."""


def _uncontended(backend, titles, figure):
    found = {name + '_ms': figure(title, MILLISECONDS)
             for name, title in titles.items()}
    for (kind, peer), bound in backend.ratios.items():
        found['%s_%s' % (kind, peer)] = figure(
            '%s / %s' % (titles[kind], titles[peer]), RATIO, bound)
    return found


def _trips(backend, titles, figure):
    return {'%s_%s' % (name, step): figure('%s, %s' % (title, step), TRIPS,
                                           backend.trips.get(name))
            for name, title in titles.items()
            for step in ('acquire', 'release')}


def _hand_over(backend, titles, figure):
    return {key: figure(title, MILLISECONDS, MOST_HAND_OVER)
            for key, title in HAND_OVERS.items()}


def _throughput(backend, titles, figure):
    found = {'one_1': figure('1 reader', PER_SECOND)}
    for number in CROWDS:
        found['one_%d' % number] = figure(
            '%d readers of one name' % number, PER_SECOND)
        found['names_%d' % number] = figure(
            '%d readers of as many names' % number, PER_SECOND)
        found['readers_%d' % number] = figure(
            '%d readers, 1 name / %d' % (number, number), RATIO,
            MOST_OF_NAMES if backend.shared else None)
    return found


def measures(name):
    """Return the measures of a backend.

    :returns: dict of 'backend.module of this package' -> key of its results
        -> tools.measure.files.figures.Figure
    """
    backend = BACKENDS[name]
    titles = {**{kind: kind + ' lock' for kind in KINDS}, **backend.peers}

    def figure(title, unit, bound=None):
        return Figure('%s: %s' % (name, title), unit, bound)

    makers = {'uncontended': _uncontended, 'trips': _trips,
              'hand_over': _hand_over, 'throughput': _throughput}
    if backend.server is None:
        del makers['trips']
    return {'%s.%s' % (name, measure): make(backend, titles, figure)
            for measure, make in makers.items()}
