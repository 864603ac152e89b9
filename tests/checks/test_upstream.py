# SPDX-License-Identifier: Apache-2.0

"""What counts of Cinder's own unit suite."""

import contextlib
import io
from unittest import mock

import testtools

from tools.checks import results
from tools.checks import runner
from tools.checks import upstream


def outcome(status, details=''):
    return runner.Outcome(status, details)


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
        with mock.patch.object(runner, 'run_all', return_value=outcomes), \
                contextlib.redirect_stdout(io.StringIO()):
            found = upstream.run(None, None, '', False,
                                 lambda test: 'ours' not in test)

        self.assertEqual(results.Result(1, ('cinder.test_ours: skip',)),
                         found)
