# SPDX-License-Identifier: Apache-2.0

"""Two projects with a series each, worked on by the same commands."""

import json
import os
import shutil
import zipfile

import ddt

from tests.series import base
from tests.series import test_export
from tests.series import test_wheel
from tools.common.paths import ROOT
from tools.series import commits
from tools.series import projects
from tools.series import show

VERSION = '9.0.0'
COMMIT = 'commits/tooz/rwlock.yml'
SHARED = 'tooz/tooz/shared.py'
FILES = {
    'pyproject.toml': '[project]\nname = "tooz"\n\n[tool.ruff]\n'
                      'line-length = 60\n\n[build-system]\nrequires = []\n'
                      'build-backend = "backend"\nbackend-path = ["."]\n',
    'backend.py': test_wheel.BACKEND.replace('cinder', 'tooz'),
    'tox.ini': '[flake8]\nselect = H\n',
    'tooz/__init__.py': '',
    'tooz/locks.py': base.LOCKS,
    'tooz/tests/__init__.py': '',
    'tooz/tests/test_locks.py': '''\
import os
import unittest

from tooz import locks


class LocksTest(unittest.TestCase):
    def test_url(self):
        url = os.environ['TOOZ_TEST_URL']
        self.assertTrue(url.startswith('file:///'), url)
        self.assertIsNotNone(locks.time)
'''}


class TestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        sha256 = self.index.add(VERSION, FILES, 'tooz')
        self.write('commits/tooz/releases.yml', f'''\
            - {{version: {VERSION}, sha256: "{sha256}", tests: all}}
            ''')
        self.write('commits/tooz/series', '[bp/shared]\nrwlock\n')
        self.write(COMMIT, '''\
            message: |
              Share locks

              Readers share.

              Implements: blueprint support-shared-lock

            adds:
              - releasenotes/notes/shared.yaml
              - tooz/shared.py

            edits:
              tooz/locks.py:
                - rule: {pattern: lock.acquire(blocking)}
                  fix: lock.acquire(blocking, shared=True)
            ''')
        self.write(SHARED, 'SHARED = 1\n')
        self.write('tooz/releasenotes/notes/shared.yaml', 'features: [a]\n')
        self.tooz = self.root / f'build/tooz-{VERSION}'

    def in_tooz(self, *arguments):
        return self.git(*arguments, cwd=self.tooz)


@ddt.ddt
class ChooseTest(TestCase):
    """What a command is for."""

    def built(self):
        return {path.name for path in (self.root / 'build').iterdir()
                if path.name != 'cache'}

    @ddt.data(
        ([], True, True),
        (['tooz'], False, True),
        (['cinder'], True, False),
        (['--tooz', VERSION], False, True),
        (['--cinder', base.VERSION], True, False),
        (['tooz', '--tooz', VERSION], False, True))
    @ddt.unpack
    def test_build(self, arguments, cinder, tooz):
        self.succeed('build', *arguments)
        wanted = {f'cinder-{base.VERSION}': cinder, f'tooz-{VERSION}': tooz}
        self.assertEqual({name for name in wanted if wanted[name]},
                         self.built())

    def test_release_of_another_project(self):
        self.assertIn(
            'expected a release of tooz, found Cinder 1.2.0.',
            self.fail('build', 'tooz', '--cinder', base.VERSION))

    @ddt.data('build', 'take', 'check', 'test', 'export', 'wheel')
    def test_no_such_project(self, command):
        self.assertIn("expected a project, cinder or tooz, found 'nova'.",
                      self.fail(command, 'nova'))

    def test_no_such_release(self):
        self.assertIn(
            f"commits/tooz/releases.yml has no release '1.2.0'; it has "
            f"{VERSION}.", self.fail('build', '--tooz', '1.2.0'))

    def test_one_release_at_a_time(self):
        self.assertEqual(2, self.main(
            'build', '--tooz', VERSION, '--cinder', base.VERSION)[0])

    def test_no_series_of_it(self):
        shutil.rmtree(self.root / 'commits/tooz')
        self.succeed('build')
        self.assertIn('commits/tooz/releases.yml does not exist.',
                      self.fail('build', 'tooz'))

    def test_no_series_at_all(self):
        shutil.rmtree(self.root / 'commits')
        self.assertIn('expected a folder in commits/, named cinder or tooz.',
                      self.fail('build'))

    def test_failure_of_one_keeps_nobody_from_the_other(self):
        self.replace(base.CHECKED, 'One line', 'No line')
        self.assertIn('Cinder 1.2.0: ', self.fail('build'))
        self.assertEqual({self.tooz.name}, self.built())


