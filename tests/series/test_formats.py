# SPDX-License-Identifier: Apache-2.0
"""Mistakes in series.yml and in the files of rules."""

import ddt

from tests.series import base

LIST = 'series/series.yml'
CODE = 'edits/cinder/locks.py.yml'
TEXT = 'edits/doc/locks.rst.yml'


@ddt.ddt
class FormatTest(base.TestCase):

    @ddt.data(
        (LIST, 'adds:', 'add:', 'commit rwlock: unknown key add'),
        (LIST, 'id: rwlock', 'id: check-acquire',
         'commit check-acquire is listed twice'),
        (LIST, '- id: rwlock', '- name: rwlock', 'unknown key name'),
        (LIST, '[cinder/rwlock/]', '[cinder/missing.py]',
         'commit rwlock adds cinder/missing.py, which does not exist'),
        (LIST, '[cinder/rwlock/]', '[cinder/missing/]',
         'commit rwlock adds cinder/missing/, which does not exist'),
        (LIST, '[cinder/rwlock/]', '[../secret]', "'../secret' is no path"),
        (LIST, '[cinder/rwlock/]', '[/etc/passwd]',
         "'/etc/passwd' is no path"),
        (LIST, '[cinder/rwlock/]', 'cinder/rwlock/', 'adds must be a list'),
        (LIST, '[checked, guarded]', 'checked', 'must be a list of rule ids'),
        (LIST, '[checked, guarded]', '[checkd]',
         'locks.py.yml has no rule checkd, which commit check-acquire'),
        (LIST, 'cinder/locks.py:', 'cinder/lock.py:',
         'edits/cinder/lock.py.yml does not exist'),
        (LIST, 'cinder/locks.py:', 'doc/locks.rst:', 'not valid YAML'),
        (LIST, 'A body.', 'Change-Id: I1', 'leave the Change-Id out'),
        (LIST, 'adds: [', 'adds: {', 'series/series.yml is not valid YAML'),
        (CODE, 'why:', 'wy:', 'rule checked: unknown key wy'),
        (CODE, 'id: guarded', 'id: checked',
         'locks.py.yml: rule checked is defined twice'),
        (CODE, 'fix: |', 'constraints: |', 'fix must be'),
        (CODE, '  rule:\n    pattern: lock', '  pattern: lock',
         'rule checked: unknown key pattern'),
        (CODE, 'why: a', 'count: 0 #', 'count must be at least 1'),
        (CODE, 'why: a', 'count: two #', 'count must be a int'),
        (TEXT, 'after:', 'afterwards:', 'rule note: unknown key afterwards'),
        (TEXT, 'after:', 'before: x\n  after:', 'needs exactly one text'),
        (TEXT, 'after: |\n    Another line.', 'count: 1',
         'needs exactly one text'),
        (TEXT, 'find: |\n    One line.', 'find: ""', 'has no find'),
    )
    @ddt.unpack
    def test_mistake(self, path, old, new, error):
        self.replace(path, old, new)
        self.assertIn(error, self.fail_build())

    def test_no_list(self):
        (self.root / LIST).unlink()
        self.assertIn('series/series.yml does not exist', self.fail_build())

    @ddt.data('a: 1', '[1]', 'text')
    def test_no_list_of_mappings(self, content):
        self.write(LIST, content)
        self.assertIn('must be a list of mappings', self.fail_build())

    def test_usage(self):
        for arguments in ([], ['bild'], ['build', '--unto', '.'],
                          ['build', '--cinder', '1', '--onto', '.']):
            self.assertEqual(2, self.main(*arguments)[0])
