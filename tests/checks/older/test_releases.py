# SPDX-License-Identifier: Apache-2.0

"""Which older releases of tooz are tried; no test runs uv but one."""

import subprocess
from unittest import mock

import testtools

from tests import temporary
from tools.checks.older import releases as older
from tools.common import errors
from tools.common.paths import ROOT
from tools.series import releases


class PinnedTest(testtools.TestCase):

    def test_each_is_pinned_by_the_oldest_release_of_cinder_with_it(self):
        newest, *_, oldest = releases.load(ROOT)
        found = older.pinned(ROOT)
        self.assertEqual(f'{oldest}.txt', list(found.values())[0].name)
        self.assertEqual(f'{newest}.txt', list(found.values())[-1].name)
        for version, pins in found.items():
            self.assertIn(f'\ntooz=={version}\n', pins.read_text())

    def test_the_releases_that_most_clouds_have_are_among_them(self):
        self.assertLessEqual({'6.3.0', '8.1.0', '9.1.0'},
                             set(older.pinned(ROOT)))


class InstallTest(testtools.TestCase):

    def install(self, returncode=0):
        self.commands = []

        def run(command):
            self.commands.append(' '.join(map(str, command[3:])))
            return subprocess.CompletedProcess(command, returncode)

        folder = temporary.folder(self)
        with (mock.patch('subprocess.run', run),
              mock.patch.object(older, 'pinned', lambda _root: {
                  '1.0': folder / 'pins.txt'})):
            return older.install(folder), folder

    def test_it_is_installed_with_the_pins(self):
        pythons, folder = self.install()
        self.assertEqual(
            {'1.0': folder / older.FOLDER / '1.0/bin/python'}, pythons)
        self.assertIn(f'--constraint {folder}/pins.txt '
                      'tooz[etcd3gw,redis,zookeeper]==1.0', self.commands[-1])

    def test_one_that_cannot_be_installed_is_told(self):
        error = self.assertRaises(errors.ToolError, self.install, 1)
        self.assertIn('an older tooz cannot be installed', str(error))
