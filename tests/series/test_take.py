# SPDX-License-Identifier: Apache-2.0

"""Taking home what was committed in the built tree, or leaving all as is."""

import os
import shutil
import signal
from unittest import mock

import ddt
import testtools

from tests.series import base
from tools.common import files
from tools.series import edit
from tools.series import git
from tools.series import hunks

LOCKS = 'cinder/locks.py'
RWLOCK = 'cinder/rwlock/__init__.py'
HACKING = 'cinder/tests/hacking/checks.py'


class TakeTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.succeed('build')

    def edit(self, path, old, new):
        """Change a text of the tree that must be there."""
        file = self.tree / path
        text = file.read_text() if file.exists() else ''
        self.assertIn(old, text)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace(old, new) if old else new)

    def commit(self, *arguments):
        self.git('add', '--all')
        self.git('commit', '--quiet', *arguments)

    def fixup(self, name):
        """Commit a fixup of a commit of the series, found by its name."""
        subject = {'check-acquire': 'Check the result',
                   'rwlock': 'Add read and write'}[name]
        self.commit(f'--fixup=:/^{subject}')

    def autosquash(self):
        with mock.patch.dict(os.environ, GIT_SEQUENCE_EDITOR='true',
                             GIT_EDITOR='true'):
            self.git('rebase', '--interactive', '--autosquash', 'upstream')

    def trees(self, cwd=None):
        return self.git('log', '--format=%T %s', 'upstream..', cwd=cwd)

    def text(self, path):
        return (self.root / path).read_text()

    def ours(self):
        """All of the repository and the tree that must not change."""
        told = [self.git(*command) for command in (
            ['status', '--porcelain', '--ignored'], ['for-each-ref'],
            ['rev-parse', 'HEAD'])]
        ours = base.snapshot(self.root, without=[
            'build', 'cinder/rwlock/__pycache__'])
        return told, ours, base.snapshot(self.tree, without=['.git'])

    def take(self):
        """Take, and see that a build gives the trees that were taken."""
        out, err = self.succeed('take')
        trees = self.trees()
        self.assertIn('is up to date', self.succeed('build')[1])
        commits = self.hashes()
        self.assertEqual('', self.git('status', '--porcelain'))
        shutil.rmtree(self.tree)
        self.succeed('build')
        self.assertEqual(commits, self.hashes())
        self.assertEqual(trees, self.trees())
        self.assert_no_litter()
        return out

    def refuse(self, *errors):
        before = self.ours()
        told = self.fail('take')
        for error in errors:
            self.assertIn(error, told)
        self.assertEqual(before, self.ours())
        self.assert_no_litter()


