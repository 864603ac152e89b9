# SPDX-License-Identifier: Apache-2.0

"""Mistakes in the order of the commits and in their files."""

import ddt

from tests.series import base

ORDER, CHECKED, RWLOCK = base.ORDER, base.CHECKED, base.RWLOCK
ADDS = '\n  - cinder/rwlock/'


@ddt.ddt
class FormatTest(base.TestCase):

    @ddt.data(
        (RWLOCK, 'adds:', 'add:', 'rwlock.yml: unknown key add'),
        (RWLOCK, 'message:', 'mesage:', 'rwlock.yml: unknown key mesage'),
        (RWLOCK, '- cinder/rwlock/', '- cinder/missing.py',
         'rwlock.yml adds cinder/missing.py, which does not exist'),
        (RWLOCK, '- cinder/rwlock/', '- cinder/missing/',
         'rwlock.yml adds cinder/missing/, which does not exist'),
        (RWLOCK, '- cinder/rwlock/', '- ../secret', "'../secret' is no path"),
        (RWLOCK, '- cinder/rwlock/', '- /etc/passwd',
         "'/etc/passwd' is no path"),
        (RWLOCK, ADDS, ' cinder/rwlock/', 'adds must be a list'),
        (RWLOCK, ADDS, ' [', 'rwlock.yml is not valid YAML'),
        (RWLOCK, 'Readers share.', 'Change-Id: I1', 'leave the Change-Id out'),
        (CHECKED, '  cinder/locks.py:', '  ../locks.py:',
         "'../locks.py' is no path"),
        (CHECKED, '  cinder/locks.py:', '  doc/locks.rst:',
         'not valid YAML'),
        (CHECKED, '  cinder/locks.py:\n', '  a.txt: []\n  cinder/locks.py:\n',
         'edits of a.txt must be a list of rules'),
        (CHECKED, '  cinder/locks.py:\n', '  a.txt: b\n  cinder/locks.py:\n',
         'edits of a.txt must be a list of rules'),
        (CHECKED, '  cinder/locks.py:\n',
         '  a.txt: [b]\n  cinder/locks.py:\n',
         "a.txt: rule 1 must be a mapping, not 'b'"),
        (CHECKED, 'why:', 'wy:', 'locks.py: rule 1: unknown key wy'),
        (CHECKED, 'why:', 'id:', 'locks.py: rule 1: unknown key id'),
        (CHECKED, 'fix: |\n        if', 'constraints: |\n        if',
         'rule 1: fix must be'),
        (CHECKED, '      rule:\n        pattern: lock', '      pattern: lock',
         'locks.py: rule 1: unknown key pattern'),
        (CHECKED, 'why: a', 'count: 0 #', 'count must be at least 1'),
        (CHECKED, 'why: a', 'count: two #', 'count must be a int'),
        (CHECKED, 'after:', 'afterwards:',
         'locks.rst: rule 1: unknown key afterwards'),
        (CHECKED, 'after:', 'before: x\n      after:',
         'locks.rst: rule 1 needs exactly one text'),
        (CHECKED, 'after: |\n        Another line.', 'count: 1',
         'locks.rst: rule 1 needs exactly one text'),
        (CHECKED, 'find: |\n        One line.', 'find: ""',
         'locks.rst: rule 1 has no find'),
        (ORDER, '[bug/acquire]\n', '',
         'series, line 3: check-acquire stands under no [topic]'),
        (ORDER, 'rwlock\n', 'rwlock\n\nrwlock\n',
         'series, line 9: rwlock is listed twice'),
        (ORDER, 'check-acquire', 'check acquire',
         'series, line 4: expected a commit or a [topic], found '
         "'check acquire'"),
        (ORDER, 'rwlock\n', '', 'series does not list rwlock.yml.'),
        (ORDER, 'rwlock\n', 'rwlock\nlater\n',
         'commits/cinder/later.yml does not exist'),
    )
    @ddt.unpack
    def test_mistake(self, path, old, new, error):
        self.replace(path, old, new)
        self.assertIn(error, self.fail_build())

    def test_no_order(self):
        (self.root / ORDER).unlink()
        self.assertIn(f'{ORDER} does not exist', self.fail_build())

    @ddt.data('- a: 1', '[1]', 'text')
    def test_commit_that_is_no_mapping(self, content):
        self.write(RWLOCK, content)
        self.assertIn(f'{RWLOCK} must be a mapping', self.fail_build())

    @ddt.data('a: 1', '[1]', 'text')
    def test_releases_that_are_no_list_of_mappings(self, content):
        self.write(base.RELEASES, content)
        self.assertIn('must be a list of mappings', self.fail_build())

    def test_usage(self):
        for arguments in ([], ['bild'], ['build', '--unto', '.'],
                          ['build', '--cinder', '1', '--onto', '.']):
            self.assertEqual(2, self.main(*arguments)[0])