class BuildTest(TestCase):

    def test_tree(self):
        self.succeed('build')
        self.assertEqual(
            'Share locks\n\nReaders share.\n\n'
            'Implements: blueprint support-shared-lock\n'
            'Change-Id: I2960d09af82c884041cd17c48564ba796698881c',
            self.in_tooz('log', '-1', '--format=%B'))
        self.assertEqual(f'tooz {VERSION}',
                         self.in_tooz('log', '-1', '--format=%s', 'upstream'))
        self.assertEqual(
            'releasenotes/notes/shared.yaml\ntooz/locks.py\ntooz/shared.py',
            self.in_tooz('diff', '--name-only', 'upstream'))
        self.assertIn('shared=True', (self.tooz / 'tooz/locks.py').read_text())

    def test_same_name_in_both_has_a_change_id_for_each(self):
        found = [commits.load(self.root, project)[-1]
                 for project in projects.PROJECTS.values()]
        self.assertEqual(['rwlock', 'rwlock'],
                         [commit.name for commit in found])
        self.assertNotEqual(*(commit.change_id for commit in found))

    def test_change_of_one_leaves_the_other_up_to_date(self):
        self.succeed('build')
        self.write(SHARED, 'SHARED = 2\n')
        _, err = self.succeed('build')
        self.assertIn('build/cinder-1.2.0 is up to date', err)
        self.assertIn(f'build/tooz-{VERSION} is ready', err)
        self.assertEqual('SHARED = 2\n',
                         (self.tooz / 'tooz/shared.py').read_text())

    def checkout(self):
        folder = self.temp / 'checkout'
        self.succeed('build', 'tooz')
        self.git('clone', '--quiet', str(self.tooz), str(folder),
                 cwd=self.temp)
        self.git('checkout', '--quiet', '-b', 'master', 'upstream', cwd=folder)
        self.git('branch', '-D', 'enhance-locks', cwd=folder)
        return folder

    def test_onto_a_checkout_of_it(self):
        folder = self.checkout()
        _, err = self.succeed('build', '--onto', str(folder))
        self.assertIn(f'for tooz {VERSION}', err)
        self.assertEqual(self.hashes(cwd=self.tooz), self.hashes(cwd=folder))

    def test_onto_a_checkout_of_another(self):
        folder = self.checkout()
        self.assertIn('is a git checkout, but not of Cinder.', self.fail(
            'build', 'cinder', '--onto', str(folder)))
        (folder / 'pyproject.toml').write_text('[project]\nname = "nova"\n')
        self.git('commit', '--all', '--message=x', cwd=folder)
        self.assertIn('is a git checkout, but not of Cinder or tooz.',
                      self.fail('build', '--onto', str(folder)))


