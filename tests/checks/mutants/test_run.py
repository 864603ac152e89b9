# SPDX-License-Identifier: Apache-2.0

"""How a test must fail on a mutant."""

import subprocess
import sys

import ddt
import testtools

from tests import temporary
from tools.checks.mutants import run
from tools.checks.runner import Outcome
from tools.checks import trees
from tools.series import apply
from tools.series import git
from tools.series import projects


@ddt.ddt
class JudgeTest(testtools.TestCase):

    TEST = 'unit.a.B.test_c'

    def judge(self, outcomes):
        return run.judge(self.TEST, 'the reason', outcomes)

    @ddt.data({'unit.a.B.test_c': Outcome('fail', 'for The Reason')},
              {'unit.a.B.test_c_1_x': Outcome('fail', 'the reason'),
               'unit.a.B.test_c_2': Outcome('success'),
               'unit.a.B.test_c_3': Outcome('skip', 'no server')})
    def test_a_failure_for_the_reason_is_right(self, outcomes):
        self.assertIsNone(self.judge(outcomes))

    @ddt.data(({}, 'did not run'),
              ({'unit.a.B.test_c_d': Outcome('fail', 'the reason')},
               'did not run'),
              ({'unit.a.B.test_c': Outcome('skip', 'the reason')},
               'did not run'),
              ({'unit.a.B.test_c': Outcome('success')}, 'must fail'),
              ({'unit.a.B.test_c': Outcome('fail', 'another')}, 'another'))
    @ddt.unpack
    def test_anything_else_is_wrong(self, outcomes, complaint):
        self.assertIn(complaint, self.judge(outcomes))


LIST = """
- tree: damaged
  base: upstream
  edits:
    cinder/a.py:
      - rule: {pattern: wait()}
        fix: pass
  fails:
    unit.test_a.ATest.test_named: too early
"""


class ComplaintsTest(testtools.TestCase):

    def complaints(self, source):
        root = temporary.folder(self, {
            'tools/checks/mutants/a.yml': LIST, 'cinder/a.py': source,
            'cinder/tests/unit/test_a.py':
                'class ATest:\n'
                '    def test_named(self): pass\n'
                '    def test_forgotten(self): pass\n',
            'tooz/tooz/tests/drivers/test_b.py':
                'class BTest:\n'
                '    def test_forgotten(self): pass\n'})
        repository = git.init(root)
        repository.run('add', '--all')
        repository.run('commit', '--quiet', '--message=Cinder',
                       env=git.identity(apply.BASE_TIME))
        repository.run('tag', 'upstream')
        return run.complaints(root, root)

    def test_a_test_without_a_tree_is_named(self):
        self.assertEqual(
            [f'{test}: no tree is named on which it fails' for test in (
                'cinder.tests.unit.test_a.ATest.test_forgotten',
                'tooz.tests.drivers.test_b.BTest.test_forgotten')],
            self.complaints('wait()\n'))

    def test_a_tree_whose_edit_does_not_match_is_named(self):
        told = self.complaints('sleep()\n')[-1]
        self.assertIn('tree damaged: cinder/a.py: rule 1 must match', told)


class ChosenTest(testtools.TestCase):

    TREES = [trees.Tree('one', 'upstream', {}, {'a.A.test_x': 'r',
                                                'a.A.test_y': 'r'}),
             trees.Tree('two', 'upstream', {}, {'b.B.test_x': 'r'})]

    def chosen(self, pattern):
        return [(tree.name, list(tree.fails))
                for tree in run._chosen(self.TREES, pattern)]

    def test_all(self):
        self.assertEqual([('one', ['a.A.test_x', 'a.A.test_y']),
                          ('two', ['b.B.test_x'])], self.chosen(''))

    def test_by_the_name_of_a_mutant(self):
        self.assertEqual([('two', ['b.B.test_x'])], self.chosen('^two$'))

    def test_by_a_test(self):
        self.assertEqual([('one', ['a.A.test_x']), ('two', ['b.B.test_x'])],
                         self.chosen('test_x'))


class ServingTest(testtools.TestCase):

    def driver(self, project, listed):
        return run._driver(trees.Tree('a', 'upstream', {}, {}, project,
                                      listed))

    def test_a_list_of_tooz_is_for_a_driver(self):
        self.assertEqual('redis', self.driver(projects.TOOZ, 'redis'))
        self.assertEqual('file', self.driver(projects.TOOZ, 'base'))
        self.assertEqual('', self.driver(projects.CINDER, 'redis'))

    def test_tests_are_told_of_the_server(self):
        ask = [sys.executable, '-c',
               'import os; print(os.environ["TOOZ_TEST_URL"])']
        with run._serving('file') as within:
            told = subprocess.check_output([*within, *ask], text=True)
        self.assertIn('file:///', told)

    def test_those_of_cinder_have_none(self):
        with run._serving('') as within:
            self.assertEqual([], within)
