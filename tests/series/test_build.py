# SPDX-License-Identifier: Apache-2.0

"""Building the tree: what is in it, again the same, and never half."""

import os
import shutil
import signal
import subprocess
import sys
from unittest import mock

import ddt

from tests.series import base


@ddt.ddt
class BuildTest(base.TestCase):

    def test_commits(self):
        status, _, err = self.build()
        self.assertEqual(0, status, err)
        self.assertRegex(err, r' \d+\.\d s  \[1/2\] Check the result of '
                              r'acquire\n +\d+\.\d s  \[2/2\] Add read ')
        self.assertEqual(
            'Add read and write locks\nCheck the result of acquire\n'
            'Cinder 1.2.0', self.git('log', '--format=%s'))
        self.assertEqual('enhance-locks', self.git('branch', '--show-current'))
        self.assertEqual(self.hashes()[0], self.git('rev-parse', 'upstream'))
        self.assertEqual('', self.git('status', '--porcelain', '--ignored'))
        self.assert_no_litter()

    def test_message(self):
        self.build()
        self.assertEqual(
            'Check the result of acquire\n\nA body.\n\n'
            'Partially-Implements: blueprint enhance-locks\n'
            'Change-Id: I7b0b01d3fe32934560eb78f64d5347c5b35acaa8',
            self.git('log', '-1', '--format=%B', 'HEAD~1'))

    def test_identity_and_dates(self):
        self.build()
        who = 'enhance-locks <enhance-locks@localhost>'
        self.assertEqual(
            ''.join(f'{who} 2026-10-01T00:0{minute}:00+00:00 ' * 2 + '\n'
                    for minute in (2, 1, 0)).strip(),
            self.git('log', '--format=%an <%ae> %aI %cn <%ce> %cI ').strip())

    def test_base_is_the_whole_release(self):
        self.build()
        self.assertEqual(
            sorted(base.FILES),
            sorted(self.git('ls-tree', '-r', '--name-only',
                            'upstream').split()))
        for path, text in base.FILES.items():
            self.assertEqual(text.strip(), self.git('show',
                                                    f'upstream:{path}'))

    def test_result(self):
        self.build()
        self.assertEqual('''\
import time


def acquire(lock, blocking):
    """Acquire a lock."""
    if not lock.acquire(blocking):
        raise RuntimeError()
    return time.time()


def both(one, two):
    with two:
        try:
            one.acquire(True)

            two.acquire(True)
        finally:
            one.release()
''', (self.tree / 'cinder/locks.py').read_text())
        self.assertEqual(
            'Locks\n=====\n\nOne line.\nAnother line.\n\nOne more line.\n',
            (self.tree / 'doc/locks.rst').read_text())
        self.assertEqual(
            'cinder/locks.py\ndoc/locks.rst\ncinder/rwlock/__init__.py',
            self.git('log', '--reverse', '--format=', '--name-only',
                     'upstream..').replace('\n\n', '\n'))

    def test_mode_of_added_file(self):
        self.write('cinder/rwlock/run.sh', '')
        os.chmod(self.root / 'cinder/rwlock/run.sh', 0o755)
        self.build()
        self.assertEqual(
            ['100644', '100755'],
            [line.split()[0] for line in self.git(
                'ls-files', '-s', 'cinder/rwlock').splitlines()])

    def test_edit_of_an_added_file(self):
        self.add_commit('third', '''\
            message: Third
            edits:
              cinder/rwlock/__init__.py:
                - {rule: {pattern: SHARED = 1}, fix: SHARED = 2}
            ''')
        self.build()
        self.assertEqual('SHARED = 2\n', (
            self.tree / 'cinder/rwlock/__init__.py').read_text())

    def test_same_hashes_again_whatever_the_users_configuration(self):
        self.build()
        first = self.hashes()
        self.tree.rename(self.root / 'first')
        config = self.temp / 'gitconfig'
        hook = self.temp / 'hooks/commit-msg'
        hook.parent.mkdir()
        hook.write_text('#!/bin/sh\necho hook >> "$1"\n')
        hook.chmod(0o755)
        config.write_text(
            '[user]\nname = U\nemail = u@u\n[commit]\ngpgsign = true\n'
            '[tag]\ngpgsign = true\n[i18n]\ncommitEncoding = latin1\n'
            f'[core]\nautocrlf = true\nhooksPath = {hook.parent}\n'
            '[trailer]\nseparators = "="\n[init]\ndefaultObjectFormat = '
            f'sha256\ntemplateDir = {self.temp}\n')
        environment = {
            'GIT_CONFIG_GLOBAL': str(config), 'GIT_AUTHOR_NAME': 'U',
            'GIT_COMMITTER_DATE': '1 +0200', 'GIT_DIR': '/nowhere',
            'GIT_INDEX_FILE': '/nowhere/index', 'TZ': 'Asia/Tokyo',
            'GIT_CONFIG_COUNT': '1', 'GIT_CONFIG_KEY_0': 'i18n.commitEncoding',
            'GIT_CONFIG_VALUE_0': 'latin1'}
        with mock.patch.dict(os.environ, environment):
            status, _, err = self.build()
        self.assertEqual(0, status, err)
        self.assertEqual(first, self.hashes())

    def test_nothing_changed(self):
        self.build()
        before = os.stat(self.tree)
        with mock.patch('tools.series.apply.apply_series',
                        side_effect=AssertionError):
            status, _, err = self.build()
        self.assertEqual(0, status)
        self.assertRegex(
            err, r'\A *\d+\.\d s  build/cinder-1\.2\.0 is up to date\n\Z')
        self.assertEqual(before.st_ino, os.stat(self.tree).st_ino)

    @ddt.data(base.ORDER, base.CHECKED, base.RWLOCK,
              'cinder/rwlock/__init__.py')
    def test_something_changed(self, path):
        self.build()
        with open(self.root / path, 'a') as file:
            file.write('# changed\n')
        before = os.stat(self.tree)
        status, _, err = self.build()
        self.assertEqual(0, status)
        self.assertIn('is ready', err)
        self.assertNotEqual(before.st_ino, os.stat(self.tree).st_ino)
        self.assert_no_litter()

    def test_file_added_to_a_folder(self):
        self.build()
        self.write('cinder/rwlock/more.py', '')
        self.build()
        self.assertTrue((self.tree / 'cinder/rwlock/more.py').exists())

    def test_mode_changed(self):
        self.build()
        os.chmod(self.root / 'cinder/rwlock/__init__.py', 0o755)
        self.assertIn('is ready', self.build()[2])

    def test_ignored_files_do_not_count(self):
        self.build()
        for path in ('.stestr/0', 'cinder/__pycache__/a.pyc', '.coverage',
                     '.datacore_chap'):
            (self.tree / path).parent.mkdir(exist_ok=True)
            (self.tree / path).write_text('')
        self.assertIn('is up to date', self.build()[2])
        self.write('cinder/rwlock/__init__.py', '')
        self.assertIn('is ready', self.build()[2])

    @ddt.data(True, False)
    def test_changed_by_hand(self, series_changed):
        hands = {
            'changes that are not committed': [
                lambda: (self.tree / 'setup.cfg').write_text('x'),
                lambda: (self.tree / 'new').write_text('x'),
                lambda: (self.tree / 'setup.cfg').unlink()],
            'has other commits, branches or tags': [
                lambda: self.git('commit', '--allow-empty', '-m', 'x'),
                lambda: self.git('commit', '--amend', '-m', 'x'),
                lambda: self.git('branch', 'mine'),
                lambda: self.git('checkout', 'HEAD~1'),
                lambda: self.git('reset', '--hard', 'HEAD~1'),
                lambda: [(self.tree / 'setup.cfg').write_text('x'),
                         self.git('stash')]],
            'was not built by this tool': [
                lambda: (self.tree / '.git').rename(self.temp / 'git')]}
        for error, ways in hands.items():
            for way in ways:
                if self.tree.exists():
                    shutil.rmtree(self.tree)
                self.use_series()
                self.assertEqual(0, self.build()[0])
                way()
                if series_changed:
                    self.write('cinder/rwlock/__init__.py', '')
                before = base.snapshot(self.tree)
                told = self.fail('build', '--cinder', base.VERSION)
                self.assertIn(error, told)
                self.assertIn('move or delete build/cinder-1.2.0', told)
                self.assertEqual(before, base.snapshot(self.tree))
                self.assert_no_litter()

    def test_failure_keeps_the_old_tree(self):
        self.build()
        before = base.snapshot(self.tree)
        self.replace(base.CHECKED, 'One line', 'No line')
        self.fail('build', '--cinder', base.VERSION)
        self.assertEqual(before, base.snapshot(self.tree))
        self.assert_no_litter()


