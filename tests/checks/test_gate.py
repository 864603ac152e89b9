# SPDX-License-Identifier: Apache-2.0

"""What counts as passed, failed and skipped."""

import contextlib
import io
import os
import pathlib
import tempfile
from unittest import mock

import ddt
import testtools

from tools.checks import docs
from tools.checks import results
from tools.checks import runner
from tools.checks import trees
from tools.checks import unpatched
from tools.checks import upstream
from tools.common import errors


def outcome(status, details=''):
    return runner.Outcome(status, details)


@ddt.ddt
class ResultsTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)

    def printed(self, function, *args):
        with contextlib.redirect_stdout(io.StringIO()) as stdout:
            returned = function(*args)
        return returned, stdout.getvalue().splitlines()

    @ddt.data('fail', 'error', 'skip', 'inprogress', 'uxsuccess')
    def test_all_but_success_is_failure(self, status):
        result = results.of({'a': outcome('success'), 'b': outcome(status)})
        self.assertEqual(results.Result(1, (f'b: {status}',)), result)

    def test_only_named_tests_may_be_skipped(self):
        found, lines = self.printed(results.of, {
            'cinder.a': outcome('skip', 'why'), 'ours.b': outcome('skip')},
            'cinder')
        self.assertEqual(results.Result(0, ('ours.b: skip',)), found)
        self.assertEqual(['SKIPPED cinder.a: why'], lines)

    def test_no_test_is_a_failure(self):
        self.assertEqual(('no test ran',), results.of({}).failed)

    def test_the_sum_ends_with_one_line(self):
        for name, failed in (('one', ()), ('two', ('b: fail',))):
            self.printed(results.tell, name, results.Result(2, failed))
        status, lines = self.printed(results.add_up, ['one', 'two'])
        self.assertEqual((1, '4 passed, 1 failed'), (status, lines[-1]))
        status, lines = self.printed(results.add_up, ['one'])
        self.assertEqual((0, '2 passed, 0 failed'), (status, lines[-1]))

    def test_a_check_that_left_no_result_has_failed(self):
        status, lines = self.printed(results.add_up, ['one'])
        self.assertEqual((1, '0 passed, 1 failed'), (status, lines[-1]))


@ddt.ddt
class JudgeTest(testtools.TestCase):

    TEST = 'unit.a.B.test_c'

    def judge(self, outcomes):
        return unpatched.judge(self.TEST, 'the reason', {
            'cinder.tests.' + test: found for test, found in outcomes.items()})

    @ddt.data({'unit.a.B.test_c': outcome('fail', 'for The Reason')},
              {'unit.a.B.test_c_1_x': outcome('fail', 'the reason'),
               'unit.a.B.test_c_2': outcome('success')})
    def test_a_failure_for_the_reason_is_right(self, outcomes):
        self.assertIsNone(self.judge(outcomes))

    @ddt.data(({}, 'did not run'),
              ({'unit.a.B.test_c_d': outcome('fail', 'the reason')},
               'did not run'),
              ({'unit.a.B.test_c': outcome('success')}, 'must fail'),
              ({'unit.a.B.test_c': outcome('fail', 'another')}, 'another'))
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
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in (
                    ('gate/unpatched/a.yml', LIST),
                    ('cinder/a.py', source),
                    ('cinder/tests/unit/test_a.py',
                     'class ATest:\n'
                     '    def test_named(self): pass\n'
                     '    def test_forgotten(self): pass\n')):
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            with mock.patch.object(trees, 'lay_out', return_value=root):
                return unpatched.complaints(root, None)

    def test_a_test_without_a_tree_is_named(self):
        told, = self.complaints('wait()\n')
        self.assertIn('unit.test_a.ATest.test_forgotten: no tree', told)

    def test_a_tree_whose_edit_does_not_match_is_named(self):
        told = self.complaints('sleep()\n')[-1]
        self.assertIn('tree damaged: cinder/a.py: rule 1 must match', told)


class UpstreamTest(testtools.TestCase):

    def failure(self, text):
        return outcome('fail', f'Traceback:\n  File x\n{text}\n')

    def test_the_same_failure_is_known_by_its_last_line(self):
        one = self.failure('ValueError: 3 at 0x7f12 in /tmp/a/b')
        self.assertTrue(upstream.same(one, self.failure(
            'ValueError: 4 at 0x7f99 in /tmp/c')))
        self.assertFalse(upstream.same(one, self.failure('KeyError: 3')))
        self.assertFalse(upstream.same(one, outcome('success')))

    def test_only_tests_of_cinder_may_be_skipped(self):
        outcomes = {'cinder.test_theirs': outcome('skip'),
                    'cinder.test_ours': outcome('skip'),
                    'cinder.test_passed': outcome('success')}
        with mock.patch('tools.checks.runner.run_all', return_value=outcomes), \
                contextlib.redirect_stdout(io.StringIO()):
            found = upstream.run(None, None, '', False, '(?!.*ours)')

        self.assertEqual(results.Result(1, ('cinder.test_ours: skip',)),
                         found)


class DocsTest(testtools.TestCase):

    def test_every_command_runs_and_those_that_fail_are_told(self):
        with tempfile.TemporaryDirectory() as folder:
            result = docs._run(folder, {
                'One': ['python', '-c', 'raise SystemExit(1)'],
                'Two': ['python', '-c', 'open("two", "w")']})
            self.assertTrue(os.path.exists(os.path.join(folder, 'two')))
        self.assertEqual(results.Result(1, ('python',)), result)

    def test_a_command_that_is_missing_is_named(self):
        error = self.assertRaises(errors.ToolError, docs._run, '.',
                                  {'One': ['no-such-command']})
        self.assertIn('no-such-command is not installed', str(error))
