# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import unittest
from unittest import mock

from tests.cloud import made_up
from tools.cloud import __main__ as main
from tools.cloud import command
from tools.cloud import namespace


class CommandTest(unittest.TestCase):

    def setUp(self):
        self.folder = made_up.folder(self, {'cinder/__init__.py': ''})
        self.said = io.StringIO()

    def main(self, *arguments):
        with contextlib.redirect_stderr(self.said):
            return command.main(main.PARSER, main.run, list(arguments))

    def test_an_unknown_tree_is_refused(self):
        with self.assertRaises(SystemExit) as ended:
            self.main('--tree', 'mine')

        self.assertEqual(2, ended.exception.code)
        self.assertIn("invalid choice: 'mine' (choose from 'upstream', "
                      "'patched')", self.said.getvalue())

    def test_a_tree_that_is_not_whole_is_refused(self):
        with mock.patch.dict(command.TREES, patched=self.folder):
            self.assertEqual(1, self.main())

        self.assertEqual(
            f'cloud: expected the patched tree, which "python -m '
            f'tools.checks trees" makes, in {self.folder}, it has no '
            f'etc/cinder/api-paste.ini\n', self.said.getvalue())

    def test_the_status_of_the_work_is_that_of_the_command(self):
        with mock.patch.object(command, 'tree_of'), \
                mock.patch.object(namespace, 'enter'):
            self.assertEqual([0, 0, 1], [
                command.main(main.PARSER, lambda _args: status, [])
                for status in (None, 0, 1)])

    def test_an_interrupt_is_told_without_a_traceback(self):
        with mock.patch.object(command, 'tree_of'), \
                mock.patch.object(namespace, 'enter'), \
                mock.patch.object(main, 'run', side_effect=KeyboardInterrupt):
            self.assertEqual(1, self.main())

        self.assertEqual('cloud: interrupted\n', self.said.getvalue())
