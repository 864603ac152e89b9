# SPDX-License-Identifier: Apache-2.0

import unittest

import ddt

from tools.measure.locks import figures


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
