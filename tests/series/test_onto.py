# SPDX-License-Identifier: Apache-2.0

"""Putting the series on top of a checkout, or leaving it exactly as it was."""

import os
import shutil
import signal
from unittest import mock

import ddt

from tests.series import base
from tools.series import apply
from tools.series import git


class OntoTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.scratch_folder = self.temp / 'scratch'
        self.scratch_folder.mkdir()
        patcher = mock.patch('tempfile.tempdir', str(self.scratch_folder))
        patcher.start()
        self.addCleanup(patcher.stop)
        self.checkout = self.temp / 'cinder'
        self.fresh_checkout()

    def fresh_checkout(self):
        shutil.rmtree(self.checkout, ignore_errors=True)
        self.checkout.mkdir()
        for path, text in base.FILES.items():
            (self.checkout / path).parent.mkdir(parents=True, exist_ok=True)
            (self.checkout / path).write_text(text)
        (self.checkout / '.gitignore').write_text('*.log\n')
        self.run_git('init', '-b', 'master')
        self.commit('first')
        (self.checkout / 'more.py').write_text('')
        self.commit('second')
        (self.checkout / 'run.log').write_text('ignored')

    def run_git(self, *arguments):
        return self.git(*arguments, cwd=self.checkout)

    def commit(self, message):
        self.run_git('add', '--all', '--force')
        self.run_git('commit', '-m', message)

    def onto(self, directory=None):
        return self.main('build', '--onto', str(directory or self.checkout))

    def state(self):
        """All that must be as before, the bytes of .git included."""
        told = [self.run_git(*command) for command in (
            ['status', '--porcelain', '--ignored'], ['rev-parse', 'HEAD'],
            ['branch', '--all'], ['worktree', 'list'], ['stash', 'list'],
            ['for-each-ref'])]
        return told, base.snapshot(self.checkout)

    def refuse(self, error, directory=None):
        before = self.state()
        scratch = self.scratch()
        told = self.fail('build', '--onto', str(directory or self.checkout))
        self.assertIn(error, told)
        self.assertEqual(1, told.count('\n'))
        self.assertEqual(before, self.state())
        self.assertEqual(scratch, self.scratch())

    def scratch(self):
        """List what stands in the directory for temporary files."""
        return sorted(os.listdir(self.scratch_folder))


