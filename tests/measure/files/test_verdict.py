# SPDX-License-Identifier: Apache-2.0

import unittest

from tests.measure.files import made_up
from tools.measure.files import verdict

THREADS = ('threads', 'crowd')


class VerdictTest(unittest.TestCase):

    def judge(self, *runs):
        """Return what is said, the counts, and how often THREADS was run."""
        run = made_up.Run({THREADS: runs})
        lines = verdict.measure_all(run)
        return (verdict.sentences(lines), verdict.count(lines),
                run.asked.count(THREADS))

    def test_all_kept(self):
        self.assertEqual(([], (12, 0), 1), self.judge({'reader': 1.5}))

    def test_a_clear_miss_is_not_repeated(self):
        said, counts, runs = self.judge({'reader': 3}, {'reader': 1})

        self.assertEqual(((11, 1), 1), (counts, runs))
        self.assertEqual(
            ['FAILED: reader 901..1000 / reader 1..100 on threads is 3.000 x, '
             'the bound is 1.5.'], said)

    def test_a_marginal_miss_is_repeated_once_and_said(self):
        said, counts, runs = self.judge({'reader': 1.6}, {'reader': 1.4})

        self.assertEqual(((12, 0), 2), (counts, runs))
        self.assertEqual(1, len(said))
        self.assertIn('on threads was 1.600 x at first', said[0])

    def test_a_second_marginal_miss_is_a_failure(self):
        said, counts, runs = self.judge({'reader': 1.6}, {'reader': 1.6},
                                        {'reader': 1})

        self.assertEqual(((11, 1), 2), (counts, runs))
        self.assertEqual(2, len(said))

    def test_a_repeat_saves_no_other_bound(self):
        miss = ('threads', 'uncontended')
        lines = verdict.measure_all(made_up.Run({miss: [
            {'read_tooz': 0.31, 'read_fasteners': 3}, {}]}))

        self.assertEqual((11, 1), verdict.count(lines))
        self.assertIn('fasteners', verdict.sentences(lines)[-1])

    def test_a_figure_without_bound_is_not_judged(self):
        said, counts, _runs = self.judge({'reader_acquire': 99})

        self.assertEqual(([], (12, 0)), (said, counts))
