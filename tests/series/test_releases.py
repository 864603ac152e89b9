# SPDX-License-Identifier: Apache-2.0

"""What is said once where releases of Cinder differ."""

import ddt

from tests.series import base

OLDER = '1.1.0'


@ddt.ddt
class ReleasesTest(base.TestCase):

    def setUp(self):
        super().setUp()
        self.older = self.root / f'build/cinder-{OLDER}'
        self.add_release(OLDER, base.FILES | {
            'cinder/locks.py': base.LOCKS.replace('blocking', 'wait')})

    def build_both(self):
        self.succeed('build', '--cinder', base.VERSION)
        self.succeed('build', '--cinder', OLDER)

    def add_rule(self, releases, argument='wait'):
        self.replace(base.CHECKED, '    - why: a', f'''\
    - releases: '{releases}'
      rule:
        pattern: lock.acquire({argument})
      fix: |
        if not lock.acquire({argument}):
            raise RuntimeError()

    - releases: '>=1.2'
      why: a''')

    def test_a_difference_that_is_not_stated(self):
        self.succeed('build', '--cinder', base.VERSION)
        self.assertIn('locks.py: rule 1 must match 1 times but matches 0',
                      self.fail('build', '--cinder', OLDER))

    def test_a_rule_for_each(self):
        self.add_rule('<1.2')
        self.build_both()
        self.assertIn('if not lock.acquire(blocking):',
                      (self.tree / 'cinder/locks.py').read_text())
        self.assertIn('if not lock.acquire(wait):',
                      (self.older / 'cinder/locks.py').read_text())

    def test_two_rules_for_one(self):
        self.add_rule('<2')
        self.assertIn('locks.py: rule 1 must match 1 times but matches 0',
                      self.fail('build', '--cinder', base.VERSION))

    def test_a_rule_that_one_does_not_need(self):
        self.replace(base.CHECKED, '- why: a',
                     "- releases: '>=1.2'\n      why: a")
        self.build_both()
        self.assertNotIn('RuntimeError',
                         (self.older / 'cinder/locks.py').read_text())

    def test_a_file_that_one_does_not_have(self):
        self.add_rule('<1.2')
        files = dict(base.FILES)
        del files['doc/locks.rst']
        self.add_release('1.3.0', files)
        self.assertIn('Cinder 1.3.0 has no file doc/locks.rst',
                      self.fail('build', '--cinder', '1.3.0'))
        self.replace(base.CHECKED, '- find: |',
                     "- releases: '<1.3'\n      find: |")
        self.succeed('build', '--cinder', '1.3.0')

    def leave_out(self):
        self.replace(base.CHECKED, 'edits:', '''\
releases: '>=1.2'
why: it waits for ever
edits:''')

    def test_a_commit_is_left_out_with_its_reason(self):
        self.leave_out()
        _, err = self.succeed('build', '--cinder', OLDER)
        self.assertIn('[1/2] left out: Check the result of acquire: it waits '
                      'for ever', err)
        self.assertEqual(
            ['Add read and write locks'],
            self.git('log', '--format=%s', 'upstream..',
                     cwd=self.older).splitlines())
        self.succeed('check', '--cinder', OLDER)
        _, err = self.succeed('build', '--cinder', base.VERSION)
        self.assertNotIn('left out', err)
        self.assertEqual(3, len(self.hashes()))

    def test_a_commit_that_is_left_out_is_not_shown(self):
        self.leave_out()
        self.assertIn('Commit check-acquire is left out on Cinder 1.1.0: it '
                      'waits for ever',
                      self.fail('show', 'check-acquire', '--cinder', OLDER))

    @ddt.data(
        ('    - why: a', '    - releases: older\n      why: a',
         'locks.py: rule 1: releases must be a version specifier'),
        ('edits:', 'releases: ">=1.2"\nedits:',
         f'{base.CHECKED} has no why'),
        ('edits:', 'why: it waits for ever\nedits:',
         f'{base.CHECKED} has no releases'))
    @ddt.unpack
    def test_malformed(self, old, new, error):
        self.replace(base.CHECKED, old, new)
        self.assertIn(error, self.fail_build())

    @ddt.data(
        ('', 'lists no release'),
        ('- {version: newest, sha256: a, tests: all}',
         "'newest' is no version"),
        ('- {version: 1.2.0, sha256: abc, tests: all}',
         "release 1.2.0: sha256 must be 64 hexadecimal digits, not 'abc'"),
        ('- {version: 1.2.0, tests: all}', 'release 1.2.0 has no sha256'),
        ('- {version: 1.2.0, hash: abc}', 'release 1.2.0: unknown key hash'),
        (f'- {{version: 1.2.0, sha256: "{"0" * 64}", tests: all, pins: May}}',
         "release 1.2.0: pins must be a date such as 2026-05-01, not 'May'"))
    @ddt.unpack
    def test_malformed_list(self, content, error):
        checkout = self.checkout()
        self.write(base.RELEASES, content)
        self.assertIn(error, self.fail('build', '--onto', str(checkout)))
        self.assertIn(error, self.fail('build'))

    def checkout(self):
        """Make a git checkout of the older release."""
        self.leave_out()
        folder = self.temp / 'checkout'
        folder.mkdir()
        for path, text in base.FILES.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        self.git('init', '--quiet', cwd=folder)
        self.git('add', '--all', '--force', cwd=folder)
        self.git('commit', '--quiet', '--message=Cinder', cwd=folder)
        return folder

    def onto(self, folder):
        _, err = self.succeed('build', '--onto', str(folder))
        return len(self.hashes(folder)), err

    def test_a_checkout_of_unknown_release_is_taken_for_the_default(self):
        folder = self.checkout()
        commits, err = self.onto(folder)
        self.assertEqual(3, commits)
        self.assertIn(f'for Cinder {base.VERSION}', err)

    def test_a_checkout_of_a_candidate(self):
        folder = self.checkout()
        self.git('tag', '1.0.0.0rc1', cwd=folder)
        for _time in range(2):
            commits, err = self.onto(folder)
            self.assertEqual(2, commits)
            self.assertIn('for Cinder 1.0.0', err)

    @ddt.data(('1.1.0', 2), ('1.2.0', 3), ('1.2.0.0rc2', 3), ('1.1.0.0rc2', 2),
              ('1.0.0.0rc1', 3))
    @ddt.unpack
    def test_a_checkout_is_known_by_its_tag(self, tag, commits):
        folder = self.checkout()
        self.git('tag', tag, cwd=folder)
        (folder / 'later').touch()
        self.git('add', 'later', cwd=folder)
        self.git('commit', '--quiet', '--message=Later', cwd=folder)
        self.assertEqual(commits + 1, self.onto(folder)[0])

    @ddt.data('1.1.0', '1.1.0.0rc1')
    def test_a_checkout_is_known_by_its_package_information(self, version):
        folder = self.checkout()
        (folder / 'PKG-INFO').write_text(
            f'Name: cinder\nVersion: {version}\n')
        self.git('commit', '--quiet', '--all', '--message=Release', cwd=folder)
        commits, err = self.onto(folder)
        self.assertEqual(3, commits)
        self.assertIn('for Cinder 1.1.0', err)
        self.assertIn('left out', err)