class ErrorTest(base.TestCase):
    """What keeps a series from being applied."""

    def test_rule_for_code_does_not_match(self):
        self.replace(base.CHECKED, 'why: a', 'count: 2 #')
        self.assertEqual(
            f'error: Cinder 1.2.0: {base.CHECKED}: cinder/locks.py: rule 1 '
            f'must match 2 times but matches 1 times (at line 6).\n',
            self.fail_build())

    def test_rule_for_text_does_not_match(self):
        self.replace(base.CHECKED, 'find: |\n        One line.',
                     'find: "line"')
        self.assertEqual(
            f'error: Cinder 1.2.0: {base.CHECKED}: doc/locks.rst: rule 1 must '
            f'match 1 times but matches 2 times (at line 4, 6).\n',
            self.fail_build())

    def test_rule_twice(self):
        rule = '    - {find: One line, replace: Another line}\n'
        self.write(base.CHECKED, 'message: Check\nedits:\n'
                                 f'  doc/locks.rst:\n{rule * 2}')
        self.assertIn('rule 2 must match 1 times but matches 0 times',
                      self.fail_build())

    def test_white_space(self):
        self.replace(base.CHECKED, 'Another line.', 'Another. ')
        self.assertIn('doc/locks.rst: rule 1 leaves white space at the end '
                      "of the line 'Another. '", self.fail_build())

    def test_file_exists_already(self):
        self.write('cinder/__init__.py', '')
        self.replace(base.RWLOCK, '  - cinder/rwlock/\n',
                     '  - cinder/rwlock/\n'
                     '  - cinder/__init__.py\n')
        self.assertIn('Cinder 1.2.0 has cinder/__init__.py already, which '
                      'commit rwlock adds.', self.fail_build())

    def test_file_added_twice(self):
        self.replace(base.RWLOCK, '  - cinder/rwlock/\n',
                     '  - cinder/rwlock/\n'
                     '  - cinder/rwlock/__init__.py\n')
        self.assertIn('has cinder/rwlock/__init__.py already',
                      self.fail_build())

    def test_file_to_edit_is_missing(self):
        self.replace(base.CHECKED, 'doc/locks.rst', 'doc/other.rst')
        self.assertIn('Cinder 1.2.0 has no file doc/other.rst, which commit '
                      'check-acquire edits.', self.fail_build())

    def test_commit_changes_nothing(self):
        self.add_commit('nothing', 'message: Nothing\n')
        self.assertIn('commit nothing changes nothing', self.fail_build())

    def test_git_missing(self):
        with mock.patch.dict(os.environ, PATH=str(self.temp)):
            self.assertIn('git is needed and was not found',
                          self.fail_build())

    def test_ast_grep_missing(self):
        path = self.temp / 'bin'
        path.mkdir()
        (path / 'git').symlink_to(shutil.which('git'))
        with mock.patch('sysconfig.get_path', return_value=str(path)), \
                mock.patch.dict(os.environ, PATH=str(path)), \
                mock.patch('tools.series.edited.FOLDER', 'build/cache/new'):
            self.assertIn('ast-grep was not found', self.fail_build())