@ddt.ddt
class TakeTest(TakeTestCase):

    def expect(self):
        """Remember the files of the tree, to be built again."""
        return base.snapshot(self.tree, without=['.git'])

    @ddt.data(True, False)
    def test_outcome_of_a_rule(self, squashed):
        self.edit(LOCKS, 'raise RuntimeError()', 'raise ValueError(name)')
        self.fixup('check-acquire')
        if squashed:
            self.autosquash()
        before = self.text(base.CHECKED)
        wanted = self.expect()
        out = self.take()
        self.assertEqual(wanted, self.expect())
        self.assertEqual(
            before.replace('raise RuntimeError()', 'raise ValueError(name)'),
            self.text(base.CHECKED))
        self.assertIn(
            f'{base.CHECKED}: {LOCKS}: rule 1, line 7:\n'
            '-        raise RuntimeError()\n'
            '+        raise ValueError(name)\n', out)

    def test_outcome_of_a_rule_with_a_body(self):
        self.edit(LOCKS, 'with two:', 'with two, three:')
        self.fixup('check-acquire')
        before = self.text(base.CHECKED)
        self.take()
        self.assertEqual(before.replace('with two:', 'with two, three:'),
                         self.text(base.CHECKED))

    def test_outcome_of_a_rule_of_text(self):
        self.edit('doc/locks.rst', 'Another line.', 'A new line.\nAnd more.')
        self.fixup('check-acquire')
        before = self.text(base.CHECKED)
        self.take()
        self.assertEqual(
            before.replace('Another line.', 'A new line.\n        And more.'),
            self.text(base.CHECKED))

    def test_expression_in_a_function(self):
        self.edit(LOCKS, 'return time.time()', 'return time.monotonic()')
        self.fixup('check-acquire')
        before = self.text(base.CHECKED)
        self.assertIn('new rule 3', self.take())
        head, _, tail = before.partition('\n\n  doc/locks.rst:')
        self.assertEqual(head + '''

    - rule:
        kind: return_statement
        regex: ^return time\\.time\\(\\)$
        inside:
          kind: function_definition
          has:
            field: name
            regex: ^acquire$
          stopBy: end
      fix: return time.monotonic()

  doc/locks.rst:''' + tail, self.text(base.CHECKED))

    def test_statement_in_a_function(self):
        self.edit(LOCKS, '    two.acquire(True)\n',
                  '    two.acquire(True)\n            print(two)\n')
        self.fixup('check-acquire')
        self.take()
        self.assertIn('two.acquire(True)\n            print(two)\n',
                      (self.tree / LOCKS).read_text())

    @ddt.data(
        (LOCKS, '(lock, blocking)', '(lock, blocking, wait=(1, 2))'),
        (LOCKS, '(one, two)', '(\n        one, two)'),
        (HACKING, '(logical_line)', '(logical_line, **more)'))
    @ddt.unpack
    def test_parameters(self, path, old, new):
        self.edit(path, f'{old}:', f'{new}:')
        self.fixup('check-acquire')
        self.take()
        self.assertIn('kind: parameters\n', self.text(base.CHECKED))

    @ddt.data('', '@core.flake8ext\n')
    def test_function_before_one_with_a_decorator(self, decorator):
        self.edit(HACKING, '@core', f'{decorator}def more():\n    pass\n\n\n'
                                    '@core')
        self.fixup('check-acquire')
        self.take()

    def test_several_statements_and_the_rule_of_another_file(self):
        self.edit(LOCKS, 'import time\n', 'import os\nimport time\n')
        self.edit(LOCKS, 'one.release()', 'one.release(os)')
        self.edit(LOCKS, 'RuntimeError()', 'RuntimeError(1)')
        self.edit('setup.cfg', 'name = cinder', 'name = cinder\nsummary = x')
        self.fixup('check-acquire')
        self.take()

    def test_rules_of_a_file_that_is_not_edited_any_more(self):
        self.edit('doc/locks.rst', 'Another line.\n', '')
        self.fixup('check-acquire')
        self.take()
        self.assertNotIn('doc/locks.rst', self.text(base.CHECKED))

    def test_content_of_an_added_file(self):
        self.edit(RWLOCK, 'SHARED = 1', 'SHARED = 2')
        self.fixup('rwlock')
        self.take()
        self.assertEqual('SHARED = 2\n', self.text(RWLOCK))

    def test_added_file_that_a_later_commit_edits(self):
        self.add_commit('later', f'''\
            message: Later
            edits:
              {RWLOCK}:
                - {{rule: {{pattern: SHARED = 1}}, fix: SHARED = 2}}
            ''')
        self.succeed('build')
        self.edit(RWLOCK, 'SHARED = 2\n', 'SHARED = 2\nMORE = 3\n')
        self.fixup('rwlock')
        self.refuse('does not fold without conflict', RWLOCK)
        self.git('reset', '--hard', '--quiet', 'HEAD~1')
        self.edit(RWLOCK, 'SHARED = 2\n', 'SHARED = 3\n')
        self.commit('--amend', '--no-edit')
        self.take()
        self.assertEqual('SHARED = 1\n', self.text(RWLOCK))
        self.assertIn('fix: SHARED = 3',
                      self.text('commits/cinder/later.yml'))

    def test_new_file_of_a_commit(self):
        self.edit('releasenotes/notes/a.yaml', '', 'fixes: [a]\n')
        self.edit('cinder/rwlock/run.sh', '', 'true\n')
        (self.tree / 'cinder/rwlock/run.sh').chmod(0o755)
        self.fixup('rwlock')
        self.take()
        self.assertTrue(
            self.text(base.RWLOCK).endswith(
                '\nadds:\n  - cinder/rwlock/\n'
                '  - releasenotes/notes/a.yaml\n'))
        self.assertEqual('fixes: [a]\n',
                         self.text('releasenotes/notes/a.yaml'))
        self.assertTrue(os.access(self.root / 'cinder/rwlock/run.sh',
                                  os.X_OK))

    def test_first_file_of_a_commit(self):
        self.edit('doc/new.rst', '', 'New\n')
        self.fixup('check-acquire')
        self.take()
        self.assertIn('\nadds:\n  - doc/new.rst\n\nedits:\n',
                      self.text(base.CHECKED))

    def test_file_that_is_added_no_more(self):
        self.replace(base.RWLOCK, '  - cinder/rwlock/\n',
                     f'  - {RWLOCK}\n  - doc/new.rst\n')
        self.write('doc/new.rst', 'New\n')
        self.succeed('build')
        (self.tree / 'doc/new.rst').unlink()
        self.fixup('rwlock')
        self.take()
        self.assertFalse((self.root / 'doc/new.rst').exists())
        self.assertTrue(self.text(base.RWLOCK).endswith(
            f'\nadds:\n  - {RWLOCK}\n'))

    def test_message(self):
        message = self.git('log', '-1', '--format=%B')
        self.commit('--amend', '--allow-empty', '--message',
                    message.replace('Readers share.', 'Readers do share.'))
        before = self.text(base.RWLOCK)
        self.take()
        self.assertEqual(before.replace('Readers share', 'Readers do share'),
                         self.text(base.RWLOCK))

    def test_message_of_an_earlier_commit(self):
        tip = self.git('rev-parse', 'HEAD')
        self.git('reset', '--hard', '--quiet', 'HEAD~1')
        message = self.git('log', '-1', '--format=%B')
        self.commit('--amend', '--message', message.replace('Check', 'Heed'))
        self.git('cherry-pick', tip)
        before = self.text(base.CHECKED)
        self.take()
        self.assertEqual(before.replace('Check the', 'Heed the'),
                         self.text(base.CHECKED))

    def test_new_commit_on_top(self):
        self.edit('cinder/more.py', '', 'MORE = 1\n')
        self.edit(LOCKS, 'import time\n', 'import os\nimport time\n')
        self.edit('setup.cfg', 'name = cinder', 'name = cinder\nsummary = x')
        self.commit('--message', 'Add more: "much" more\n\nWhy not?\n')
        self.take()
        self.assertTrue(self.text(base.ORDER).endswith(
            'rwlock\nadd-more-much-more\n'))
        self.assertEqual('''\
message: |
  Add more: "much" more

  Why not?

adds:
  - cinder/more.py

edits:
  cinder/locks.py:
    - rule:
        kind: import_statement
        regex: ^import time$
        pattern: $FOUND
      fix: |
        import os
        $FOUND

  setup.cfg:
    - find: |
        name = cinder
      after: |
        summary = x
''', self.text('commits/cinder/add-more-much-more.yml'))

    @ddt.data(('upstream', '[bug/acquire]\n{}check-acquire\n'),
              ('HEAD~1', 'check-acquire\n{}\n[bp/enhance-locks]\n'))
    @ddt.unpack
    def test_new_commit_below(self, below, order):
        tip = self.git('rev-parse', 'HEAD')
        self.git('checkout', '--quiet', '-B', 'enhance-locks', below)
        self.edit('cinder/more.py', '', 'MORE = 1\n')
        self.commit('--message', 'More')
        self.git('cherry-pick', f'{below}..{tip}')
        self.take()
        self.assertIn(order.format('more\n'), self.text(base.ORDER))

    def test_new_commit_of_a_name_that_is_taken(self):
        self.edit('cinder/more.py', '', 'MORE = 1\n')
        self.commit('--message', 'RWLock')
        self.take()
        self.assertTrue(self.text(base.ORDER).endswith('rwlock\nrwlock-2\n'))

    def test_rule_for_another_release_stays(self):
        self.replace(base.CHECKED, '    - why: a', '''\
    - releases: '<1'
      rule: {pattern: wait}
      fix: ''

    - why: a''')
        self.succeed('build')
        self.edit(LOCKS, 'RuntimeError()', 'RuntimeError(1)')
        self.fixup('check-acquire')
        before = self.text(base.CHECKED)
        self.assertIn('rule 2,', self.take())
        self.assertEqual(before.replace('RuntimeError()', 'RuntimeError(1)'),
                         self.text(base.CHECKED))

    def test_commit_that_is_left_out_stays(self):
        self.add_commit('older', '''\
            message: Older
            releases: <1
            why: it is old
            adds: [doc/older.rst]
            ''')
        self.write('doc/older.rst', 'Older\n')
        self.succeed('build')
        self.edit(RWLOCK, 'SHARED = 1', 'SHARED = 2')
        self.fixup('rwlock')
        self.take()
        self.assertEqual('Older\n', self.text('doc/older.rst'))

    def test_again(self):
        for number in '23':
            self.edit(RWLOCK, 'SHARED = ', f'SHARED = {number}')
            self.fixup('rwlock')
            self.take()

    def test_nothing_to_take(self):
        before = self.ours()
        self.assertIn('has nothing to take', self.succeed('take')[1])
        self.assertEqual(before, self.ours())

    def test_build_tells_of_it(self):
        self.edit(RWLOCK, 'SHARED = 1', 'SHARED = 2')
        self.fixup('rwlock')
        self.assertIn('"./series take" brings commits home',
                      self.fail('build'))


