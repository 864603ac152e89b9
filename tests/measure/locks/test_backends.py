# SPDX-License-Identifier: Apache-2.0

import unittest

import ddt

from tools.checks import tooz_suite
from tools.measure.locks import backends

ALL = tuple(backends.BACKENDS)
COMMON = {**dict.fromkeys(backends.HAND_OVERS, 20),
          'readers_8': 1.1, 'readers_64': 1.1}
TRIPS = {'shared_acquire': 1, 'shared_release': 1,
         'exclusive_acquire': 1, 'exclusive_release': 1}


def bounds(name):
    """Return key -> bound of what has one."""
    return {key: figure.bound
            for figures in backends.measures(name).values()
            for key, figure in figures.items() if figure.bound is not None}


@ddt.ddt
class BackendsTest(unittest.TestCase):

    @ddt.data(('file', {'shared_tooz': 0.35, 'exclusive_tooz': 0.35,
                        'reader': 1.5}),
              ('etcd3gw', {'shared_tooz': 0.6, 'exclusive_tooz': 0.6,
                           **TRIPS}),
              ('redis', {'shared_tooz': 1.05, 'exclusive_tooz': 1.05,
                         **TRIPS}),
              ('zookeeper', {'shared_kazoo_read': 1.1,
                             'exclusive_kazoo_write': 1.1}))
    @ddt.unpack
    def test_goals_of_one_backend(self, name, goals):
        self.assertEqual({**COMMON, **goals}, bounds(name))

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

    @ddt.data(*ALL)
    def test_there_is_a_server_of_each(self, name):
        self.assertIn(name, tooz_suite.SERVERS)