class TogetherTest(base.TestCase):

    def test_two_builds_at_once_make_one_tree(self):
        builds = [subprocess.Popen(
            [sys.executable, *base.driver(
                self.root, self.index.endpoint, 'build', '--cinder',
                base.VERSION)], stderr=subprocess.PIPE, text=True)
            for _number in range(2)]
        told = ''.join(build.communicate()[1] for build in builds)
        self.assertEqual([0, 0], [build.returncode for build in builds], told)
        self.assertEqual(
            (1, 1), (told.count('is ready'), told.count('is up to date')),
            told)


class InterruptTest(base.TestCase):
    """Ctrl-C leaves no half-built tree."""

    def test_interrupt_at_each_step(self):
        for step in ('release._download', 'tree._extract', 'git.init',
                     'apply.apply_series', 'edited.Edits.apply',
                     'record.write'):
            with mock.patch(f'tools.series.{step}',
                            side_effect=KeyboardInterrupt):
                status, _, err = self.build()
            self.assertEqual((130, True), (status, 'interrupted' in err))
            self.assertFalse(self.tree.exists())
            self.assert_no_litter()
            cache = self.root / 'build/cache'
            if cache.exists():
                self.assertEqual([], [entry for entry in cache.iterdir()
                                      if entry.name.startswith('tmp')])
        self.assertEqual(0, self.build()[0])

    def test_interrupt_keeps_the_old_tree(self):
        self.build()
        before = base.snapshot(self.tree)
        self.write('cinder/rwlock/__init__.py', '')
        with mock.patch('tools.series.edited.Edits.apply',
                        side_effect=KeyboardInterrupt):
            self.assertEqual(130, self.build()[0])
        self.assertEqual(before, base.snapshot(self.tree))
        self.assert_no_litter()

    def test_interrupt_during_the_renaming_comes_too_late(self):
        self.build()
        self.write('cinder/rwlock/__init__.py', '')
        rename = os.rename

        def interrupted(*args):
            os.kill(os.getpid(), signal.SIGINT)
            rename(*args)

        with mock.patch('os.rename', side_effect=interrupted):
            self.assertEqual(0, self.build()[0])
        self.assertIn('is up to date', self.build()[2])
        self.assert_no_litter()

    def test_real_signal(self):
        self.build()
        whole = self.hashes()
        stopped = 0
        for lines in range(1, 4):
            for number in (signal.SIGINT, signal.SIGTERM):
                shutil.rmtree(self.tree, ignore_errors=True)
                stopped += self.interrupt(
                    number, lines, 'build', '--cinder', base.VERSION)
                if self.tree.exists():
                    self.assertEqual(whole, self.hashes())
                self.assert_no_litter()
        self.assertGreater(stopped, 0)
        self.assertEqual(0, self.build()[0])
        self.assertEqual(whole, self.hashes())
