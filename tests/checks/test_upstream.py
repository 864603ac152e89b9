# SPDX-License-Identifier: Apache-2.0

"""What counts of Cinder's own unit suite."""

from unittest import mock

import testtools

from tools.checks.runner import Outcome
from tools.checks import upstream


class UpstreamTest(testtools.TestCase):

    def failure(self, text):
        return Outcome('fail', f'Traceback:\n  File x\n{text}\n')

    def test_the_same_failure_is_known_by_its_last_line(self):
        one = self.failure('ValueError: 3 at 0x7f12 in /tmp/a/b')
        self.assertTrue(upstream.same(one, self.failure(
            'ValueError: 4 at 0x7f99 in /tmp/c')))
        self.assertFalse(upstream.same(one, self.failure('KeyError: 3')))
        self.assertFalse(upstream.same(one, Outcome('success')))

    def test_only_tests_of_cinder_may_be_skipped(self):
        outcomes = {'cinder.test_theirs': Outcome('skip'),
                    'cinder.test_ours': Outcome('skip'),
                    'cinder.test_passed': Outcome('success')}
        with mock.patch('tools.checks.runner.run_all', return_value=outcomes):
            found = upstream.run(None, None, '', False,
                                 lambda test: 'ours' not in test)

        self.assertEqual((1, ('cinder.test_ours: skip',), ()),
                         (found.passed, found.failed, found.skipped))
