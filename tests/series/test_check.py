# SPDX-License-Identifier: Apache-2.0

"""What check finds."""

import dataclasses
from unittest import mock

import ddt

from tests.series import base
from tools.series import commits

RWLOCK = 'cinder/rwlock/__init__.py'


@ddt.ddt
class CheckTest(base.TestCase):

    def check(self):
        return self.fail('check', '--cinder', base.VERSION)

    def test_nothing_to_complain_of(self):
        _, err = self.succeed('check', '--cinder', base.VERSION)
        self.assertIn('2 commits, nothing to complain of', err)
        self.assertFalse(self.tree.exists())
        self.assert_no_litter()

    def test_built_tree_is_left_alone(self):
        self.build()
        (self.tree / 'setup.cfg').write_text('changed by hand')
        before = base.snapshot(self.tree)
        self.succeed('check', '--cinder', base.VERSION)
        self.assertEqual(before, base.snapshot(self.tree))

    @ddt.data(
        ('Check the result of acquire', 'Check ' + 'x' * 67,
         'check-acquire: the subject has more than 72'),
        ('Check the result of acquire', 'Check acquire.',
         'check-acquire: the subject ends with a period'),
        ('of acquire\n\n  A body', 'of acquire\n  A body',
         'check-acquire: the second line is not blank'),
        ('A body.', 'x' * 73, 'check-acquire: a line has more than 72'),
        ('A body.', 'Naïve.',
         'check-acquire: not all of it is printable ASCII'),
        ('A body.', 'A\tbody.',
         'check-acquire: not all of it is printable ASCII'),
        ('A body.\n\n  ', '', 'check-acquire: no paragraph tells why'),
        ('Check the result', 'Checks the result',
         "check-acquire: the subject begins with 'Checks'"),
        ('Check the result', 'Added the result',
         "check-acquire: the subject begins with 'Added'"),
        ('Check the result', 'Checking the result',
         "check-acquire: the subject begins with 'Checking'"),
        ('A body.', 'A body. ', 'check-acquire: white space ends the line'),
        ('Partially-Implements: blueprint enhance-locks\n',
         'Implements: blueprint other\n',
         'check-acquire: the last paragraph names neither the blueprint'),
        ('  Partially-Implements: blueprint enhance-locks\n', '',
         'check-acquire: the last paragraph names neither the blueprint'),
        ('blueprint enhance-locks\n', 'blueprint enhance-locks\n'
         '  Signed-off-by: A <a@b>\n',
         "has 'Signed-off-by: A <a@b>', which is no footer"),
        ('blueprint enhance-locks\n', 'blueprint enhance-locks\n'
         '  Closes-Bug: 1234\n',
         "has 'Closes-Bug: 1234', which is no footer"),
        ('blueprint enhance-locks\n', 'blueprint enhance-locks\n'
         '  Made-with: something\n',
         "has 'Made-with: something', which is no footer"),
    )
    @ddt.unpack
    def test_message(self, old, new, error):
        self.replace(base.CHECKED, old, new)
        told = self.check()
        self.assertIn(error, told)
        self.assertIn('error: 1 found by check:', told)

    @ddt.data('Implements: blueprint enhance-locks', 'Closes-Bug: #1234',
              'Related-Bug: #1234', 'Partial-Bug: #1\n  DocImpact: all')
    def test_footer(self, footer):
        self.replace(base.CHECKED,
                     'Partially-Implements: blueprint enhance-locks', footer)
        self.succeed('check', '--cinder', base.VERSION)

    def test_change_id_that_is_not_the_last_line(self):
        made = commits.load(self.root)[0]
        lines = made.message.splitlines()
        moved = dataclasses.replace(made, message='\n'.join(
            [*lines[:-2], lines[-1], lines[-2], '']))
        with mock.patch('tools.series.commits.load', return_value=[moved]):
            self.assertIn('check-acquire: the last line is not its Change-Id',
                          self.check())

    @ddt.data('Pass the result', 'Bring it', 'Embed it', 'Address it',
              'LVM: check it', 'Addition of what is used')
    def test_words_that_only_look_like_no_imperative(self, subject):
        self.replace(base.CHECKED, 'Check the result of acquire', subject)
        self.succeed('check', '--cinder', base.VERSION)

    def test_longish_subject_is_only_mentioned(self):
        self.replace(base.CHECKED, 'Check the result of acquire', 'x' * 51)
        _, err = self.succeed('check', '--cinder', base.VERSION)
        self.assertIn('subject has more than 50 characters', err)

    def test_commit_not_listed(self):
        self.write('commits/cinder/other.yml', 'message: Other\n')
        self.assertIn(f'{base.ORDER} does not list other.yml.', self.check())

    @ddt.data('cinder/other.py', 'doc/source/other.rst',
              'releasenotes/notes/other.yaml')
    def test_file_not_added(self, path):
        self.write(path, '')
        self.assertIn(f'{path} is added by 0 commits, not by one.',
                      self.check())

    def test_page_that_does_not_land_in_cinder(self):
        self.write('doc/submitting.md', '')
        self.succeed('check', '--cinder', base.VERSION)

    def test_file_added_twice(self):
        self.replace(base.CHECKED, 'edits:\n', f'adds: [{RWLOCK}]\nedits:\n')
        told = self.check()
        self.assertIn(f'{RWLOCK} is added by 2 commits', told)
        self.assertIn(f'has {RWLOCK} already', told)

    def test_all_errors_are_told(self):
        self.replace(base.CHECKED, 'One line', 'No line')
        self.replace(base.CHECKED, 'why: a', 'count: 2 #')
        self.write(RWLOCK, 'import os\n')
        told = self.check()
        self.assertIn('error: 3 found by check:', told)
        self.assertIn('doc/locks.rst: rule 1 must match 1 times', told)
        self.assertIn('cinder/locks.py: rule 1 must match 2 times', told)
        self.assertIn("F401 'os' imported but unused", told)

    @ddt.data('doc/added.rst', RWLOCK)
    def test_white_space(self, path):
        self.write(path, 'SHARED = 1\n\n')
        if path != RWLOCK:
            self.replace(base.RWLOCK, 'adds:\n', f'adds:\n  - {path}\n')
        self.assertIn(f'Commit rwlock: {path}:2: new blank line at EOF',
                      self.check())

    def test_settings_of_the_release(self):
        """Its line length is 60, and flake8's own is 79."""
        self.write(RWLOCK, f'SHARED = "{"x" * 60}"\n')
        self.assertIn(f'Commit rwlock: {RWLOCK}:1:61: E501', self.check())

    def test_plugin_of_the_release(self):
        self.write(RWLOCK, 'gadget = 1\n')
        self.assertIn(f'Commit rwlock: {RWLOCK}:1:1: X900 no gadgets',
                      self.check())

    def test_hacking(self):
        self.write(RWLOCK, 'try:\n    A = 1\nexcept:\n    pass\n')
        self.assertIn('H201', self.check())

    def test_style_of_an_earlier_commit(self):
        """What a later commit puts right is told all the same."""
        self.replace(base.CHECKED, '        if not lock',
                     '        gadget = lock\n        if not lock')
        with open(self.root / base.RWLOCK, 'a') as file:
            file.write('edits: {cinder/locks.py: ['
                       '{rule: {pattern: gadget = lock}, fix: ""}]}\n')
        self.assertIn('Commit check-acquire: cinder/locks.py:6:5: X900',
                      self.check())
