# SPDX-License-Identifier: Apache-2.0

import json
import unittest

from tests.cloud import made_up
from tools.cloud.faults import records
from tools.cloud.faults import report
from tools.cloud.faults.validate import Violation
from tools.cloud import journal
from tools.cloud.upgrade import failpoints
from tools.cloud.upgrade import validate


class ProblemsTest(unittest.TestCase):

    def setUp(self):
        self.run = records.Run()
        for number, step in enumerate(failpoints.STEPS):
            source = f'source-{number}'
            self.run.sources.append(records.Source(
                step.name, source, 'volume', 'data'))
            self.run.faults.append(records.Fault(
                step.name, started=number * 10, begin=number * 10 + 1,
                end=number * 10 + 2, settled=number * 10 + 9))
            for place in range(3):
                begin = number * 10 + 3 + (
                    place * 0.1 if step.parallel else place)
                self.copy(source, begin, begin + 1)

    def copy(self, source, begin, end):
        self.run.calls.append(journal.Call(
            'copy', 'volume', source, 1, 'one@copying', begin, end))

    def problems(self, *violations):
        return validate.problems(self.run, list(violations), 'etcd3')

    def test_all_as_it_had_to_be_is_no_problem(self):
        self.assertEqual([], self.problems())

    def test_a_violation_is_a_problem_in_any_step(self):
        for step in failpoints.STEPS:
            violation = Violation('data', step.name, 'torn', [], 1)
            self.assertEqual([f'etcd3: torn, in the step "{step.name}"'],
                             self.problems(violation))

    def test_creates_by_turns_are_a_problem_where_they_run_together(self):
        self.run.calls = [call for call in self.run.calls
                          if call.source_id != 'source-2'
                          or call.begin == 23]

        self.assertEqual(
            ['etcd3: expected several creates at once from one source after '
             f'the step "{failpoints.STEPS[2].name}", found 1'],
            self.problems())

    def test_creates_by_turns_are_no_problem_elsewhere(self):
        self.assertFalse(failpoints.STEPS[3].parallel)
        self.run.calls = [call for call in self.run.calls
                          if call.source_id != 'source-3']

        self.assertEqual([], self.problems())

    def test_what_began_before_the_change_does_not_count(self):
        self.run.calls = []
        self.copy('source-0', 1.5, 4.5)
        self.copy('source-0', 3.5, 4.5)

        self.assertEqual(1, validate.most_at_once(self.run,
                                                  self.run.faults[0]))

    def test_a_run_that_broke_half_way_keeps_its_records(self):
        self.run.faults[-1].end = self.run.faults[-1].settled = None
        path = made_up.folder(self) / 'new' / 'etcd3-1.json'
        violations, rows = report.conclude(
            self.run, path, {'seed': 1},
            lambda fault: {'at once': validate.most_at_once(self.run, fault)})
        told = json.loads(path.read_text())

        self.assertEqual([], violations)
        self.assertEqual([3, 3, 3, 1, None],
                         [row['at once'] for row in rows])
        self.assertEqual(rows, told['figures'])
        self.assertEqual(15, len(told['records']['calls']))