CLASS = b'''\
import a


class One:
    x: int = (
        1
    )
    """
    What x is.
    """

    y = (
        a.one,
        a.two,
    )
    """
    What y is.
    """

    def first(self):
        pass


class Two:
    def first(self):
        pass

    @property
    def second(self) -> int:
        """Text."""
        return 2

    def third(self):
        pass


def two():
    pass
'''


@ddt.ddt
class RewriteTest(testtools.TestCase):
    """Rules that are written for what a class becomes."""

    def test_element(self):
        rule = self.rewrite(b'a.one,', b'a.one,\n        a.new,')
        self.assertEqual(
            {'rule': {'pattern': 'a.one', 'inside': {
                'kind': 'class_definition',
                'has': {'field': 'name', 'regex': '^One$'}, 'stopBy': 'end'}},
             'fix': 'a.one,\na.new'}, rule.body)

    @ddt.data(
        (CLASS[CLASS.index(b'class One'):CLASS.index(b'class Two')], b''),
        (b'    """\n    What x is.\n    """\n', b''),
        (CLASS[CLASS.index(b'    @prop'):CLASS.index(b'    def third')], b''),
        (b'    @prop', b'    def new(self):\n        pass\n\n    @prop'),
        (b'    def third', b'    @f\n    def new(self):\n        pass\n\n'
                           b'    def third'),
        (b'second(self)', b'second(self, *, a: int = (1))'),
        (b'third(self)', b'third(\n        self,\n        a=1,\n    )'))
    @ddt.unpack
    def test_statement(self, old, new):
        self.rewrite(old, new)

    def rewrite(self, old, new):
        """See that one rule makes a change, and return it."""
        self.assertEqual(1, CLASS.count(old))
        after = CLASS.replace(old, new)
        made = hunks.rewrite(CLASS, after, [], True, lambda *told: None)
        self.assertEqual(1, len(made))
        self.assertEqual(after, edit.apply(CLASS, made[0], 'here'))
        return made[0]


