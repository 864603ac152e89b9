# SPDX-License-Identifier: Apache-2.0

"""What is measured on which backend, and the goals."""

import dataclasses

from tools.measure.locks.figures import Figure
from tools.measure.locks.figures import MILLISECONDS
from tools.measure.locks.figures import PER_SECOND
from tools.measure.locks.figures import RATIO
from tools.measure.locks.figures import TRIPS

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
"""Between two processes."""

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
    :ivar hand_overs: the most milliseconds of a hand-over, where it is not
        MOST_HAND_OVER, or there is none otherwise
    :ivar shared: whether readers hold the lock together
    """

    title: str
    server: str | None
    peers: dict
    ratios: dict
    trips: dict = dataclasses.field(default_factory=dict)
    hand_overs: dict = dataclasses.field(default_factory=dict)
    shared: bool = True

    @property
    def titles(self):
        """Ours and its peers, name -> title."""
        return {**{kind: f'{kind} lock' for kind in KINDS}, **self.peers}


BACKENDS = {
    'file': Backend(
        'file', None,
        {**TOOZ, 'fasteners_read': 'fasteners read lock',
         'fasteners_write': 'fasteners write lock', 'filelock': 'filelock'},
        {('read', 'tooz'): 0.3, ('read', 'fasteners_read'): 0.5,
         ('read', 'filelock'): None,
         ('write', 'tooz'): None, ('write', 'fasteners_write'): None,
         ('write', 'filelock'): None},
        hand_overs={'writer_inside': 20, 'writer_short': 20}),
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


def _uncontended(backend):
    titles = backend.titles
    found = {name + '_ms': Figure(title, MILLISECONDS)
             for name, title in titles.items()}
    for (kind, peer), bound in backend.ratios.items():
        found['%s_%s' % (kind, peer)] = Figure(
            '%s / %s' % (titles[kind], titles[peer]), RATIO, bound)
    return found


def _trips(backend):
    return {'%s_%s' % (name, step): Figure('%s, %s' % (title, step), TRIPS,
                                           backend.trips.get(name))
            for name, title in backend.titles.items()
            for step in ('acquire', 'release')}


def _hand_over(backend):
    found = {}
    for key, title in (('writer_inside', 'to writer, one process'),
                       ('readers_inside', 'to readers, one process'),
                       *HAND_OVERS.items()):
        bound = MOST_HAND_OVER if key in HAND_OVERS else None
        found[key] = Figure(title, MILLISECONDS,
                            backend.hand_overs.get(key, bound))
        if not key.endswith('_long'):
            found[key + '_p95'] = Figure('  95th percentile', MILLISECONDS)
    return found


def _throughput(backend):
    found = {'one_1': Figure('1 reader', PER_SECOND)}
    for number in CROWDS:
        found['one_%d' % number] = Figure(
            '%d readers of one name' % number, PER_SECOND)
        found['names_%d' % number] = Figure(
            '%d readers of as many names' % number, PER_SECOND)
        found['readers_%d' % number] = Figure(
            '%d readers, 1 name / %d' % (number, number), RATIO,
            MOST_OF_NAMES if backend.shared else None)
    return found


def _fresh(_backend):
    return {
        'fresh_read_tooz': Figure('new each time: read / tooz', RATIO),
        'fresh_read_fasteners': Figure('new each time: read / fasteners',
                                       RATIO),
        'fresh_write_tooz': Figure('new each time: write / tooz', RATIO),
    }


def _system_calls(_backend):
    return {'read_calls': Figure('new read lock / bare system calls', RATIO,
                                 2)}


def _crowd(_backend):
    return {'reader': Figure('reader 901..1000 / reader 1..100', RATIO, 1.5),
            'reader_acquire': Figure('  of that the acquire alone', RATIO)}


def measures(name):
    """Return the measures of a backend.

    :returns: dict of 'backend.module of this package' -> key of its results
        -> tools.measure.locks.figures.Figure
    """
    backend = BACKENDS[name]
    makers = {'uncontended': _uncontended, 'hand_over': _hand_over,
              'throughput': _throughput}
    if backend.server is None:
        makers.update(fresh=_fresh, system_calls=_system_calls, crowd=_crowd)
    else:
        makers['trips'] = _trips
    return {f'{name}.{measure}': make(backend)
            for measure, make in makers.items()}
