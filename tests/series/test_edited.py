# SPDX-License-Identifier: Apache-2.0

"""Remembering what rules make of a file."""

import pathlib
import tempfile
from unittest import mock

import testtools

from tools.common import errors
from tools.series import edit
from tools.series import edited
from tools.series import rules


def rule(replace, **more):
    return rules.parse({'find': 'one', 'replace': replace} | more,
                       'the rule', False)


class EditedTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        patch = mock.patch.object(edit, 'apply', side_effect=edit.apply)
        self.applied = patch.start()
        self.addCleanup(patch.stop)

    def apply(self, content, wanted):
        return edited.Edits(self.root).apply(content, wanted, 'Cinder')

    def test_the_same_is_not_applied_again(self):
        for _time in range(2):
            self.assertEqual(b'two', self.apply(b'one', rule('two')))
        self.assertEqual(1, self.applied.call_count)

    def test_another_content_or_rule_is_applied(self):
        self.assertEqual(b'two', self.apply(b'one', rule('two')))
        self.assertEqual(b'two!', self.apply(b'one!', rule('two')))
        self.assertEqual(b'three', self.apply(b'one', rule('three')))
        self.assertIn('must match 2 times', self.fail_to_apply(
            b'one', rule('two', count=2)))

    def test_an_error_is_told_again(self):
        for _time in range(2):
            self.assertIn('must match 1 times but matches 0',
                          self.fail_to_apply(b'another', rule('two')))

    def fail_to_apply(self, content, wanted):
        error = self.assertRaises(errors.ToolError, self.apply, content,
                                  wanted)
        return str(error)
