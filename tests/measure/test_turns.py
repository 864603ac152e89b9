# SPDX-License-Identifier: Apache-2.0

import unittest

from tools.measure import turns


class TurnsTest(unittest.TestCase):

    def test_actions_alternate_and_every_second_round_is_backwards(self):
        called = []

        turns.take_turns(2, 1, a=lambda: called.append('a'),
                         b=lambda: called.append('b'))

        self.assertEqual('ab' + 'abba', ''.join(called))

    def test_one_timing_for_each_round_of_one_call(self):
        calls = []

        seconds = turns.take_turns(3, 500, a=lambda: calls.append(1))

        self.assertEqual(500 + 3 * 500, len(calls))
        self.assertEqual(3, len(seconds['a']))
        self.assertLess(max(seconds['a']), 0.001)

    def test_ratio_is_of_the_same_round(self):
        # The machine became ten times slower in the middle.
        self.assertEqual(0.5, turns.ratio([1, 1, 10, 10, 99],
                                          [2, 2, 20, 20, 20]))