@ddt.ddt
class OntoTest(OntoTestCase):

    def test_commits(self):
        head = self.run_git('rev-parse', 'HEAD')
        status, _, err = self.onto()
        self.assertEqual(0, status, err)
        self.assertIn('[2/2] Add read and write locks', err)
        self.assertEqual(
            'Add read and write locks\nCheck the result of acquire\nsecond\n'
            'first', self.run_git('log', '--format=%s'))
        self.assertEqual('enhance-locks',
                         self.run_git('branch', '--show-current'))
        self.assertEqual(head, self.run_git('rev-parse', 'master'))
        self.assertEqual('!! run.log', self.run_git(
            'status', '--porcelain', '--ignored'))
        self.assertEqual('', self.run_git('fsck', '--no-dangling'))
        self.assertEqual('SHARED = 1\n', (
            self.checkout / 'cinder/rwlock/__init__.py').read_text())
        self.assertIn('with two', (
            self.checkout / 'cinder/locks.py').read_text())

    def test_same_commits_as_built(self):
        self.build()
        self.git('clone', '-q', str(self.tree), str(self.temp / 'clone'),
                 cwd=self.temp)
        self.checkout = self.temp / 'clone'
        self.run_git('checkout', '-q', '-b', 'master', 'upstream')
        self.run_git('branch', '-D', 'enhance-locks')
        self.assertEqual(0, self.onto()[0])
        self.assertEqual(self.hashes(), self.hashes(cwd=self.checkout))

    def test_same_hashes_whatever_the_configuration(self):
        self.assertEqual(0, self.onto()[0])
        first = self.run_git('rev-parse', 'HEAD')
        self.run_git('checkout', 'master')
        self.run_git('branch', '-D', 'enhance-locks')
        hook = self.checkout / '.git/hooks/post-checkout'
        hook.parent.mkdir(exist_ok=True)
        hook.write_text('#!/bin/sh\nexit 1\n')
        hook.chmod(0o755)
        for setting in ('commit.gpgsign', 'core.autocrlf', 'tag.gpgsign'):
            self.run_git('config', setting, 'true')
        status, _, err = self.onto()
        self.assertEqual(0, status, err)
        self.assertEqual(first, self.run_git('rev-parse', 'HEAD'))

    def test_detached_head(self):
        self.run_git('checkout', '--detach')
        self.assertEqual(0, self.onto()[0])
        self.assertEqual('enhance-locks',
                         self.run_git('branch', '--show-current'))

    def test_shallow_clone(self):
        self.git('clone', '-q', '--depth=1', f'file://{self.checkout}',
                 str(self.temp / 'shallow'), cwd=self.temp)
        self.checkout = self.temp / 'shallow'
        status, _, err = self.onto()
        self.assertEqual(0, status, err)
        self.assertEqual(3, len(self.hashes(cwd=self.checkout)))

    def test_worktree(self):
        self.run_git('worktree', 'add', '-q', '--detach',
                     str(self.temp / 'linked'))
        self.checkout = self.temp / 'linked'
        status, _, err = self.onto()
        self.assertEqual(0, status, err)
        self.assertIn('with two', (
            self.checkout / 'cinder/locks.py').read_text())

    def test_relative_directory(self):
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.temp)
        self.assertEqual(0, self.main('build', '--onto', 'cinder')[0])

    def test_branch_exists(self):
        self.run_git('branch', 'enhance-locks')
        self.refuse('has a branch enhance-locks already')

    def test_branch_exists_and_is_checked_out(self):
        self.run_git('checkout', '-b', 'enhance-locks')
        self.refuse('has a branch enhance-locks already')

    def test_changed_file(self):
        (self.checkout / 'more.py').write_text('x')
        self.refuse('has changes or files that are not committed')

    def test_staged_file(self):
        (self.checkout / 'more.py').write_text('x')
        self.run_git('add', 'more.py')
        self.refuse('has changes or files that are not committed')

    def test_untracked_file(self):
        (self.checkout / 'untracked').write_text('x')
        self.refuse('has changes or files that are not committed')
        self.assertNotIn('[1/2]', self.onto()[2])

    def test_ignored_file_in_the_way(self):
        self.write('cinder/rwlock/x.log', 'ours')
        (self.checkout / 'cinder/rwlock').mkdir()
        (self.checkout / 'cinder/rwlock/x.log').write_text('theirs')
        self.refuse('has cinder/rwlock/x.log already, which commit rwlock')

    def test_no_such_directory(self):
        self.refuse('missing is no directory', self.temp / 'missing')

    def test_no_checkout(self):
        (self.temp / 'empty').mkdir()
        self.refuse('empty is no git checkout', self.temp / 'empty')

    def test_file(self):
        self.refuse('more.py is no directory', self.checkout / 'more.py')

    def test_below_the_top(self):
        self.refuse('is not the top of a git checkout',
                    self.checkout / 'cinder')

    def test_bare_repository(self):
        bare = self.temp / 'bare'
        self.git('clone', '-q', '--bare', str(self.checkout), str(bare),
                 cwd=self.temp)
        self.refuse('bare is no git checkout', bare)

    def test_no_commit(self):
        self.git('init', str(self.temp / 'new'), cwd=self.temp)
        self.refuse('new has no commit yet', self.temp / 'new')

    @ddt.data('[metadata]\nname = nova\n', '', 'bad [')
    def test_no_cinder(self, content):
        (self.checkout / 'setup.cfg').write_text(content)
        self.commit('other')
        self.refuse('is a git checkout, but not of Cinder')

    def test_cinder_by_its_pyproject(self):
        (self.checkout / 'setup.cfg').unlink()
        (self.checkout / 'pyproject.toml').write_text(
            '[project]\nname = "cinder"\n')
        self.commit('other')
        self.assertEqual(0, self.onto()[0])

    def test_empty_series(self):
        self.write(base.ORDER, '')
        for path in (base.CHECKED, base.RWLOCK):
            (self.root / path).unlink()
        self.refuse('lists no commits')

    def test_rule_does_not_match_in_the_last_commit(self):
        self.replace(base.RWLOCK, 'adds:\n  - cinder/rwlock/',
                     'edits: {tox.ini: [{find: nothing, replace: b}]}')
        self.refuse(f'{self.checkout}: {base.RWLOCK}: tox.ini: rule 1 must '
                    f'match 1 times but matches 0 times')

    def test_index_is_not_even_refreshed(self):
        self.replace(base.CHECKED, 'One line', 'No line')
        os.utime(self.checkout / 'more.py', (1, 1))
        self.refuse('doc/locks.rst: rule 1 must match 1 times')

    def test_failure_before_the_last_step(self):
        for step in ('pack-objects', 'commit-tree', 'write-tree'):
            with self.failing_git(step):
                self.refuse('error: no space left')

    def failing_git(self, failing):
        run = git.Git.run

        def broken(self, *args, **kwargs):
            if args[0] == failing:
                raise git.GitError('no space left')
            return run(self, *args, **kwargs)

        return mock.patch.object(git.Git, 'run', broken)


