# SPDX-License-Identifier: Apache-2.0

"""The exported patches, applied by git alone."""

import os
import re
import shutil
import signal
import subprocess
import textwrap
from unittest import mock

import ddt

from tests.series import base
from tools.common.paths import ROOT
from tools.series import export
from tools.series import git
from tools.series import projects
from tools.series import release
from tools.series import releases
from tools.series import tree

WHO = {f'GIT_{role}_{fact}': value for role in ('AUTHOR', 'COMMITTER')
       for fact, value in (('NAME', 'Reviewer'), ('EMAIL', 'r@example.com'))}


def commands(letter):
    """Take the commands out of the cover letter."""
    block = re.search(r'(?:^ {4}\S.*\n)+', letter, re.MULTILINE)
    return textwrap.dedent(block[0])


def follow(letter, sdist, folder):
    """Do what the cover letter says, in a shell that has no tool of ours.

    :param pathlib.Path letter: the cover letter
    :param pathlib.Path sdist: the release
    :param pathlib.Path folder: an empty directory
    :returns: the tree
    :rtype: pathlib.Path
    """
    shutil.copy(sdist, folder)
    subprocess.run(
        ['sh', '-ec', commands(letter.read_text())], cwd=folder, check=True,
        env={'PATH': os.environ['PATH'], 'HOME': str(folder),
             'PATCHES': str(letter.parent), **WHO},
        stdout=subprocess.DEVNULL)
    return folder / sdist.name.removesuffix('.tar.gz')


class ExportTest(base.TestCase):

    def setUp(self):
        super().setUp()
        letter = projects.CINDER.letter
        shutil.copy(ROOT / letter, self.root / letter)
        self.dist = self.root / 'dist'
        self.patches = self.dist / f'cinder-{base.VERSION}'

    def export(self):
        self.succeed('export', '--cinder', base.VERSION)

    def names(self):
        return sorted(path.name for path in self.patches.iterdir())

    def follow(self):
        folder = self.temp / 'reviewer'
        folder.mkdir()
        return follow(self.patches / '0000-cover-letter.txt',
                      self.index.folder / f'cinder-{base.VERSION}.tar.gz',
                      folder)

    def letter(self):
        return (self.patches / '0000-cover-letter.txt').read_text()

    def test_files(self):
        self.export()
        self.assertEqual(
            ['0000-cover-letter.txt',
             '0001-Check-the-result-of-acquire.patch',
             '0002-Add-read-and-write-locks.patch'], self.names())
        self.assertEqual([self.patches.name], os.listdir(self.dist))

    def test_letter(self):
        self.export()
        letter = self.letter()
        self.assertIn('Subject: [PATCH 0/2] Create volumes from one source in '
                      'parallel\n', letter)
        self.assertIn('Cinder 1.2.0', letter)
        self.assertIn('  Check the result of acquire\n'
                      '  Add read and write locks\n', letter)
        self.assertNotIn('$release', letter)
        self.assertNotIn('***', letter)
        self.assertTrue(letter.isascii())

    def test_git_am_gives_the_tree_that_was_built(self):
        os.chmod(self.root / 'cinder/rwlock/__init__.py', 0o755)
        self.write('cinder/rwlock/crlf.txt', 'one\r\ntwo\r\nno end')
        (self.root / 'cinder/rwlock/logo.png').write_bytes(bytes(range(256)))
        self.export()
        made = self.follow()
        self.assertEqual(self.git('rev-parse', 'HEAD^{tree}'),
                         self.git('rev-parse', 'HEAD^{tree}', cwd=made))
        self.assertIn(self.git('rev-parse', 'upstream^{tree}') + ' before',
                      self.letter())
        self.assertIn(self.git('rev-parse', 'HEAD^{tree}', cwd=made) +
                      ' after', self.letter())

    def test_git_am_keeps_messages_authors_and_dates(self):
        self.export()
        form = 'log', '-2', '--format=%an %ae %aI %B'
        self.assertEqual(self.git(*form),
                         self.git(*form, cwd=self.follow()))

    def test_same_again_whatever_the_users_configuration(self):
        self.export()
        before = base.snapshot(self.patches)
        shutil.rmtree(self.dist)
        config = self.temp / 'gitconfig'
        config.write_text(
            '[format]\nsignOff = true\nsuffix = .txt\nthread = true\n'
            'attach = true\nheaders = "X-Mine: 1"\nsubjectPrefix = MINE\n'
            'coverLetter = false\nsignature = mine\nfrom = U <u@u>\n'
            '[diff]\nnoprefix = true\ncontext = 9\nrenames = false\n')
        environment = {'GIT_CONFIG_GLOBAL': str(config),
                       'GIT_COMMITTER_DATE': '1 +0100', 'TZ': 'Asia/Tokyo'}
        with mock.patch.dict(os.environ, environment):
            self.export()
        self.assertEqual(before, base.snapshot(self.patches))

    def test_version_of_git_is_not_told(self):
        self.export()
        version = self.git('version').split()[2]
        for path in self.patches.iterdir():
            self.assertNotIn(version, path.read_text())

    def test_what_is_no_longer_in_the_series_goes(self):
        self.export()
        self.replace(base.RWLOCK, 'Add read and write locks',
                     'Add locks')
        self.export()
        self.assertEqual('0002-Add-locks.patch', self.names()[-1])
        self.assertEqual(3, len(self.names()))

    def test_failure_leaves_what_was_there(self):
        self.export()
        before = base.snapshot(self.dist)
        self.write('cinder/rwlock/__init__.py', 'SHARED = 2\n')
        run = git.Git.run

        def broken(git_self, *args, **kwargs):
            done = run(git_self, *args, **kwargs)
            if args[0] == 'format-patch':
                raise git.GitError('no space left')
            return done

        with mock.patch.object(git.Git, 'run', broken):
            self.assertIn('no space left', self.fail(
                'export', '--cinder', base.VERSION))
        self.assertEqual(before, base.snapshot(self.dist))

    def test_interrupt_while_the_patches_are_put_in_place(self):
        self.export()
        self.write('cinder/rwlock/__init__.py', 'SHARED = 2\n')
        rename = os.rename

        def interrupted(old, new):
            if new == self.patches:
                os.kill(os.getpid(), signal.SIGINT)
            rename(old, new)

        with mock.patch('os.rename', interrupted):
            self.export()
        self.assertIn('+SHARED = 2', (
            self.patches / '0002-Add-read-and-write-locks.patch').read_text())
        self.assertEqual([self.patches.name], os.listdir(self.dist))


@ddt.ddt
class WholeSeriesTest(base.TestCase):
    """The series of this repository."""

    @ddt.data(*projects.PROJECTS)
    def test_git_am_gives_the_tree_that_build_gives(self, name):
        project = projects.PROJECTS[name]
        version = releases.default(ROOT, project)
        built = tree.build(ROOT, version, project=project)
        patches = self.temp / 'patches'
        export.write_patches(ROOT, built, patches, project)
        sdist = release.fetch(releases.find(ROOT, version, project),
                              ROOT / tree.FOLDER / 'cache')
        folder = self.temp / 'reviewer'
        folder.mkdir()
        made = follow(patches / '0000-cover-letter.txt', sdist.path, folder)
        self.assertEqual(
            self.git('rev-parse', f'{tree.BRANCH}^{{tree}}', cwd=built),
            self.git('rev-parse', 'HEAD^{tree}', cwd=made))
        self.assertEqual(
            self.git('log', '--format=%B', f'upstream..{tree.BRANCH}',
                     cwd=built),
            self.git('log', '--format=%B', f'{self.hashes(cwd=made)[0]}..',
                     cwd=made))