@ddt.ddt
class CheckTest(TestCase):

    def test_nothing_to_complain_of(self):
        _, err = self.succeed('check')
        self.assertIn('Cinder: 2 commits, nothing to complain of', err)
        self.assertIn('tooz: 1 commits, nothing to complain of', err)

    @ddt.data(
        ('import os\n\nSHARED = 1\n', 'tooz/shared.py:1:8: F401'),
        ('SHARED =  1\n', 'Would reformat: tooz/shared.py'),
        ('SHARED: str = 1\n', 'tooz/shared.py:1: error: Incompatible types'),
        ('try:\n    A = 1\nexcept:\n    pass\n', 'tooz/shared.py:3:7: H201'))
    @ddt.unpack
    def test_style(self, content, told):
        self.write(SHARED, content)
        self.assertIn(told, self.fail('check', 'tooz'))

    def test_types_of_what_another_commit_adds(self):
        self.replace('commits/tooz/series', 'rwlock', 'rwlock\nuse')
        self.write('commits/tooz/use.yml', '''\
            message: |
              Use them

              They are there.

              Partially-Implements: blueprint support-shared-lock

            adds: [tooz/use.py, tools/no-module.py]
            ''')
        self.write('tooz/tooz/use.py', 'from tooz import shared\n\n\n'
                   'NUMBER: int = shared.SHARED\n')
        self.write('tooz/tools/no-module.py', 'NUMBER: int = "1"\n')
        self.succeed('check', 'tooz')
        self.write(SHARED, 'SHARED = "1"\n')
        told = self.fail('check', 'tooz')
        self.assertIn('Commit use: tooz/use.py:4: error: Incompat', told)
        self.assertIn('1 found by check', told)

    def test_blueprint_of_another_project(self):
        self.replace(COMMIT, 'support-shared-lock', 'enhance-locks')
        self.assertIn('Message of commit rwlock: the last paragraph names '
                      'neither the blueprint support-shared-lock',
                      self.fail('check', 'tooz'))

    @ddt.data('tooz/other.py', 'doc/source/other.rst', 'other')
    def test_file_not_added(self, path):
        self.write(f'tooz/{path}', '')
        self.assertIn(f'tooz/{path} is added by 0 commits, not by one.',
                      self.fail('check', 'tooz'))
        self.succeed('check', 'cinder')

    def test_commits_of_no_project(self):
        self.write('commits/nova/series', '')
        self.assertIn('commits/nova: expected a project, cinder or tooz.',
                      self.fail('check'))

    def test_both_are_told(self):
        self.write('cinder/rwlock/__init__.py', 'gadget = 1\n')
        self.write(SHARED, 'SHARED =  1\n')
        told = self.fail('check')
        self.assertIn('X900 no gadgets', told)
        self.assertIn('Would reformat: tooz/shared.py', told)


class ShowTest(TestCase):

    def show(self, *arguments):
        return self.succeed('show', *arguments)[0].splitlines()

    def test_all(self):
        self.assertEqual([
            '[bug/acquire] of Cinder',
            '  1  check-acquire  Check the result of acquire',
            '[bp/enhance-locks] of Cinder',
            '  2  rwlock         Add read and write locks',
            '[bp/shared] of tooz',
            '  1  rwlock         Share locks'], self.show())

    def test_one_project(self):
        self.assertEqual(['[bp/shared]', '  1  rwlock  Share locks'],
                         self.show('tooz'))

    def test_commits_that_touch_a_file(self):
        self.assertEqual(['[bp/shared]', '  1  rwlock  Share locks'],
                         self.show('tooz/locks.py'))

    def test_project_of_a_commit(self):
        self.replace('commits/tooz/series', 'rwlock', 'share')
        (self.root / COMMIT).rename(self.root / 'commits/tooz/share.yml')
        chosen = [(project, '1') for project in projects.PROJECTS.values()]
        found = {wanted: show.having(self.root, chosen, wanted)[0].name
                 for wanted in ('1', '2', 'rwlock', 'share', 'share..', 'x')}
        self.assertEqual({'1': 'cinder', '2': 'cinder', 'rwlock': 'cinder',
                          'share': 'tooz', 'share..': 'tooz', 'x': 'tooz'},
                         found)

    def test_no_such_commit(self):
        self.assertIn("no commit of the series can be called '2'",
                      self.fail('show', 'tooz', '2'))