class AgainTest(OntoTestCase):
    """The commits of an earlier run are there."""

    def setUp(self):
        super().setUp()
        self.assertEqual(0, self.onto()[0])
        self.tip = self.run_git('rev-parse', 'HEAD')

    def stay(self, told):
        """Put the series on and see that nothing at all is written."""
        before = self.state()
        status, _, err = self.onto()
        self.assertEqual(0, status, err)
        self.assertIn(told, err)
        self.assertEqual(before, self.state())
        self.assertEqual([], self.scratch())

    def change_series(self):
        self.write('cinder/rwlock/__init__.py', 'SHARED = 2\n')
        self.write('cinder/rwlock/more.py', '')
        self.replace(base.CHECKED, 'Check the', 'Heed the')

    def commit_something(self):
        (self.checkout / 'something').write_text('')
        self.commit('something')

    def assert_renewed(self, below):
        status, _, err = self.onto()
        self.assertEqual(0, status, err)
        self.assertEqual(
            'Add read and write locks\nHeed the result of acquire\n' + below,
            self.run_git('log', '--format=%s'))
        self.assertEqual('enhance-locks',
                         self.run_git('branch', '--show-current'))
        self.assertEqual('', self.run_git('status', '--porcelain'))
        self.assertEqual('SHARED = 2\n', (
            self.checkout / 'cinder/rwlock/__init__.py').read_text())
        self.assertIn(self.tip, self.run_git(
            'reflog', '--format=%H', 'enhance-locks'))

    def test_same_series(self):
        self.stay('is up to date')

    def test_same_series_under_changes_that_are_not_committed(self):
        (self.checkout / 'cinder/locks.py').write_text('mine')
        (self.checkout / 'untracked').write_text('mine')
        self.stay('is up to date')

    def test_commit_on_top(self):
        self.commit_something()
        self.change_series()
        self.stay('has all commits of the series already, made elsewhere')

    def test_commit_amended(self):
        self.run_git('commit', '--amend', '--reset-author', '-m',
                     self.run_git('log', '-1', '--format=%B'))
        self.change_series()
        self.stay('has all commits of the series already, made elsewhere')

    def test_all_commits_made_elsewhere(self):
        self.run_git('rebase', '--force-rebase', '--root')
        self.assertNotEqual(self.tip, self.run_git('rev-parse', 'HEAD'))
        self.stay('has all commits of the series already, made elsewhere')

    def test_part_made_elsewhere(self):
        self.run_git('reset', '--hard', 'HEAD~1')
        self.commit_something()
        self.refuse('has commits of the series already, but not rwlock;')

    def test_newer_series(self):
        self.change_series()
        self.assert_renewed('second\nfirst')
        self.stay('is up to date')

    def test_newer_series_without_a_file_of_before(self):
        self.write('cinder/rwlock/more.py', '')
        self.assertEqual(0, self.onto()[0])
        (self.root / 'cinder/rwlock/more.py').unlink()
        self.assertEqual(0, self.onto()[0])
        self.assertFalse((self.checkout / 'cinder/rwlock/more.py').exists())

    def test_newer_series_on_changes_that_are_not_committed(self):
        (self.checkout / 'more.py').write_text('mine')
        self.change_series()
        self.refuse('has changes or files that are not committed')

    def test_newer_series_on_an_ignored_file(self):
        (self.checkout / 'cinder/rwlock/x.log').write_text('theirs')
        self.write('cinder/rwlock/x.log', 'ours')
        self.refuse('has cinder/rwlock/x.log already, which commit rwlock')

    def test_newer_series_that_does_not_fit(self):
        self.replace(base.CHECKED, 'One line', 'No line')
        self.refuse('doc/locks.rst: rule 1 must match 1 times')

    def test_newer_cinder(self):
        self.run_git('checkout', 'master')
        self.commit_something()
        self.change_series()
        self.assert_renewed('something\nsecond\nfirst')

    def test_other_branch_of_cinder(self):
        self.run_git('checkout', '-b', 'stable', 'master~1')
        self.change_series()
        self.assert_renewed('first')

    def test_branch_with_a_commit_on_top(self):
        self.commit_something()
        self.run_git('checkout', 'master')
        self.refuse('has a branch enhance-locks already, with commits that')

    def test_branch_on_commits_that_no_other_branch_has(self):
        self.run_git('checkout', '--detach', 'master')
        self.commit_something()
        self.run_git('branch', '-D', 'enhance-locks')
        self.assertEqual(0, self.onto()[0])
        self.run_git('checkout', 'master')
        self.refuse('has a branch enhance-locks already, with commits that')


