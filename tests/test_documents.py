# SPDX-License-Identifier: Apache-2.0

"""Every command of README.md and CONTRIBUTING.md works.

The commands that are quick and leave no trace are run; of the others it is
checked that what they name exists.
"""

import contextlib
import io
import re
import subprocess

import ddt
import testtools

from tools.checks import facts
from tools.common.paths import ROOT
from tools.series import __main__

DOCUMENTS = {'README.md': 100, 'CONTRIBUTING.md': 120}
"""Document -> how many lines it may have."""
RUN = re.compile(r'./series (show|build$|--help)')


def commands(document):
    """Find the commands of a document, which stand indented.

    :param str document: its name
    :returns: the commands, without the comments behind them
    :rtype: list[str]
    """
    lines = (ROOT / document).read_text().splitlines()
    return [re.split(r'  +#', line.strip())[0].strip() for line in lines
            if re.match(r' {4}(make|build/venv|\./series|git|cd) ?', line)]


@ddt.ddt
class DocumentsTest(testtools.TestCase):

    @ddt.data(*DOCUMENTS)
    def test_it_is_short(self, document):
        lines = (ROOT / document).read_text().splitlines()
        self.assertLessEqual(len(lines), DOCUMENTS[document])

    @ddt.data(*DOCUMENTS)
    def test_what_it_links_to_exists(self, document):
        text = (ROOT / document).read_text()
        links = [link for link in re.findall(r'\]\(([^)]+)\)', text)
                 if not link.startswith('https://')]
        for link in links:
            self.assertTrue((ROOT / link).exists(), link)

    @ddt.data(*DOCUMENTS)
    def test_its_make_targets_exist(self, document):
        for command in commands(document):
            if command.startswith('make '):
                target = command.split()[1]
                done = subprocess.run(
                    ['make', '--dry-run', '--question', '-W', 'Makefile',
                     target], cwd=ROOT, capture_output=True, text=True)
                self.assertNotIn('No rule', done.stderr, command)

    @ddt.data(*DOCUMENTS)
    def test_its_environments_exist(self, document):
        listed = facts.environments(facts.read_tox(ROOT))
        text = (ROOT / document).read_text()
        for name in re.findall(r'tox (?:run )?-e ([\w,.-]+)', text):
            for environment in name.split(','):
                # One belongs to Cinder's own tox.ini.
                self.assertIn(environment, [*listed, 'py3'])

    @ddt.data(*DOCUMENTS)
    def test_its_commands_of_the_series_exist(self, document):
        text = (ROOT / document).read_text()
        for command in set(re.findall(r'\./series (\w+)', text)):
            with contextlib.redirect_stdout(io.StringIO()):
                exit = self.assertRaises(
                    SystemExit, __main__.main, [command, '--help'])
            self.assertEqual(0, exit.code, command)


class WholeCommandsTest(testtools.TestCase):

    def test_quick_commands_run(self):
        ran = 0
        for document in DOCUMENTS:
            for command in filter(RUN.match, commands(document)):
                command = command.replace('NAME', '1')
                done = subprocess.run(
                    command, shell=True, cwd=ROOT, capture_output=True,
                    text=True)
                self.assertEqual(0, done.returncode,
                                 f'{command}: {done.stderr}')
                ran += 1
        self.assertGreater(ran, 4)
