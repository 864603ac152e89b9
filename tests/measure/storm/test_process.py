# SPDX-License-Identifier: Apache-2.0

import os
import sys
import textwrap
import unittest

from tests import temporary
from tools.common import errors
from tools.measure.storm import process

# Stands for a whole Cinder: the child imports this module before all else.
LIVES = '''
    import json, os, sys, time
    with open('ready.part', 'w') as ready:
        json.dump({'api': 'http://api', 'observer': 'http://observer',
                   'workers': 64,
                   'versions': {'pid': os.getpid(), 'directory': os.getcwd(),
                                'threads': os.environ[
                                    'OS_CINDER_DISABLE_EVENTLET_PATCHING'],
                                'own_python': os.environ.get('OWN_PYTHON'),
                                'tree': __file__}}, ready)
    os.rename('ready.part', 'ready.json')
    time.sleep(600)
'''
DIES = '''
    import sys
    sys.exit('the sky fell')
'''


class CloudTest(unittest.TestCase):

    def setUp(self):
        self.tree = temporary.folder(self, {'cinder/__init__.py': ''})
        self.log = self.tree / 'service.log'

    def cloud(self, source, threads=False):
        (self.tree / 'cinder/monkey_patch.py').write_text(
            textwrap.dedent(source))
        return process.running(self.tree, 2.0, threads, self.log)

    def assert_nothing_left(self, told):
        self.assertRaises(ProcessLookupError, os.kill, told['pid'], 0)
        self.assertFalse(os.path.exists(told['directory']))

    def test_the_child_runs_the_trees_cinder(self):
        with self.cloud(LIVES) as cloud:
            self.assertTrue(cloud.versions['tree'].startswith(
                str(self.tree.resolve())))
            self.assertEqual('0', cloud.versions['threads'])
            cloud.check()

        self.assert_nothing_left(cloud.versions)

    def test_an_environment_brings_its_own_python(self):
        running = self.cloud(LIVES)
        (self.tree / 'pyvenv.cfg').touch()
        python = self.tree / 'bin/python'
        python.parent.mkdir()
        python.write_text(
            '#!/bin/sh\ncase $PYTHONPATH in %s*) exit 1;; esac\n'
            'OWN_PYTHON=yes PYTHONPATH=%s:$PYTHONPATH exec %s "$@"\n'
            % (self.tree, self.tree, sys.executable))
        python.chmod(0o755)
        with running as cloud:
            self.assertEqual('yes', cloud.versions['own_python'])

    def test_native_threads(self):
        with self.cloud(LIVES, threads=True) as cloud:
            self.assertEqual('1', cloud.versions['threads'])

    def test_an_error_ends_the_child(self):
        with self.assertRaises(KeyboardInterrupt), \
                self.cloud(LIVES) as cloud:
            raise KeyboardInterrupt

        self.assert_nothing_left(cloud.versions)

    def test_a_child_that_dies_is_one_sentence(self):
        cloud = self.cloud(DIES)

        with self.assertRaisesRegex(
                errors.ToolError,
                'ended with status 1, its last words: the sky fell'), cloud:
            self.fail('a dead child was taken for a live one')

        self.assertIn('the sky fell', self.log.read_text())
