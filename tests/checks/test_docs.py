# SPDX-License-Identifier: Apache-2.0

"""The commands that build the documentation."""

import testtools

from tests import temporary
from tools.checks import docs
from tools.checks import results
from tools.common import errors


class DocsTest(testtools.TestCase):

    def test_every_command_runs_and_those_that_fail_are_told(self):
        folder = temporary.folder(self)
        result = docs._run(folder, {
            'One': ['python', '-c', 'raise SystemExit(1)'],
            'Two': ['python', '-c', 'open("two", "w")']})
        self.assertTrue((folder / 'two').exists())
        self.assertEqual(results.Result(1, ('python',)), result)

    def test_a_command_that_is_missing_is_named(self):
        error = self.assertRaises(errors.ToolError, docs._run, '.',
                                  {'One': ['no-such-command']})
        self.assertIn('no-such-command is not installed', str(error))
