# SPDX-License-Identifier: Apache-2.0

"""The commands that make the pins; no test runs uv."""

import subprocess
from unittest import mock

import testtools

from tools.checks import pins
from tools.common import errors
from tools.common.paths import ROOT
from tools.series import releases

DEFAULT, OLDER, *_ = releases.load(ROOT).values()
COMPILE = ('uv pip compile --quiet --python-version 3.11 --no-header '
           '--no-annotate --upgrade ')


class CommandsTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.commands = [' '.join(line) for line in pins.commands(ROOT)]

    def command(self, name):
        """Return the one command that makes a file of pins."""
        file = f' --output-file requirements/{name}.txt '
        command, = [line for line in self.commands if file in line]
        return command

    def test_every_release_and_every_other_file_is_pinned_once(self):
        names = [*releases.load(ROOT), 'docs', 'linters', 'cloud']
        self.assertEqual([self.command(name) for name in names],
                         self.commands)

    def test_all_pins_that_are_here_are_made(self):
        self.assertEqual(
            {path.name for path in (ROOT / 'requirements').glob('*.txt')},
            {path.removeprefix('requirements/') for line in self.commands
             for path in line.split() if path.endswith('.txt')})

    def test_the_default_release_has_the_newest_versions(self):
        self.assertEqual(
            COMPILE + f'--output-file requirements/{DEFAULT.version}.txt '
            f'requirements/{DEFAULT.version}.in',
            self.command(DEFAULT.version))

    def test_an_older_release_has_versions_of_its_time(self):
        self.assertEqual(
            COMPILE + f'--exclude-newer {OLDER.pins:%Y-%m-%d} ' + ' '.join(
                f'--exclude-newer-package={name}=2100-01-01' for name in (
                    'cinder', 'ast-grep-cli', 'packaging', 'pypi-simple',
                    'requests', 'ruamel-yaml')) +
            f' --output-file requirements/{OLDER.version}.txt '
            f'requirements/{OLDER.version}.in', self.command(OLDER.version))


class MakeTest(testtools.TestCase):

    def make(self, fails=None):
        """Make the pins and note the steps.

        :param str fails: the file of pins that uv cannot make
        """
        def run(command, cwd):
            self.assertEqual(ROOT, cwd)
            self.steps.append(command[-1])
            return subprocess.CompletedProcess(
                command, 1 if command[-1] == fails else 0)

        self.steps = []
        with (mock.patch('tools.series.tree.build',
                         lambda root, name: self.steps.append(name)),
              mock.patch('subprocess.run', side_effect=run)):
            pins.make(ROOT)

    def test_all_trees_are_built_before_the_first_pins(self):
        self.make()
        self.assertEqual(
            [*releases.load(ROOT),
             *(line[-1] for line in pins.commands(ROOT))], self.steps)

    def test_pins_that_cannot_be_made_end_the_run(self):
        last = f'requirements/{OLDER.version}.in'
        error = self.assertRaises(errors.ToolError, self.make, last)
        self.assertEqual(last, self.steps[-1])
        self.assertIn('expected new pins, found exit status 1 of uv',
                      str(error))