class RefuseTest(TakeTestCase):
    """Neither the repository nor the tree changes."""

    def test_no_tree(self):
        self.tree.rename(self.temp / 'moved')
        self.assertIn('was not built by this tool. Build it first.',
                      self.fail('take'))

    def test_dirty_tree(self):
        self.edit(RWLOCK, 'SHARED = 1', 'SHARED = 2')
        self.refuse('has changes that are not committed. Commit them, then '
                    'take again.')

    def test_other_branch(self):
        self.git('branch', 'mine')
        self.refuse('has other branches, tags or stashes')

    def test_other_branch_checked_out(self):
        self.edit(RWLOCK, 'SHARED = 1', 'SHARED = 2')
        self.fixup('rwlock')
        self.git('checkout', '--quiet', 'HEAD~1')
        self.refuse('another branch checked out')

    def test_series_that_has_changed(self):
        self.replace(base.RWLOCK, 'Readers share', 'Readers do share')
        self.refuse('The series, or the tool, has changed since')

    def test_conflict(self):
        self.edit(LOCKS, 'RuntimeError()', 'RuntimeError(1)')
        self.commit('--message', 'More')
        self.edit(LOCKS, 'RuntimeError(1)', 'RuntimeError(2)')
        self.fixup('check-acquire')
        self.refuse('does not fold without conflict, in cinder/locks.py')

    def test_fixup_of_nothing(self):
        self.edit(RWLOCK, 'SHARED = 1', 'SHARED = 2')
        self.commit('--message', 'fixup! Something')
        self.refuse("'fixup! Something' names no commit")

    def test_commit_that_vanished(self):
        self.git('reset', '--hard', '--quiet', 'HEAD~1')
        self.refuse('The tree has commit rwlock 0 times', base.RWLOCK)

    def test_commits_in_another_order(self):
        tip = self.git('rev-parse', 'HEAD')
        self.git('checkout', '--quiet', '-B', 'enhance-locks', 'upstream')
        self.git('cherry-pick', tip)
        self.git('cherry-pick', f'{tip}~1')
        self.refuse('The tree has commit rwlock where the order has check-')

    def test_merge(self):
        self.git('checkout', '--quiet', '-b', 'mine', 'upstream')
        self.edit('cinder/more.py', '', 'MORE = 1\n')
        self.commit('--message', 'More')
        self.git('checkout', '--quiet', 'enhance-locks')
        self.git('merge', '--no-edit', 'mine')
        self.git('branch', '-D', 'mine')
        self.refuse('has a merge')

    def test_hunk_that_cannot_be_written(self):
        self.edit(LOCKS, 'import time\n\n\n', 'import time\n\n')
        self.edit(LOCKS, 'RuntimeError()', 'RuntimeError(1)')
        self.fixup('check-acquire')
        self.refuse('Nothing was taken. These are for you to mend:',
                    f'{base.CHECKED} (Check the result of acquire): {LOCKS}: '
                    f'line 2 needs a rule that take cannot write (no rule of '
                    f'the commit made what was there):\n-\n')

    def test_file_that_another_commit_adds(self):
        self.edit(RWLOCK, 'SHARED = 1', 'SHARED = 2')
        self.commit('--message', 'Share twice')
        self.refuse(f'(Share twice): {RWLOCK}: it is added by rwlock; fix up '
                    f'that commit instead')

    def test_file_of_cinder_that_is_deleted(self):
        (self.tree / 'tox.ini').unlink()
        self.fixup('rwlock')
        self.refuse('tox.ini: only files that are added')

    def test_mode_of_a_file_of_cinder(self):
        (self.tree / 'tox.ini').chmod(0o755)
        self.fixup('rwlock')
        self.refuse('tox.ini: only files that are added')

    def test_rule_that_finds_no_more_what_it_found(self):
        tip = self.git('rev-parse', 'HEAD')
        self.git('checkout', '--quiet', '-B', 'enhance-locks', 'upstream')
        self.edit(LOCKS, 'lock.acquire(blocking)', 'lock.acquire(wait)')
        self.commit('--message', 'More')
        self.edit(LOCKS, 'lock.acquire(wait)', 'lock.acquire()')
        self.commit('--message', self.git('log', '-1', '--format=%B',
                                          f'{tip}~1'))
        self.git('cherry-pick', tip)
        self.refuse('locks.py: rule 1 must match 1 times but matches 0')

    def change(self):
        """Change a file that is added and the file of a commit."""
        self.edit(RWLOCK, 'SHARED = 1', 'SHARED = 2')
        self.edit('doc/new.rst', '', 'New\n')
        self.fixup('rwlock')
        self.edit('cinder/more.py', '', 'MORE = 1\n')
        self.commit('--message', 'More')

    def test_failure_half_way(self):
        self.change()
        write = files.write_whole
        for failing in range(1, 5):
            written = []

            def broken(path, content):
                if self.root in path.parents and '.take-' not in str(path):
                    written.append(path)
                    if len(written) == failing:
                        raise OSError('no space left')
                write(path, content)

            with mock.patch('tools.common.files.write_whole', broken):
                self.refuse('error: no space left')
        self.take()

    def test_failure_of_the_last_step(self):
        self.change()
        run = git.Git.run

        def broken(self, *args, **kwargs):
            done = run(self, *args, **kwargs)
            if args[0] == failing:
                raise git.GitError('broken pipe')
            return done

        for failing in ('pack-objects', 'unpack-objects'):
            with mock.patch.object(git.Git, 'run', broken):
                self.refuse('broken pipe')
        with mock.patch('tools.series.record.write',
                        side_effect=OSError('no space left')):
            self.refuse('no space left')
        self.take()

    def test_what_was_written_gives_another_tree(self):
        self.edit('doc/new.rst', '', 'New\n')
        self.fixup('rwlock')
        with mock.patch('tools.series.commit_file.with_adds',
                        lambda text, new, gone: text):
            self.refuse("What was written for 'Add read and write locks' "
                        'gives another doc/new.rst than was taken.')

    def test_interrupt_at_each_step(self):
        self.change()
        for step in ('taken.clone', 'taken.read', 'bring_home.files_of',
                     'apply.apply_series', 'edited.Edits.apply'):
            before = self.ours()
            with mock.patch(f'tools.series.{step}',
                            side_effect=KeyboardInterrupt):
                self.assertEqual(130, self.main('take')[0])
            self.assertEqual(before, self.ours())
            self.assert_no_litter()
        self.take()

    def test_interrupt_in_the_last_step_comes_too_late(self):
        self.change()
        rename = os.replace

        def replace(*args):
            if '.take-' not in str(args[1]):
                os.kill(os.getpid(), signal.SIGINT)
            rename(*args)

        with mock.patch('os.replace', replace):
            self.succeed('take')
        self.assertIn('is up to date', self.succeed('build')[1])
        self.assertEqual('SHARED = 2\n', self.text(RWLOCK))