@ddt.ddt
class LastStepTest(OntoTestCase):
    """The only step that changes the checkout undoes itself."""

    def state(self):
        """As before, but for objects that nothing refers to."""
        told, files = super().state()
        return told, {name: fact for name, fact in files.items()
                      if not name.startswith('.git/objects')}

    @ddt.data(True, False)
    def test_branch_cannot_be_made(self, detached):
        if detached:
            self.run_git('checkout', '--detach')
        lock = self.checkout / '.git/refs/heads/enhance-locks.lock'
        lock.write_text('')
        self.refuse('git checkout failed')

    def test_work_tree_was_written_when_it_failed(self):
        """The failure above is one after the files were changed."""
        lock = self.checkout / '.git/refs/heads/enhance-locks.lock'
        lock.write_text('')
        with mock.patch('tools.series.onto._undo'):
            self.onto()
        self.assertTrue((self.checkout / 'cinder/rwlock').exists())

    def test_index_is_locked(self):
        (self.checkout / '.git/index.lock').write_text('')
        self.refuse('git checkout failed')

    def test_branch_of_before_cannot_be_moved(self):
        for branch in ('enhance-locks', 'master'):
            self.assertEqual(0, self.onto()[0])
            self.write('cinder/rwlock/more.py', branch)
            self.run_git('checkout', branch)
            lock = self.checkout / '.git/refs/heads/enhance-locks.lock'
            lock.write_text('')
            self.refuse('git checkout failed')
            lock.unlink()

    @ddt.data('enhance-locks', 'master')
    def test_failure_after_the_branch_of_before_was_moved(self, branch):
        self.assertEqual(0, self.onto()[0])
        self.write('cinder/rwlock/more.py', '')
        self.run_git('checkout', branch)
        self.fail_after_the_checkout()

    @ddt.data(True, False)
    def test_failure_after_the_checkout(self, detached):
        if detached:
            self.run_git('checkout', '--detach')
        self.fail_after_the_checkout()

    def fail_after_the_checkout(self):
        run = git.Git.run

        def broken(self, *args, **kwargs):
            result = run(self, *args, **kwargs)
            if args[0] == 'checkout':
                raise git.GitError('broken pipe')
            return result

        with mock.patch.object(git.Git, 'run', broken):
            self.refuse('broken pipe')

    def fail_if_meanwhile(self, change):
        make = apply.apply_series

        def meanwhile(*args, **kwargs):
            change()
            return make(*args, **kwargs)

        with mock.patch('tools.series.apply.apply_series', meanwhile):
            return self.fail('build', '--onto', str(self.checkout))

    def test_other_commit_checked_out_meanwhile(self):
        error = self.fail_if_meanwhile(
            lambda: self.run_git('checkout', '-b', 'mine', 'HEAD~1'))
        self.assertIn('Something else was checked out', error)
        self.assertEqual('mine', self.run_git('branch', '--show-current'))

    def test_changed_meanwhile(self):
        error = self.fail_if_meanwhile(
            lambda: (self.checkout / 'more.py').write_text('meanwhile'))
        self.assertIn('has changes or files that are not committed', error)
        self.assertEqual('meanwhile',
                         (self.checkout / 'more.py').read_text())
        self.assertEqual('master', self.run_git('branch', '--show-current'))


class InterruptTest(OntoTestCase):

    def test_interrupt_at_each_step(self):
        before = self.state()
        for step in ('checkout.has_series', 'onto._borrow', 'git.init',
                     'apply.apply_series', 'edited.Edits.apply'):
            scratch = self.scratch()
            with mock.patch(f'tools.series.{step}',
                            side_effect=KeyboardInterrupt):
                self.assertEqual(130, self.onto()[0])
            self.assertEqual(before, self.state())
            self.assertEqual(scratch, self.scratch())

    def test_interrupt_in_the_last_step_comes_too_late(self):
        run = git.Git.run

        def interrupted(self, *args, **kwargs):
            if args[0] in ('unpack-objects', 'checkout'):
                os.kill(os.getpid(), signal.SIGINT)
            return run(self, *args, **kwargs)

        with mock.patch.object(git.Git, 'run', interrupted):
            self.assertEqual(0, self.onto()[0])
        self.assertEqual('', self.run_git('status', '--porcelain'))
        self.assertEqual(4, len(self.hashes(cwd=self.checkout)))

    def test_real_signal(self):
        stopped = 0
        for lines in range(1, 3):
            for number in (signal.SIGINT, signal.SIGTERM):
                self.fresh_checkout()
                before = self.state()
                if self.interrupt(number, lines, 'build', '--onto',
                                  str(self.checkout)):
                    stopped += 1
                    if self.run_git('branch', '--show-current') == 'master':
                        self.assertEqual(before, self.state())
                        continue
                self.assertEqual(
                    '!! run.log',
                    self.run_git('status', '--porcelain', '--ignored'))
                self.assertEqual(4, len(self.hashes(cwd=self.checkout)))
        self.assertGreater(stopped, 0)
