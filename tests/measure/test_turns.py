# SPDX-License-Identifier: Apache-2.0

import unittest

from tools.measure import turns


class TurnsTest(unittest.TestCase):

    def test_every_second_round_is_backwards_and_the_first_does_not_count(
            self):
        timed = []

        def timer(name):
            return lambda: timed.append(name) or len(timed)

        seconds = turns.take_turns(2, {name: timer(name) for name in 'ab'})

        self.assertEqual('ab' + 'ba' + 'ab', ''.join(timed))
        self.assertEqual({'a': [4, 5], 'b': [3, 6]}, seconds)

    def test_ratio_is_of_the_same_round(self):
        # The machine became ten times slower in the middle.
        self.assertEqual(0.5, turns.ratio([1, 1, 10, 10, 99],
                                          [2, 2, 20, 20, 20]))
