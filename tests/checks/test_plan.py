# SPDX-License-Identifier: Apache-2.0

"""The plans and the environments of tox.ini belong together."""

import testtools

from tools.checks import facts
from tools.checks import plan
from tools.common.paths import ROOT

NOT_CHECKS = {'cloud-upgrade', 'measure-locks', 'measure-operations', 'pins'}
"""They measure, or write files to be committed, or need half an hour."""
PARTS = {'upstream-core': 'upstream'}
"""Environments that are a part of another."""


def environments(names):
    return {plan.environment(name) for name in names}


class PlanTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.listed = set(facts.environments(facts.read_tox(ROOT)))

    def test_every_planned_environment_exists(self):
        for name, names in plan.PLANS.items():
            self.assertEqual(set(), environments(names) - self.listed, name)

    def test_check_runs_every_check(self):
        self.assertEqual(self.listed - NOT_CHECKS - set(PARTS),
                         environments(plan.CHECK))

    def test_the_other_plans_are_parts_of_check(self):
        for names in (plan.TEST, plan.CI):
            mine = {PARTS.get(name, name) for name in environments(names)}
            self.assertEqual(set(), mine - environments(plan.CHECK))

    def test_what_is_left_out_is_told(self):
        self.assertEqual(plan.CHECK[2:4], plan.left_out(
            plan.CHECK[:2] + plan.CHECK[4:]))

    def test_the_next_is_the_first_that_may_run_beside_the_others(self):
        waiting = ['tooz-threads', 'pep8', 'cloud', 'storm']
        for running, expected in (
                ([], 'tooz-threads'), (['tools ^a'], 'tooz-threads'),
                (['tooz redis:'], 'pep8'), (['tools', 'unit'], None)):
            self.assertEqual(expected, plan.next_of(waiting, running))
        self.assertIsNone(plan.next_of(
            ['storm', 'mutants'], ['cloud-faults --form short']))

    def test_whatever_makes_the_trees_anew_runs_apart(self):
        tox = facts.read_tox(ROOT)
        makes = {name for section in tox.sections()
                 if 'tools.checks trees' in tox[section].get(
                     'commands_pre', '')
                 for name in facts.expand(section.removeprefix('testenv:'))}
        makes |= {'mutants', 'wheel'}  # by themselves
        self.assertEqual(set(), makes - NOT_CHECKS - set(plan.APART[1]))
