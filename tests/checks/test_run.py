# SPDX-License-Identifier: Apache-2.0

"""What the runner of environments prints, and what it runs again."""

import contextlib
import io
import os
import subprocess
import sys
from unittest import mock

import testtools

from tests import temporary
from tools.checks import plan
from tools.checks import results
from tools.checks import run

TOX = '''\
#!{python}
import pathlib, sys, time
sys.path.insert(0, {root!r})
from tools.checks import results
results.FOLDER = pathlib.Path('build/results')
name, arguments = sys.argv[3], sys.argv[5:]
with open('runs', 'a') as file:
    file.write(' '.join([name, *arguments]) + '\\n')
if name == 'meets':
    while len(open('runs').readlines()) < 2:
        time.sleep(0.01)
if name == 'writes':
    open('written', 'a').write('more')
print('something on', name)
kept = {{'good': results.Result(2, skipped=('a: no server',)),
        'bad': results.Result(1, ('b: fail',), details='b broke')}}
if name in kept:
    results.tell(name, kept[name])
sys.exit(name.startswith('bad'))
'''


class RunTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.root = temporary.folder(self).resolve()
        tox = self.root / 'tox'
        tox.write_text(TOX.format(python=sys.executable, root=str(run.ROOT)))
        tox.chmod(0o755)
        subprocess.run(['git', 'init', '--quiet'], cwd=self.root, check=True)
        (self.root / '.gitignore').write_text('build\nruns\n')
        for target, name, value in (
                (run, 'ROOT', self.root),
                (run, 'LOGS', self.root / 'build/logs'),
                (run, 'PASSED', self.root / 'build/results/passed.json'),
                (results, 'FOLDER', self.root / 'build/results'),
                (sys, 'executable', str(self.root / 'python'))):
            self.enterContext(mock.patch.object(target, name, value))

    def run_plan(self, name, *names):
        with mock.patch.dict(plan.PLANS, {name: list(names)}), \
                mock.patch.dict(os.environ), \
                contextlib.redirect_stdout(io.StringIO()) as stdout:
            os.environ.pop('CINDER_TEST_SERVERS', None)
            status = run.main([name])
        return status, stdout.getvalue().splitlines()

    def runs(self):
        return (self.root / 'runs').read_text().splitlines()

    def test_the_last_line_is_the_sum(self):
        status, lines = self.run_plan('test', 'good', 'silent')
        self.assertEqual((0, '3 passed, 0 failed, 1 skipped'),
                         (status, lines[-1]))
        self.assertIn('SKIPPED 1 tests: no server', lines)

    def test_what_failed_stands_at_the_end(self):
        status, lines = self.run_plan('test', 'bad', 'good')
        self.assertEqual((1, '3 passed, 1 failed, 1 skipped'),
                         (status, lines[-1]))
        self.assertLess(lines.index('b broke'),
                        lines.index('FAILED bad: b: fail'))

    def test_an_environment_that_fails_without_a_result_has_failed(self):
        status, lines = self.run_plan('test', 'bad-and-silent')
        self.assertEqual((1, '0 passed, 1 failed'), (status, lines[-1]))
        self.assertIn('something on bad-and-silent', lines)

    def test_an_old_result_does_not_count(self):
        results.FOLDER.mkdir(parents=True)
        with contextlib.redirect_stdout(io.StringIO()):
            results.tell('silent', results.Result(7))
        _, lines = self.run_plan('test', 'silent')
        self.assertEqual('1 passed, 0 failed', lines[-1])

    def test_arguments_are_passed_on_and_the_log_is_kept(self):
        self.run_plan('test', 'silent --form short')
        self.assertEqual(['silent --form short'], self.runs())
        self.assertEqual('something on silent\n',
                         (self.root / 'build/logs/silent.log').read_text())

    def test_check_runs_again_only_what_has_not_passed(self):
        for _time in range(2):
            self.run_plan('check', 'good', 'bad')
        self.assertEqual(['bad', 'bad', 'good'], sorted(self.runs()))
        (self.root / 'new').write_text('not yet committed')
        self.run_plan('check', 'good', 'bad')
        self.assertEqual(['bad', 'bad', 'bad', 'good', 'good'],
                         sorted(self.runs()))

    def test_a_pass_on_a_tree_that_changed_meanwhile_does_not_count(self):
        self.run_plan('check', 'writes')
        self.run_plan('check', 'writes')
        self.assertEqual(['writes', 'writes'], self.runs())

    def test_two_run_at_a_time(self):
        _, lines = self.run_plan('test', 'meets', 'meets again', 'good')
        self.assertEqual('4 passed, 0 failed, 1 skipped', lines[-1])
        self.assertEqual({'meets', 'meets again'}, set(self.runs()[:2]))

    def test_test_runs_everything_again(self):
        for _time in range(2):
            self.run_plan('test', 'good')
        self.assertEqual(['good', 'good'], self.runs())

    def test_ci_tells_what_it_leaves_out(self):
        with mock.patch.object(plan, 'CHECK', ['good', 'long', 'longer']):
            _, lines = self.run_plan('ci', 'good')
        self.assertEqual(
            'Left out, of what "make check" runs: long, longer', lines[0])
