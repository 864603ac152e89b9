# SPDX-License-Identifier: Apache-2.0

"""Testing every commit by itself: what is broken is found, and where."""

import os
from unittest import mock

import ddt
import testtools

from tests.series import base
from tools.series import bench as benches
from tools.series import tests_of

VERSION = '1.3.0'
FILES = base.FILES | {
    'cinder/tests/__init__.py': '',
    'cinder/tests/unit/__init__.py': '',
    'cinder/tests/unit/test_locks.py': '''\
import unittest

from cinder import locks


class LocksTest(unittest.TestCase):

    def test_acquire(self):
        class Lock:
            def acquire(self, blocking):
                return True

        self.assertTrue(locks.acquire(Lock(), True))
''',
    'cinder/tests/unit/test_broken.py': 'raise ImportError("not run")\n'}
UNIT_TEST = '''\
import unittest

from cinder import rwlock


class SharedTest(unittest.TestCase):

    def test_shared(self):
        self.assertEqual({}, rwlock.SHARED)
'''


@ddt.ddt
class CommitTest(base.TestCase):

    def setUp(self):
        super().setUp()
        self.add_release(VERSION, FILES)
        self.write('cinder/tests/unit/rwlock/__init__.py', '')
        self.write('cinder/tests/unit/rwlock/test_rwlock.py',
                   UNIT_TEST.format(1))
        self.replace(base.RWLOCK, '  - cinder/rwlock/\n', '''\
  - cinder/rwlock/
  - cinder/tests/unit/rwlock/
''')

    def run_test(self, *arguments):
        return self.succeed('test', '--cinder', VERSION, *arguments)[1]

    def fail_test(self, *arguments):
        return self.fail('test', '--cinder', VERSION, *arguments)

    def test_every_commit_passes(self):
        err = self.run_test()
        self.assertRegex(
            err, r'\[1\] Check the result of acquire: 1 modules, 1 tests')
        self.assertRegex(
            err, r'\[2\] Add read and write locks: 3 modules, 1 tests')
        self.assertIn('2 commits pass, each by itself', err)

    def test_functional_tests_that_a_commit_adds_run(self):
        self.write('cinder/tests/functional/__init__.py', '')
        self.write('cinder/tests/functional/test_shared.py',
                   UNIT_TEST.format(2))
        self.replace(base.RWLOCK, '  - cinder/rwlock/\n', '''\
  - cinder/rwlock/
  - cinder/tests/functional/
''')
        self.assertIn('functional.test_shared.SharedTest', self.fail_test())
        self.run_test('--unit')

    def test_built_tree_is_left_alone(self):
        self.main('build', '--cinder', VERSION)
        tree = self.root / f'build/cinder-{VERSION}'
        before = base.snapshot(tree)
        self.run_test()
        self.assertEqual(before, base.snapshot(tree))

    def add_later(self, text):
        self.add_commit('later', 'message: |\n  Later\n\n  Why.\n\n'
                        '  Implements: blueprint enhance-locks\n' + text)

    def test_test_that_a_later_commit_puts_right(self):
        self.write('cinder/rwlock/__init__.py', 'SHARED = 2\n')
        self.add_later('edits: {cinder/rwlock/__init__.py: ['
                       '{rule: {pattern: SHARED = 2}, fix: SHARED = 1}]}\n')
        error = self.fail_test()
        self.assertEqual(
            'error: 1 of 3 commits fail:\nCommit rwlock: FAIL: cinder.tests.'
            'unit.rwlock.test_rwlock.SharedTest.test_shared\n', error)

    def test_bytecode_of_another_commit_is_not_run(self):
        self.write('cinder/rwlock/__init__.py', 'SHARED = 2\n')
        self.add_later('edits: {cinder/rwlock/__init__.py: ['
                       '{rule: {pattern: SHARED = 2}, fix: SHARED = 1}]}\n')
        self.main('build', '--cinder', VERSION)
        built = self.root / f'build/cinder-{VERSION}'
        told = []
        with mock.patch('os.cpu_count', return_value=1):
            bench = benches.Bench(built, self.temp)
        for made in self.hashes(cwd=built)[2:]:
            with bench.checked_out(made) as repository:
                # As if both were written in the same second.
                os.utime(repository.path / 'cinder/rwlock/__init__.py', (1, 1))
                told.append(bench.python(
                    repository, '-c',
                    'from cinder import rwlock; print(rwlock.SHARED)'))
        self.assertEqual([(0, '2\n'), (0, '1\n')], told)

    def test_import_that_a_later_commit_puts_right(self):
        self.write('cinder/rwlock/__init__.py',
                   'from cinder.rwlock import base  # noqa\n\nSHARED = 1\n')
        self.write('cinder/rwlock/base.py', '')
        self.replace(base.RWLOCK, '- cinder/rwlock/\n',
                     '- cinder/rwlock/__init__.py\n')
        self.add_later('adds: [cinder/rwlock/base.py]\n')
        error = self.fail_test()
        self.assertIn('error: 1 of 3 commits fail:\nCommit rwlock: a module '
                      'that it touches cannot be imported: ImportError: '
                      "cannot import name 'base'", error)
        self.assertNotIn('Commit later', error)

    def test_module_without_tests_is_imported_too(self):
        self.write('cinder/rwlock/other.py', 'import nothing_such  # noqa\n')
        self.assertIn("No module named 'nothing_such'", self.fail_test())

    def test_style(self):
        self.write('cinder/rwlock/__init__.py', 'SHARED = gadget = 1\n')
        self.assertIn('Commit rwlock: cinder/rwlock/__init__.py:1:1: X900',
                      self.fail_test())

    def test_existing_tests_of_a_module_that_is_edited(self):
        self.replace(base.CHECKED, 'if not lock', 'if lock')
        error = self.fail_test()
        self.assertIn('Commit check-acquire: ERROR: cinder.tests.unit.'
                      'test_locks.LocksTest.test_acquire', error)

    def test_test_module_without_a_test(self):
        self.write('cinder/tests/unit/rwlock/test_rwlock.py', 'A = 1\n')
        self.assertIn('Commit rwlock: 0 tests ran, of cinder/tests/unit/'
                      'rwlock/test_rwlock.py', self.fail_test())

    def test_every_broken_commit_is_named(self):
        self.replace(base.CHECKED, 'if not lock', 'if lock')
        self.write('cinder/rwlock/__init__.py', 'SHARED = 2\n')
        status, out, error = self.main('test', '--cinder', VERSION)
        self.assertEqual(1, status)
        self.assertIn('AssertionError: 1 != 2', out)
        self.assertIn('error: 2 of 2 commits fail:', error)
        self.assertIn('Commit check-acquire:', error)
        self.assertIn('Commit rwlock:', error)

    @ddt.data(('1', '1'), ('rwlock', '2'), ('2..', '2'), ('..1', '1'),
              ('check-acquire..1', '1'), ('1..2', '12'), ('I7b0b..', '12'))
    @ddt.unpack
    def test_some_commits(self, wanted, tested):
        err = self.run_test('--commits', wanted)
        for number in '12':
            self.assertEqual(number in tested, f'[{number}] ' in err)

    @ddt.data(('3', 'no commit of the series'),
              ('1..x', 'no commit of the series'),
              ('2..1', 'expected A..B with A before B'))
    @ddt.unpack
    def test_no_such_commits(self, wanted, error):
        self.assertIn(error, self.fail_test('--commits', wanted))

    def test_what_cinder_needs_is_missing(self):
        self.add_release('1.4.0', FILES | {
            'cinder/tests/unit/__init__.py': 'import nothing_such\n'})
        error = self.fail('test', '--cinder', '1.4.0')
        self.assertIn('Cinder as released cannot be imported, "tox -e commits"'
                      " has what it needs: ModuleNotFoundError: No module "
                      "named 'nothing_such'", error)


