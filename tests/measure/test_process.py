# SPDX-License-Identifier: Apache-2.0

import contextlib
import textwrap
import unittest
from unittest import mock

import ddt
import psutil

from tests import temporary
from tools.common import errors
from tools.common.waiting import wait_for
from tools.measure import process

# Stands for a whole Cinder: the child imports this module before all else.
MODE = '''
    import os, json, sys
    eventlet = os.environ['OS_CINDER_DISABLE_EVENTLET_PATCHING'] == '0'
    json.dump({'eventlet': eventlet, 'rounds': 3,
               'values': {'tree': __file__}}, sys.stdout)
    sys.exit()
'''
ALWAYS_THREADS = MODE.replace("== '0'", "== 'x'")
DIES = '''
    import sys
    sys.exit('the sky fell')
'''
HANGS = '''
    import os, pathlib, subprocess, sys, time
    peer = subprocess.Popen([sys.executable, '-c',
                             'import time; time.sleep(60)'])
    pathlib.Path(__file__).with_name('peer').write_text(str(peer.pid))
    time.sleep(60)
'''


@ddt.ddt
class ProcessTest(unittest.TestCase):

    def setUp(self):
        self.tree = temporary.folder(self, {'cinder/__init__.py': ''})
        self.package = self.tree / 'cinder'
        self.enterContext(
            mock.patch.object(process, 'LOG', self.tree / 'errors.log'))

    def run_child(self, source, mode='eventlet'):
        (self.package / 'monkey_patch.py').write_text(
            textwrap.dedent(source))
        return process.run(self.tree, mode, 'tools.measure.operations.child',
                           '40')

    @ddt.data(*process.MODES)
    def test_the_trees_cinder_runs_in_the_mode(self, mode):
        result = self.run_child(MODE, mode)

        self.assertEqual(mode == 'eventlet', result['eventlet'])
        self.assertTrue(result['values']['tree'].startswith(
            str(self.tree.resolve())))

    def test_another_mode_than_asked_for(self):
        with self.assertRaisesRegex(errors.ToolError,
                                    'child 40 did not run on eventlet'):
            self.run_child(ALWAYS_THREADS)

    def test_a_child_that_dies_is_one_sentence(self):
        with self.assertRaisesRegex(
                errors.ToolError, 'child 40 failed with status 1, its last '
                                  'words: the sky fell'):
            self.run_child(DIES)

    def test_a_child_that_hangs_ends_with_its_peer(self):
        with mock.patch.object(process, 'SECONDS', 2), \
                self.assertRaisesRegex(errors.ToolError, 'within 2 seconds'):
            self.run_child(HANGS)

        peer = int((self.package / 'peer').read_text())
        wait_for('the end of the peer', lambda: self.assertFalse(_runs(peer)),
                 5)


def _runs(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
