# SPDX-License-Identifier: Apache-2.0

"""Which tests of the locks start over when they fail."""

import os
import subprocess
import sys

import testtools

from tools.common.paths import ROOT
from tools.series import releases
from tools.series import tree

TESTS = '''
import sys, unittest
from unittest import mock
from cinder.rwlock import base as rwlock
from cinder.tests.unit.rwlock import base

runs = []

class Test(base.RWLockTestCase):
    def lose(self):
        runs.append(self._testMethodName)
        self.held('read')._tell_lost()
        self._lateness and setattr(self._lateness, 'seconds', late)
        self.fail('lost')

    def break_lock(self):
        pass

    def test_plain(self):
        self.lose()

    def test_harm(self):
        self.break_lock()
        self.lose()

for late in (0, 1):
    unittest.TextTestRunner(open('/dev/null', 'w')).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(Test))
    print(late, runs.count('test_plain'), runs.count('test_harm'))
    runs.clear()
'''


class WholeStartingOverTest(testtools.TestCase):

    def test_a_test_that_does_harm_starts_over_only_on_a_late_machine(self):
        built = tree.build(ROOT, releases.default(ROOT))
        done = subprocess.run(
            [sys.executable, '-c', TESTS], cwd=built, capture_output=True,
            text=True, env=os.environ | {'PYTHONPATH': str(built)})
        self.assertEqual('0 3 1\n1 3 3\n', done.stdout, done.stderr)
