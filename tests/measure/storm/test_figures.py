# SPDX-License-Identifier: Apache-2.0

import unittest

import ddt

from tests.measure.storm import made_up
from tools.measure.storm import figures


class FiguresTest(unittest.TestCase):

    def test_a_faultless_storm(self):
        column = figures.figures(made_up.run())

        self.assertEqual((4, 4), (column.creates, column.available))
        self.assertAlmostEqual(5, column.seconds)
        self.assertAlmostEqual(4, column.ideal)
        self.assertAlmostEqual(1.25, column.ratio)
        self.assertEqual(4, column.most_inside)
        self.assertEqual(4, column.unfinished)
        self.assertAlmostEqual(0.25, column.delete_after)
        self.assertAlmostEqual(0.75, column.unrelated)
        self.assertEqual((4, 0), (column.right, column.wrong))
        self.assertEqual([], figures.problems(column))

    def test_a_delete_within_a_create_is_a_violation(self):
        run = made_up.run()
        run.delete.begin = 103.5

        column = figures.figures(run)

        self.assertAlmostEqual(-0.5, column.delete_after)
        self.assertEqual(['the delete of the source began 0.500 s before the '
                          'last create had ended'], figures.problems(column))

    def test_a_create_that_begins_after_the_delete_is_a_violation(self):
        run = made_up.run()
        run.storm.creates[3].begin = 105.0
        run.storm.creates[3].end = 107.0

        self.assertLess(figures.figures(run).delete_after, 0)

    def test_a_wrong_checksum_is_found(self):
        run = made_up.run()
        run.storm.creates[2].checksum = 'bad'

        column = figures.figures(run)

        self.assertEqual((3, 1), (column.right, column.wrong))
        self.assertEqual(['1 of 4 copies have a wrong checksum'],
                         figures.problems(column))

    def test_a_failed_create_counts_neither_right_nor_wrong(self):
        run = made_up.run()
        run.storm.creates[1] = made_up.create(1, None, None, None, 'error')

        column = figures.figures(run)

        self.assertEqual(3, column.available)
        self.assertEqual((3, 0), (column.right, column.wrong))
        self.assertEqual(4, column.unfinished)
        self.assertEqual(['1 of 4 creates did not become available'],
                         figures.problems(column))

    def test_a_source_that_was_not_deleted_is_a_problem(self):
        run = made_up.run()
        run.delete.begin = run.delete.end = run.delete.gone = None

        column = figures.figures(run)

        self.assertIsNone(column.delete_after)
        self.assertEqual(['the source was not deleted'],
                         figures.problems(column))

    def test_a_delete_sent_too_late_shows_nothing(self):
        run = made_up.run()
        run.delete.sent = 104.1

        column = figures.figures(run)

        self.assertEqual(0, column.unfinished)
        self.assertEqual(1, len(figures.problems(column)))

    def test_rows_stand_side_by_side(self):
        good, bad = made_up.run(), made_up.run()
        bad.delete.begin = None

        table = dict((label, cells) for label, *cells in figures.rows(
            [figures.figures(good), figures.figures(bad)]))

        self.assertEqual(['0.25 s', '-'], table[
            "delete of the source after the last create's end"])
        self.assertEqual(['1.25', '1.25'], table['ratio to the ideal'])


@ddt.ddt
class MostAtOnceTest(unittest.TestCase):

    @ddt.data(
        (0, []),
        (1, [(0, 1)]),
        (1, [(0, 1), (1, 2)]),
        (2, [(0, 2), (1, 3), (2, 4)]),
        (3, [(0, 9), (1, 2), (3, 8), (4, 5)]),
    )
    @ddt.unpack
    def test_most_at_once(self, expected, intervals):
        self.assertEqual(expected, figures.most_at_once(intervals))
