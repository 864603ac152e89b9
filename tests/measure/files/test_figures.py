# SPDX-License-Identifier: Apache-2.0

import unittest

import ddt

from tools.measure.files import figures


@ddt.ddt
class FigureTest(unittest.TestCase):

    @ddt.data((1.9, False, False), (2, False, False), (2.01, True, True),
              (2.19, True, True), (2.21, True, False),
              (float('nan'), True, False))
    @ddt.unpack
    def test_bound(self, value, missed, marginal):
        figure = figures.Figure('a / b', figures.RATIO, 2)

        self.assertEqual((missed, marginal),
                         (figure.missed(value), figure.marginal(value)))

    def test_without_a_bound_nothing_is_missed(self):
        figure = figures.Figure('a / b', figures.RATIO)

        self.assertFalse(figure.missed(1e9) or figure.marginal(1e9))

    @ddt.data(('uncontended', 'read_tooz', 0.3),
              ('uncontended', 'read_fasteners', 0.5),
              ('system_calls', 'read_calls', 2),
              ('crowd', 'reader', 1.5),
              ('hand_over', 'writer_inside', 20),
              ('hand_over', 'writer_between', 20))
    @ddt.unpack
    def test_what_is_promised(self, measure, key, bound):
        self.assertEqual(bound, figures.MEASURES[measure][key].bound)