class TakeTest(TestCase):

    def setUp(self):
        super().setUp()
        self.succeed('build', 'tooz')

    def edit(self, path, content):
        (self.tooz / path).write_text(content)
        self.in_tooz('add', '--all')

    def test_what_is_added_goes_home(self):
        self.edit('tooz/shared.py', 'SHARED = 2\n')
        self.edit('tooz/more.py', 'MORE = 1\n')
        self.edit('tooz/locks.py', base.LOCKS.replace(
            '(blocking)', '(blocking, shared=False)'))
        self.in_tooz('commit', '--quiet', '--fixup=HEAD')
        _, err = self.succeed('take')
        self.assertIn('tooz/tooz/more.py is new', err)
        self.assertEqual('SHARED = 2\n', (self.root / SHARED).read_text())
        self.assertIn('shared=False', (self.root / COMMIT).read_text())
        self.assertIn('is up to date', self.succeed('build', 'tooz')[1])

    def test_new_commit(self):
        self.edit('tooz/more.py', 'MORE = 1\n')
        self.in_tooz('commit', '--quiet', '--message=More')
        self.succeed('take', 'tooz')
        self.assertEqual('[bp/shared]\nrwlock\nmore\n', (
            self.root / 'commits/tooz/series').read_text())
        self.assertTrue((self.root / 'commits/tooz/more.yml').exists())

    def test_file_that_is_added_no_more(self):
        self.in_tooz('rm', '--quiet', 'tooz/shared.py')
        self.in_tooz('commit', '--quiet', '--fixup=HEAD')
        self.succeed('take')
        self.assertFalse((self.root / SHARED).exists())

    def test_both(self):
        self.succeed('build')
        for tree in (self.tree, self.tooz):
            message = self.git('log', '-1', '--format=%B', cwd=tree)
            self.git('commit', '--quiet', '--amend', '--message=' + message
                     .replace('Readers share', 'Readers do share'), cwd=tree)
        self.succeed('take')
        for path in (COMMIT, base.RWLOCK):
            self.assertIn('Readers do share', (self.root / path).read_text())

    def test_nothing_is_built(self):
        shutil.rmtree(self.tooz)
        told = self.fail('take')
        for path in (self.tree, self.tooz):
            self.assertIn(f'build/{path.name} was not built by this tool.',
                          told)


class ExportTest(TestCase):

    def test_git_am_gives_the_tree_that_was_built(self):
        letter = projects.TOOZ.letter
        shutil.copy(ROOT / letter, self.root / letter)
        self.succeed('export', 'tooz')
        folder = self.temp / 'reviewer'
        folder.mkdir()
        made = test_export.follow(
            self.root / f'dist/tooz-{VERSION}/0000-cover-letter.txt',
            self.index.folder / f'tooz-{VERSION}.tar.gz', folder)
        self.assertEqual(self.in_tooz('rev-parse', 'HEAD^{tree}'),
                         self.git('rev-parse', 'HEAD^{tree}', cwd=made))


class WholeWheelTest(TestCase):

    def test_it_has_the_files_of_the_series(self):
        self.succeed('wheel', 'tooz')
        name = f'tooz-{VERSION}+enhancelocks.1-py3-none-any.whl'
        self.assertEqual([name], os.listdir(self.root / 'dist'))
        with zipfile.ZipFile(self.root / 'dist' / name) as wheel:
            self.assertIn('tooz/shared.py', json.loads(wheel.read('files')))


class EachCommitTest(TestCase):

    def test_passes(self):
        _, err = self.succeed('test', 'tooz')
        self.assertRegex(err, r'\[1\] Share locks: 2 modules, 1 tests')

    def test_fails(self):
        self.write(SHARED, 'import nothing_such\n')
        told = self.fail('test', '--tooz', VERSION)
        self.assertIn("No module named 'nothing_such'", told)
        self.assertIn('shared.py:1:8: F401', told)

    def test_commits_of_one_project(self):
        self.replace('commits/tooz/series', 'rwlock', 'share')
        (self.root / COMMIT).rename(self.root / 'commits/tooz/share.yml')
        _, err = self.succeed('test', '--commits', 'share')
        self.assertIn('[1] Share locks', err)
        self.assertIn('1 commits pass', err)
        self.assertFalse(self.tree.exists())
