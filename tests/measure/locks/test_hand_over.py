# SPDX-License-Identifier: Apache-2.0

import time
import unittest
from unittest import mock

import ddt

from tools.common import errors
from tools.measure.locks import hand_over

PARTS = {'writer': ('read', 3, 'write', 1), 'readers': ('write', 1, 'read', 2)}


class Place:
    """A coordinator, and the process of the waiters.

    :param late: seconds from the last release to the acquire
    """

    def __init__(self, late):
        self.waited = []
        self.most_held = 0
        self._late = late
        self._held = {}
        self._free = {}

    def get_read_lock(self, name):
        return self._lock('read', name)

    def get_write_lock(self, name):
        return self._lock('write', name)

    def _lock(self, kind, name):
        self._held.setdefault(name, [])
        return mock.Mock(acquire=lambda: self._acquire(kind, name),
                         release=lambda: self._release(name))

    def _acquire(self, kind, name):
        self._held[name].append(kind)
        self.most_held = max(self.most_held, sum(map(len,
                                                     self._held.values())))

    def _release(self, name):
        self._held[name].pop()
        if not self._held[name]:
            self._free[name] = time.monotonic() + self._late

    def ask(self, action, name, *args):
        if action == 'last':
            return self._free[name]
        self.waited.append((name, tuple(self._held[name]), *args))


@ddt.ddt
class HandOverTest(unittest.TestCase):

    def setUp(self):
        self.enterContext(mock.patch.object(hand_over, 'SPREAD', 0))

    def run_on(self, place):
        return list(hand_over.hand_overs(place, place.ask, PARTS, 0))

    def test_every_part_has_its_hand_overs(self):
        found = self.run_on(Place(late=2))

        self.assertEqual(['readers'] * hand_over.NAMES +
                         ['writer'] * hand_over.NAMES,
                         sorted(part for part, _seconds in found))
        for _part, seconds in found:
            self.assertTrue(2 <= seconds < 2.5, seconds)

    def test_all_are_held_and_waited_for_at_once(self):
        place = Place(late=0)
        self.run_on(place)

        self.assertEqual(4 * hand_over.NAMES, place.most_held)
        self.assertEqual(2 * hand_over.NAMES, len(set(
            name for name, *_others in place.waited)))
        self.assertEqual(
            {(('read',) * 3, 'write', 1), (('write',), 'read', 2)},
            {tuple(others) for _name, *others in place.waited})

    def test_a_lock_got_too_early_is_an_error(self):
        with self.assertRaisesRegex(errors.ToolError, 'before its last'):
            self.run_on(Place(late=-1))

    @ddt.data('writer_short', 'writer_long_p95', 'readers_inside',
              'readers_long')
    def test_rounds(self, key):
        self.assertEqual(5 if 'long' in key else 30, hand_over.ROUNDS[key])
