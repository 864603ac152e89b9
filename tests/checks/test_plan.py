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


def names(steps):
    return {name.split()[0] for step in steps for name in step}


class PlanTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.listed = set(facts.environments(facts.read_tox(ROOT)))

    def test_every_planned_environment_exists(self):
        for name, steps in plan.PLANS.items():
            self.assertEqual(set(), names(steps) - self.listed, name)

    def test_check_runs_every_check(self):
        self.assertEqual(self.listed - NOT_CHECKS - set(PARTS),
                         names(plan.CHECK))

    def test_the_other_plans_are_parts_of_check(self):
        for steps in (plan.TEST, plan.CI):
            mine = {PARTS.get(name, name) for name in names(steps)}
            self.assertEqual(set(), mine - names(plan.CHECK))

    def test_what_is_left_out_is_told(self):
        self.assertEqual(
            ['linters', 'specs'],
            plan.left_out(plan.CHECK[:1] + plan.CHECK[2:]))
