# SPDX-License-Identifier: Apache-2.0

"""Which tests are run of a tree."""

import testtools

from tests import temporary
from tools.checks import runner

TEST = '''\
import unittest


class ATest(unittest.TestCase):

    def test_it(self):
        pass

    def test_other(self):
        pass
'''


class RunAllTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.tree = temporary.folder(self, {
            'tests/__init__.py': '', 'tests/test_a.py': TEST,
            'tests/test_ab.py': TEST,
            'tests/test_broken.py': 'import nothing_such'})

    def run_all(self, tests, pattern=''):
        return sorted(runner.run_all(self.tree, tests, pattern, workers=1))

    def test_all_tests_of_the_modules_run(self):
        self.assertEqual(
            ['tests.test_a.ATest.test_it', 'tests.test_a.ATest.test_other'],
            self.run_all({'tests/test_a.py'}))

    def test_a_pattern_chooses_among_them(self):
        self.assertEqual(
            ['tests.test_a.ATest.test_it'],
            self.run_all({'tests/test_a.py'}, 'test_it'))

    def test_a_module_that_cannot_be_imported_is_not_left_out(self):
        """No test runs, and that counts as failed."""
        self.assertEqual([], self.run_all(
            {'tests/test_a.py', 'tests/test_broken.py'}))

    def test_a_folder_is_looked_through(self):
        (self.tree / 'tests/test_broken.py').unlink()
        self.assertEqual(
            ['tests.test_a.ATest.test_it', 'tests.test_ab.ATest.test_it'],
            self.run_all('tests', 'test_it'))
