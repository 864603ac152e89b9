# SPDX-License-Identifier: Apache-2.0

import os
import unittest
from unittest import mock

from tests.cloud import made_up
from tools.cloud import namespace
from tools.common.errors import ToolError


class NamespaceTest(unittest.TestCase):

    def setUp(self):
        self.folder = made_up.folder(self)
        self.enterContext(
            mock.patch.dict(os.environ, PATH=str(self.folder)))

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
