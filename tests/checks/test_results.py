# SPDX-License-Identifier: Apache-2.0

"""What counts as passed, failed and skipped."""

import contextlib
import io
from unittest import mock

import ddt
import testtools

from tests import temporary
from tools.checks import results
from tools.checks.runner import Outcome


@ddt.ddt
class ResultsTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.enterContext(mock.patch.object(
            results, 'FOLDER', temporary.folder(self) / 'results'))

    @ddt.data('fail', 'error', 'skip', 'inprogress', 'uxsuccess')
    def test_all_but_success_is_failure(self, status):
        result = results.of({'a': Outcome('success'),
                             'b': Outcome(status, 'why')})
        self.assertEqual(
            results.Result(1, (f'b: {status}',), details='b\nwhy\n'), result)

    def test_only_named_tests_may_be_skipped(self):
        result = results.of(
            {'cinder.a': Outcome('skip', 'no\nserver'),
             'ours.b': Outcome('skip')},
            lambda test: test.startswith('cinder'))
        self.assertEqual(('ours.b: skip',), result.failed)
        self.assertEqual(('cinder.a: no server',), result.skipped)
        self.assertEqual('0 passed, 1 failed, 1 skipped', str(result))

    def test_no_test_is_a_failure(self):
        self.assertEqual(('no test ran',), results.of({}).failed)

    def test_what_is_told_can_be_read_again(self):
        result = results.Result(2, ('b: fail',), ('c: why',), 'b\nTraceback')
        with contextlib.redirect_stdout(io.StringIO()) as stdout:
            self.assertEqual(1, results.tell('one', result))
        self.assertEqual(
            ['SKIPPED c: why', 'FAILED b: fail',
             'one: 2 passed, 1 failed, 1 skipped'],
            stdout.getvalue().splitlines())
        self.assertEqual(result, results.read('one'))
        self.assertIsNone(results.read('two'))
