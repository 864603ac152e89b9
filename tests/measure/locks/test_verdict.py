# SPDX-License-Identifier: Apache-2.0

import unittest

from tests.measure.locks import made_up
from tools.measure.locks import backends
from tools.measure.locks import verdict


class VerdictTest(unittest.TestCase):

    def judge(self, **told):
        """Judge a run on files.

        :param told: key -> values on native threads, one for each run
        :returns: what is said, the counts, and how often the crowd was
            measured on native threads
        """
        run = made_up.Run({('threads', 'file', key): values
                           for key, values in told.items()})
        lines = verdict.measure_all(run, backends.measures('file'))
        return (verdict.sentences(lines), verdict.count(lines),
                run.asked.count(('threads', 'file.crowd')))

    def test_all_kept(self):
        self.assertEqual(([], (22, 0), 1), self.judge(reader=[1.5]))

    def test_a_clear_miss_is_not_repeated(self):
        said, counts, runs = self.judge(reader=[3, 1])

        self.assertEqual(((21, 1), 1), (counts, runs))
        self.assertEqual(
            ['FAILED: file: reader 901..1000 / reader 1..100 on threads is '
             '3.000 x, the bound is 1.5.'], said)

    def test_a_marginal_miss_is_repeated_once_and_said(self):
        said, counts, runs = self.judge(reader=[1.6, 1.4])

        self.assertEqual(((22, 0), 2), (counts, runs))
        self.assertEqual(1, len(said))
        self.assertIn('on threads was 1.600 x at first', said[0])

    def test_a_second_marginal_miss_is_a_failure(self):
        said, counts, runs = self.judge(reader=[1.6, 1.6, 1])

        self.assertEqual(((21, 1), 2), (counts, runs))
        self.assertEqual(2, len(said))

    def test_a_repeat_saves_no_other_bound(self):
        said, counts, _runs = self.judge(shared_tooz=[0.36],
                                         exclusive_tooz=[3])

        self.assertEqual((21, 1), counts)
        self.assertIn('exclusive', said[-1])

    def test_a_figure_without_bound_is_not_judged(self):
        said, counts, _runs = self.judge(names_s=[99])

        self.assertEqual(([], (22, 0)), (said, counts))
