# SPDX-License-Identifier: Apache-2.0

import itertools
import unittest

import ddt

from tools.measure.locks import trips


class Wire:
    """A lock, and the counter of its round trips.

    :param acquires: round trips of each acquire, over and over
    """

    def __init__(self, acquires):
        self._acquires = itertools.cycle(acquires)
        self._trips = 99

    def acquire(self):
        self._trips += next(self._acquires)

    def release(self):
        self._trips += 1

    def trips(self):
        trips, self._trips = self._trips, 0
        return trips


@ddt.ddt
class TripsTest(unittest.TestCase):

    def test_acquires_and_releases_without_the_first(self):
        wire = Wire([7] + trips.ROUNDS * [2])

        self.assertEqual((trips.ROUNDS * [2], trips.ROUNDS * [1]),
                         trips.count(wire, wire.trips))

    @ddt.data(('redis://:secret@127.0.0.1:1?timeout=3',
               'redis://:secret@127.0.0.1:2?timeout=3'),
              ('etcd3+http://127.0.0.1:1?a=1&b=2',
               'etcd3+http://127.0.0.1:2?a=1&b=2'),
              ('memcached://127.0.0.1:1', 'memcached://127.0.0.1:2'))
    @ddt.unpack
    def test_only_the_port_changes(self, url, expected):
        self.assertEqual(expected, trips.with_port(url, 2))
