# SPDX-License-Identifier: Apache-2.0

import unittest
from unittest import mock
from xml.etree import ElementTree

from matplotlib import pyplot

from tests.measure.locks import made_up
from tools.measure.locks import chart


class ChartTest(unittest.TestCase):

    def axes(self, lines):
        """Return the three parts of the chart of lines."""
        with mock.patch.object(chart, 'svg') as svg:
            chart.draw(lines)
        figure, = svg.call_args.args
        self.addCleanup(pyplot.close, figure)
        return figure.axes

    def test_a_document_that_refers_to_nothing_outside(self):
        document = chart.draw(made_up.lines())

        ElementTree.fromstring(document)
        self.assertNotIn('<!DOCTYPE', document)

    def test_no_white_space_ends_a_line(self):
        self.assertNotRegex(chart.draw(made_up.lines()), r'(?m)[ \t]+$')

    def test_costs_are_parts_of_toozs_lock(self):
        costs, *_others = self.axes(made_up.lines(
            {('eventlet', 'redis', 'shared_tooz'): 0.75,
             ('eventlet', 'redis', 'exclusive_tooz'): 0.5,
             ('eventlet', 'redis', 'tooz_ms'): 4,
             ('threads', 'redis', 'shared_tooz'): 400}, names=['redis']))

        self.assertEqual(['0.75', '0.50', '0.25'],
                         [text.get_text() for text in costs.texts])
        self.assertEqual(
            ['redis: shared', 'redis: exclusive', 'redis: redis-py Lock'],
            [tick.get_text() for tick in costs.get_yticklabels()])

    def test_hand_overs_stand_below_the_goal(self):
        _costs, hand_overs, _crowds = self.axes(made_up.lines(
            {('eventlet', 'file', 'writer_long'): 90}, names=['file']))

        self.assertEqual([20, 20, 20, 20, 90, 20],
                         [bar.get_height() for bar in hand_overs.patches])
        self.assertGreater(hand_overs.get_ylim()[1], 90)

    def test_crowds_begin_with_one_reader(self):
        *_others, crowds = self.axes(made_up.lines(
            {('eventlet', 'file', 'one_1'): 3,
             ('eventlet', 'file', 'one_64'): 5,
             ('eventlet', 'file', 'names_64'): 7}, names=['file']))

        self.assertEqual([[3, 1, 5], [3, 1, 7]],
                         [list(line.get_ydata()) for line in crowds.lines])
