# SPDX-License-Identifier: Apache-2.0

import unittest

from tests.cloud.storm.made_up import result
from tools.cloud.storm import cases
from tools.cloud.storm import validate


class ProblemsTest(unittest.TestCase):

    def test_a_good_run_has_no_problem(self):
        self.assertEqual([], validate.problems(
            [result('upstream', storm=9, errors=1, wrong=1), result()]))

    def test_each_problem_of_the_patched_tree_is_told(self):
        for wanted, wrong in (
                ('1 creates ended in error', result(errors=1)),
                ('3 volumes differ from their source', result(wrong=3)),
                ('1.75 times the ideal, expected at most 1.5',
                 result(storm=3.5))):
            found, = validate.problems([wrong])
            self.assertIn(wanted, found)

    def test_a_storage_that_is_serial_may_be_slow_but_not_wrong(self):
        slow, wrong = result(storm=9), result(storm=9, wrong=1)
        slow.case = wrong.case = cases.Case('rbd', 'volume', 4, serial=True)

        found, = validate.problems([slow, wrong])
        self.assertIn('1 volumes differ from their source', found)

    def test_wrong_data_in_the_ideal_is_a_problem_too(self):
        found = result()
        found.ideal.wrong = 1

        self.assertEqual(1, len(validate.problems([found])))
