# SPDX-License-Identifier: Apache-2.0

"""The real thing: a release of Cinder from PyPI."""

import os
import shutil
import time

from tests.series import base
from tools.common.paths import ROOT
from tools.series import tree

VERSION = '29.0.0'


class WholeCinderTest(base.TestCase):

    def setUp(self):
        super().setUp()
        self.index.endpoint = None
        self.tree = self.root / f'build/cinder-{VERSION}'
        shutil.copy(ROOT / base.RELEASES, self.root / base.RELEASES)
        cache = self.root / tree.FOLDER / 'cache'
        cache.mkdir(parents=True)
        kept = ROOT / tree.FOLDER / 'cache' / f'cinder-{VERSION}.tar.gz'
        if kept.exists():
            (cache / kept.name).symlink_to(kept)
        (self.root / base.CHECKED).unlink()
        (self.root / base.RWLOCK).unlink()
        self.write(base.ORDER, '[bug/1]\nboth\n')
        self.write('commits/cinder/both.yml', '''\
            message: |
              Change code and text

              A body.

              Closes-Bug: #1
            adds: [cinder/rwlock/]
            edits:
              cinder/coordination.py:
                - rule:
                    pattern: lock.acquire(blocking)
                  fix: |
                    if not lock.acquire(blocking):
                        raise exception.LockCreationFailed(name)
              tox.ini:
                - find: max-complexity = 30
                  replace: max-complexity = 31
            ''')

    def timed_build(self):
        start = time.monotonic()
        out, err = self.succeed('build', '--cinder', VERSION)
        return err, time.monotonic() - start

    def test_twice(self):
        self.timed_build()
        first = self.hashes()
        self.assertEqual(2, len(first))
        self.assertGreater(
            len(self.git('ls-tree', '-r', 'upstream').splitlines()), 3000)
        self.assertTrue(os.access(self.tree / 'tools/fast8.sh', os.X_OK))
        err, again = self.timed_build()
        self.assertIn('is up to date', err)
        shutil.rmtree(self.tree)
        _err, anew = self.timed_build()
        self.assertLess(again, anew / 2)
        self.assertEqual(first, self.hashes())

    def test_check(self):
        self.succeed('check', '--cinder', VERSION)
        self.write('cinder/rwlock/__init__.py', 'print(1)\n')
        self.assertIn('C303', self.fail('check', '--cinder', VERSION))

    def test_take(self):
        self.timed_build()
        path = 'cinder/coordination.py'
        for file, old, new in (
                (path, 'LockCreationFailed(name)', 'LockCreationFailed(1)'),
                ('cinder/rwlock/__init__.py', 'SHARED = 1', 'SHARED = 2')):
            text = (self.tree / file).read_text()
            self.assertIn(old, text)
            (self.tree / file).write_text(text.replace(old, new))
        self.git('commit', '--quiet', '--all', '--fixup=HEAD')
        out, _ = self.succeed('take', '--cinder', VERSION)
        self.assertIn(f'commits/cinder/both.yml: {path}: rule 1, line ', out)
        self.assertEqual('SHARED = 2\n', (
            self.root / 'cinder/rwlock/__init__.py').read_text())
        taken = self.hashes()
        self.assertIn('is up to date', self.timed_build()[0])
        shutil.rmtree(self.tree)
        self.timed_build()
        self.assertEqual(taken, self.hashes())
