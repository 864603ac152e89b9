# SPDX-License-Identifier: Apache-2.0

"""The checks of the specification, each of which has to be able to fail."""

import configparser
import contextlib
import io
import os
import shutil
import subprocess
import sys

import ddt
import testtools

from tests import temporary
from tools.common.paths import ROOT
from tools.specs import titles

SPEC = 'specs/2027.1/enhance-locks.rst'
TEXT = (ROOT / SPEC).read_text(encoding='utf-8')


def section(title, text=TEXT):
    """Return a section of the specification, up to the next of its level."""
    lines = text.splitlines(keepends=True)
    start = lines.index(title + '\n')
    line = lines[start + 1]
    end = next((number - 1 for number in range(start + 2, len(lines))
                if set(lines[number]) == set(line) or
                set(lines[number]) == set('=\n')), len(lines))
    return ''.join(lines[start:end])


def without_body(title):
    return ''.join(section(title).splitlines(keepends=True)[:2]) + '\n'


@ddt.ddt
class TitlesTest(testtools.TestCase):

    def test_the_specification_has_the_sections_of_the_template(self):
        self.assertEqual([], titles.problems(TEXT))

    @ddt.data('Problem description', 'Testing', 'References')
    def test_a_missing_section_is_named(self, title):
        self.assertEqual([f'section "{title}" is missing.'],
                         titles.problems(TEXT.replace(section(title), '')))

    @ddt.data(('Security impact', 'Proposed change'),
              ('Work Items', 'Implementation'))
    @ddt.unpack
    def test_a_missing_section_below_another_is_named(self, title, above):
        self.assertEqual([f'section "{title}" is missing below "{above}".'],
                         titles.problems(TEXT.replace(section(title), '')))

    @ddt.data(('Use Cases', 'Problem description', ''),
              ('Data model impact', 'Alternatives',
               ' below "Proposed change"'))
    @ddt.unpack
    def test_sections_in_another_order_are_named(self, title, before, where):
        moved = section(title)
        text = TEXT.replace(moved, '').replace(
            section(before), moved + section(before))
        self.assertEqual(
            [f'section "{title}"{where} stands where "{before}" should.'],
            titles.problems(text))

    def test_a_section_that_the_template_does_not_have_is_named(self):
        text = TEXT.replace(
            section('Testing'), 'History\n=======\n\nLong.\n\n' +
            section('Testing'))
        self.assertEqual(['section "History" is not in the template.'],
                         titles.problems(text))

    @ddt.data(('Use Cases', ''),
              ('Notifications impact', ' below "Proposed change"'))
    @ddt.unpack
    def test_an_empty_section_is_named(self, title, where):
        text = TEXT.replace(section(title), without_body(title))
        self.assertEqual([f'section "{title}"{where} is empty; write None.'],
                         titles.problems(text))


class CommandsTest(testtools.TestCase):
    """What tox -e specs runs beside Sphinx."""

    def setUp(self):
        super().setUp()
        self.root = temporary.folder(self)
        shutil.copytree(ROOT / 'specs', self.root / 'specs')
        settings = configparser.ConfigParser()
        settings.read(ROOT / 'tox.ini')
        self.commands = [
            command.split() for command in
            settings['testenv:specs']['commands'].strip().splitlines()
            if 'sphinx' not in command]

    def check(self, text):
        """Return what the commands say of a text, and how many refuse it."""
        (self.root / SPEC).write_text(text, encoding='utf-8')
        done = [subprocess.run([sys.executable, *command[1:]], cwd=self.root,
                               env=os.environ | {'PYTHONPATH': str(ROOT)},
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
                for command in self.commands]
        return (''.join(each.stdout for each in done),
                sum(each.returncode != 0 for each in done))

    def assertRefused(self, text, reason):
        told, refusals = self.check(text)
        self.assertEqual(1, refusals, told)
        self.assertIn(SPEC, told)
        self.assertIn(reason, told)

    def test_the_specification_passes(self):
        self.assertEqual(2, len(self.commands))
        told, refusals = self.check(TEXT)
        self.assertEqual(0, refusals, told)

    def test_a_line_of_80_columns_is_refused(self):
        self.assertRefused(TEXT + 8 * 'too long ' + 'line now\n', 'D001')

    def test_white_space_at_the_end_of_a_line_is_refused(self):
        self.assertRefused(TEXT + 'Line. \n', 'D002')

    def test_what_is_no_restructuredtext_is_refused(self):
        self.assertRefused(TEXT + '``open\n', 'D000')

    def test_a_missing_section_is_refused(self):
        self.assertRefused(TEXT.replace(section('Testing'), ''),
                           'section "Testing" is missing')


class MainTest(testtools.TestCase):

    def test_the_exit_status_tells(self):
        with contextlib.redirect_stderr(io.StringIO()) as stderr:
            self.assertEqual(0, titles.main([str(ROOT / SPEC)]))
            self.assertEqual(1, titles.main([str(ROOT / 'specs/README.rst')]))
        self.assertIn('specs/README.rst: section "Testing" is missing.',
                      stderr.getvalue())
