# SPDX-License-Identifier: Apache-2.0

"""Showing the commits to a reader who does not know the rules."""

import subprocess
import sys

import ddt

from tests.series import base


@ddt.ddt
class ShowTest(base.TestCase):

    def show(self, *arguments):
        """Run it in a process of its own, since git writes the output."""
        return subprocess.run(
            [sys.executable, *base.driver(
                self.root, self.index.endpoint, 'show', '--cinder',
                base.VERSION, *arguments)],
            capture_output=True, text=True)

    def test_list_needs_no_build(self):
        self.index.close()
        out, _ = self.succeed('show')
        self.assertEqual(
            '[bug/acquire]\n'
            '  1  check-acquire  Check the result of acquire\n'
            '[bp/enhance-locks]\n'
            '  2  rwlock         Add read and write locks\n', out)
        self.assertFalse(self.tree.exists())

    @ddt.data(
        ('cinder/rwlock/__init__.py', [
            '[bp/enhance-locks]', '  2  rwlock  Add read and write locks']),
        ('doc/locks.rst', [
            '[bug/acquire]',
            '  1  check-acquire  Check the result of acquire']),
        ('./cinder/locks.py', [
            '[bug/acquire]',
            '  1  check-acquire  Check the result of acquire',
            '[bp/enhance-locks]',
            '  3  later          Later']),
        ('tox.ini', ['[bp/enhance-locks]', '  3  later  Later']))
    @ddt.unpack
    def test_commits_that_touch_a_file(self, path, lines):
        self.add_commit('later', '''\
            message: Later
            edits:
              cinder/locks.py: [{rule: {pattern: both}, fix: two}]
              tox.ini: [{find: '60', replace: '70'}]
            ''')
        self.assertEqual(lines, self.succeed('show', path)[0].splitlines())
        self.assertFalse(self.tree.exists())

    def test_file_that_no_commit_touches(self):
        self.assertIn('no commit of the series touches cinder/__init__.py.',
                      self.fail('show', 'cinder/__init__.py'))

    @ddt.data('1', 'check-acquire', 'I7b0b',
              'I7b0b01d3fe32934560eb78f64d5347c5b35acaa8')
    def test_commit(self, name):
        shown = self.show(name)
        self.assertEqual(0, shown.returncode, shown.stderr)
        self.assertEqual(self.git('show', 'upstream~0..HEAD~1'),
                         shown.stdout.strip())
        self.assertIn('+    if not lock.acquire(blocking):', shown.stdout)
        self.assertIn('    Check the result of acquire\n', shown.stdout)

    def test_changed_series_is_built_again(self):
        self.show('2')
        self.write('cinder/rwlock/__init__.py', 'SHARED = 2\n')
        self.assertIn('+SHARED = 2', self.show('2').stdout)

    @ddt.data('0', '3', 'other', 'check', 'I0000')
    def test_no_such_commit(self, name):
        self.assertIn('no commit of the series',
                      self.fail('show', name, '--cinder', base.VERSION))
        self.assertFalse(self.tree.exists())

    def test_ambiguous(self):
        self.assertIn('several commits of the series',
                      self.fail('show', 'I', '--cinder', base.VERSION))

    def stop_reading(self, *arguments):
        """Read a line of what is shown, and no more."""
        command = subprocess.Popen(
            [sys.executable, *base.driver(
                self.root, self.index.endpoint, 'show', '--cinder',
                base.VERSION, *arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        command.stdout.readline()
        command.stdout.close()
        err = command.stderr.read()
        command.stderr.close()
        self.assertEqual(0, command.wait(), err)
        self.assertNotIn('rror', err)

    def test_reader_of_a_commit_that_stops_early(self):
        self.write('cinder/rwlock/__init__.py', 'SHARED = 1\n' * 20000)
        self.stop_reading('2')

    def test_reader_of_the_list_that_stops_early(self):
        self.replace(base.RWLOCK, 'Add read', f'Add {"x" * 200000}')
        self.stop_reading()
