# SPDX-License-Identifier: Apache-2.0

"""What is remembered of the style of a commit."""

from unittest import mock

from tests.series import base
from tools.common import errors
from tools.series import style


class StyleTest(base.TestCase):

    def setUp(self):
        super().setUp()
        patch = mock.patch.object(style, '_run', side_effect=style._run)
        self.flake8 = patch.start()
        self.addCleanup(patch.stop)

    def share_memory(self):
        """Remember nothing of other tests."""

    def check(self):
        """Check the series; return of how many commits flake8 ran."""
        self.flake8.reset_mock()
        self.main('check', '--cinder', base.VERSION)
        return self.flake8.call_count

    def test_a_commit_that_is_as_before_is_not_checked_again(self):
        self.assertEqual([2, 0], [self.check(), self.check()])
        self.write('cinder/rwlock/__init__.py', 'SHARED = 2\n')
        self.assertEqual(1, self.check())

    def test_what_was_found_is_told_again(self):
        self.write('cinder/rwlock/__init__.py', 'gadget = 1\n')
        for _time in range(2):
            self.assertIn('X900 no gadgets', self.fail(
                'check', '--cinder', base.VERSION))

    def test_other_checks_are_run(self):
        self.check()
        plugin = 'cinder/tests/hacking/checks.py'
        self.add_release('1.3.0', base.FILES | {
            plugin: base.FILES[plugin].replace("'gadget'", "'widget'")})
        self.succeed('check', '--cinder', '1.3.0')
        self.assertEqual(4, self.flake8.call_count)

    def test_flake8_that_fails_is_run_again(self):
        self.flake8.side_effect = errors.ToolError('flake8 fails: why')
        for _time in range(2):
            self.assertIn('Commit rwlock: flake8 fails: why', self.fail(
                'check', '--cinder', base.VERSION))
        self.assertEqual(4, self.flake8.call_count)
