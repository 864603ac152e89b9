# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import os
import unittest
from unittest import mock

from tests.cloud import made_up
from tools.cloud import __main__ as main
from tools.cloud import command
from tools.cloud import namespace
from tools.common.errors import ToolError


class MainTest(unittest.TestCase):

    def setUp(self):
        self.folder = made_up.folder(self)
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
        (self.folder / 'cinder').mkdir()
        (self.folder / 'cinder/__init__.py').touch()
        with mock.patch.dict(command.TREES, patched=self.folder):
            self.assertEqual(1, self.main())

        self.assertEqual(
            f'cloud: patched tree: expected a Cinder source tree in '
            f'{self.folder}, it has no etc/cinder/api-paste.ini; "python -m '
            f'tools.checks trees" makes it\n', self.said.getvalue())

    def test_the_works_status_is_the_daemons(self):
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


class NamespaceTest(unittest.TestCase):

    def setUp(self):
        self.folder = made_up.folder(self)
        patch = mock.patch.dict(os.environ, PATH=str(self.folder))
        patch.start()
        self.addCleanup(patch.stop)

    def test_who_may_not_make_namespaces_is_told(self):
        program = self.folder / 'unshare'
        program.write_text('#!/bin/sh\necho not permitted >&2\nexit 1\n')
        program.chmod(0o755)

        with self.assertRaisesRegex(
                ToolError, 'expected to run as root, .*, found user '
                           rf'{os.geteuid()}: not permitted'):
            namespace.enter('tools.cloud', [])

    def test_who_has_no_unshare_is_told(self):
        with self.assertRaisesRegex(ToolError, 'unshare of util-linux'):
            namespace.enter('tools.cloud', [])

    def test_the_command_runs_again_inside(self):
        program = self.folder / 'unshare'
        program.write_text('#!/bin/sh\n')
        program.chmod(0o755)
        with mock.patch.object(os, 'execvp') as execute:
            namespace.enter('tools.cloud.storm', ['--shell'])

        command = execute.call_args.args[1]
        self.assertEqual(['-m', 'tools.cloud.storm', '--shell'], command[-3:])
        self.assertLessEqual({'--pid', '--mount', '--kill-child'},
                             set(command))
        with mock.patch.object(os, 'execvp') as execute:
            namespace.enter('tools.cloud', ['--shell'])
        execute.assert_not_called()
        self.assertNotIn(namespace.MARK, os.environ)

    def test_two_clouds_are_not_in_one_directory(self):
        with namespace.alone(self.folder):
            child = os.fork()
            if not child:
                try:
                    with namespace.alone(self.folder):
                        os._exit(0)
                except ToolError as error:
                    os._exit(7 if 'found one that runs' in str(error) else 8)
            self.assertEqual(7, os.waitstatus_to_exitcode(
                os.waitpid(child, 0)[1]))
        with namespace.alone(self.folder):
            pass
