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

WRONG = failpoints.STEPS[-1].name
OVERLAP = Violation('overlap', WRONG, 'volume a met', ['a'], 1)


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

    def problems(self, *violations, coordination='etcd3'):
        return validate.problems(self.run, list(violations), coordination)

    def test_all_as_it_had_to_be_is_no_problem(self):
        self.assertEqual([], self.problems(OVERLAP))
        self.assertEqual([], self.problems(coordination='postgresql'))

    def test_a_mistake_that_shows_nothing_is_a_problem(self):
        problem, = self.problems()

        self.assertIn(f'"{WRONG}", found none', problem)

    def test_postgresql_forgives_no_violation(self):
        self.assertEqual(
            [f'postgresql: volume a met, in the step "{WRONG}"'],
            self.problems(OVERLAP, coordination='postgresql'))

    def test_a_violation_is_a_problem_in_any_other_step(self):
        for step in failpoints.STEPS[:-1]:
            violation = Violation('data', step.name, 'torn', [], 1)
            self.assertEqual([f'etcd3: torn, in the step "{step.name}"'],
                             self.problems(OVERLAP, violation))

    def test_other_violations_are_problems_in_the_last_step_too(self):
        stuck = Violation('stuck', WRONG, 'creating', [], 1)

        self.assertEqual([f'etcd3: creating, in the step "{WRONG}"'],
                         self.problems(OVERLAP, stuck))

    def test_creates_at_once_are_a_problem_where_they_take_turns(self):
        self.copy('source-0', 3.5, 4.5)

        self.assertEqual(
            ['etcd3: expected one create at once from one source after the '
             f'step "{failpoints.STEPS[0].name}", found 2'],
            self.problems(OVERLAP))

    def test_creates_by_turns_are_a_problem_where_they_run_together(self):
        self.run.calls = [call for call in self.run.calls
                          if call.source_id != 'source-2'
                          or call.begin == 23]

        problem, = self.problems(OVERLAP)
        self.assertIn('expected several creates', problem)
        self.assertTrue(problem.endswith('found 1'))

    def test_what_began_before_the_change_does_not_count(self):
        self.copy('source-0', 1.5, 4.5)

        self.assertEqual([], self.problems(OVERLAP))

    def test_a_step_without_creates_is_a_problem(self):
        self.run.calls = [call for call in self.run.calls
                          if call.source_id != 'source-0']

        problem, = self.problems(OVERLAP)
        self.assertTrue(problem.endswith('found 0'))

    def test_a_run_that_broke_half_way_keeps_its_records(self):
        self.run.faults[-1].end = self.run.faults[-1].settled = None
        path = made_up.folder(self) / 'new' / 'etcd3-1.json'
        violations, rows = report.conclude(
            self.run, path, {'seed': 1},
            lambda fault: {'at once': validate.most_at_once(self.run, fault)})
        told = json.loads(path.read_text())

        self.assertEqual([], violations)
        self.assertEqual([1, 1, 3, 1, 1, None],
                         [row['at once'] for row in rows])
        self.assertEqual(rows, told['figures'])
        self.assertEqual(18, len(told['records']['calls']))
