# SPDX-License-Identifier: Apache-2.0
"""The real thing: a release of Cinder from PyPI."""

import os
import shutil
import time

from tests.series import base
from tools.series import release

VERSION = '29.0.0'


class CinderTest(base.TestCase):

    def setUp(self):
        super().setUp()
        self.index.endpoint = release.PYPI
        self.tree = self.root / f'build/cinder-{VERSION}'
        self.write('series/series.yml', '''\
            - id: both
              message: |
                Change code and text

                A body.

                Closes-Bug: #1
              edits:
                cinder/coordination.py: [acquire]
                tox.ini: [complexity]
              adds: [cinder/rwlock/]
            ''')
        shutil.rmtree(self.root / 'edits')
        self.write('edits/cinder/coordination.py.yml', '''\
            - id: acquire
              rule:
                pattern: lock.acquire(blocking)
              fix: |
                if not lock.acquire(blocking):
                    raise exception.LockCreationFailed(name)
            ''')
        self.write('edits/tox.ini.yml', '''\
            - id: complexity
              find: max-complexity = 30
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
        shutil.rmtree(self.root / 'build')
        _err, anew = self.timed_build()
        self.assertLess(again, anew / 2)
        self.assertEqual(first, self.hashes())

    def test_check(self):
        self.succeed('check', '--cinder', VERSION)
        self.write('cinder/rwlock/__init__.py', 'print(1)\n')
        self.assertIn('C303', self.fail('check', '--cinder', VERSION))

    def test_unknown_release(self):
        error = self.fail('build', '--cinder', '29.0.99')
        self.assertIn('PyPI has no source release of Cinder 29.0.99; near it '
                      'are ', error)
        self.assertIn('29.0.0', error)