@ddt.ddt
class TestsOfTest(testtools.TestCase):

    FILES = [f'cinder/tests/unit/{name}.py' for name in (
        'test_utils', 'test_volume_utils', 'test_coordination',
        'test_manager', 'volume/test_volume', 'volume/test_volume_manager',
        'volume/test_driver', 'volume/test_snapshot', 'volume/test_remanager',
        'volume/drivers/test_qnap', 'volume/drivers/test_qnap_more',
        'volume/flows/test_create_volume_flow', 'volume/fake_driver')]

    @ddt.data(
        ('cinder/utils.py', ['test_utils']),
        ('cinder/volume/manager.py',
         ['volume/test_volume', 'volume/test_volume_manager']),
        ('cinder/volume/driver.py',
         ['volume/test_volume', 'volume/test_driver']),
        ('cinder/volume/drivers/qnap.py',
         ['volume/drivers/test_qnap', 'volume/drivers/test_qnap_more']),
        ('cinder/volume/flows/manager/create_volume.py',
         ['volume/flows/test_create_volume_flow']),
        ('cinder/tests/unit/volume/test_snapshot.py',
         ['volume/test_snapshot']),
        ('cinder/tests/unit/volume/fake_driver.py', []),
        ('cinder/tests/functional/test_utils.py', []),
        ('cinder/locks/etcd3.py', []),
        ('tools/utils.py', []), ('cinder/utils.txt', []), ('utils.py', []))
    @ddt.unpack
    def test_tests_of(self, path, found):
        self.assertEqual(
            {f'cinder/tests/unit/{name}.py' for name in found},
            tests_of.tests_of(path, self.FILES))
