# SPDX-License-Identifier: Apache-2.0

import unittest

import ddt

from tools.measure.locks import backends

ALL = tuple(backends.BACKENDS)
SHARED = tuple(name for name in ALL if name != 'memcached')


def bounds(name):
    """Return key -> bound of what has one."""
    return {key: figure.bound
            for figures in backends.measures(name).values()
            for key, figure in figures.items() if figure.bound is not None}


@ddt.ddt
class BackendsTest(unittest.TestCase):

    @ddt.data(('etcd3', {'read_tooz': 0.6, 'read_acquire': 1,
                         'read_release': 1}),
              ('redis', {'read_tooz': 1, 'write_tooz': 1, 'read_acquire': 1,
                         'read_release': 1, 'write_acquire': 1,
                         'write_release': 1}),
              ('postgresql', {'read_tooz': 1, 'write_tooz': 1,
                              'read_acquire': 1, 'read_release': 1,
                              'write_acquire': 1, 'write_release': 1}),
              ('zookeeper', {'read_kazoo_read': 1.1,
                             'write_kazoo_write': 1.1}),
              ('file', {'read_tooz': 0.3, 'read_fasteners_read': 0.5,
                        'read_calls': 2, 'reader': 1.5, 'writer_inside': 20,
                        'writer_short': 20}),
              ('memcached', {}))
    @ddt.unpack
    def test_goals_of_one_backend(self, name, goals):
        common = dict.fromkeys(backends.HAND_OVERS, 50)
        if name in SHARED:
            common.update(readers_8=1.1, readers_64=1.1)

        self.assertEqual({**common, **goals}, bounds(name))

    @ddt.data(*ALL)
    def test_keys_of_a_backend_are_unequal(self, name):
        keys = [key for figures in backends.measures(name).values()
                for key in figures]

        self.assertEqual(len(set(keys)), len(keys))

    @ddt.data(*ALL)
    def test_ratios_are_between_locks_that_are_measured(self, name):
        measured = backends.measures(name)[name + '.uncontended']

        for kind, peer in backends.BACKENDS[name].ratios:
            self.assertIn(kind + '_ms', measured)
            self.assertIn(peer + '_ms', measured)
