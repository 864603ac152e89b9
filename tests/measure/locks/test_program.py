# SPDX-License-Identifier: Apache-2.0

import contextlib
import os
import sys
import unittest
from unittest import mock
from urllib import parse

import ddt
import psutil

from tests import temporary
from tools.common import errors
from tools.common.waiting import wait_for
from tools.measure.locks import program
from tools.measure import process

ECHO = '''
import sys
print('"hello"', flush=True)
for line in sys.stdin:
    print(line, end='', flush=True)
'''
HANGS = '''
import subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
print(child.pid, flush=True)
time.sleep(60)
'''
# Stands for tooz with the series.
PATCHED = '''
import pathlib
import select
from eventlet.green import select as green
class Characteristics:
    SHARED_LOCKS = 1
class Coordinator:
    def start(self, start_heart):
        pass
    def stop(self):
        pass
    def get_lock(self, name):
        pass
def get_coordinator(url, member_id):
    if select.select is green.select:
        pathlib.Path(url.removeprefix('file://'), 'patched').touch()
    return Coordinator()
'''
PROXY = '''
import sys
print(int(sys.argv[1]) + 1, flush=True)
'''


class Case(unittest.TestCase):

    def setUp(self):
        self.locks = temporary.folder(self)
        self.folder = temporary.folder(self, {
            'tooz/__init__.py': '', 'tooz/coordination.py': PATCHED,
            'tooz/tests/proxy.py': PROXY})
        self.enterContext(
            mock.patch.object(process, 'LOG', self.folder / 'errors.log'))


class ProgramTest(Case):

    def start(self, source):
        started = program.Program('the echo', [sys.executable, '-c', source])
        self.addCleanup(started.stop)
        return started

    def test_greeting_and_answers(self):
        echo = self.start(ECHO)

        self.assertEqual('hello', echo.greeting)
        self.assertEqual(['add', 1, [2]], echo.ask('add', 1, [2]))

    def test_one_that_dies_is_one_sentence(self):
        with self.assertRaisesRegex(errors.ToolError,
                                    'the echo failed, its last words: alas'):
            self.start('import sys; sys.exit("alas")')

    def test_a_missing_program_is_one_sentence(self):
        with self.assertRaisesRegex(errors.ToolError,
                                    'expected the program no-such-program'):
            program.Program('it', ['no-such-program'])

    def test_one_that_hangs_is_one_sentence_and_ends_with_its_child(self):
        hanging = self.start(HANGS)
        with mock.patch.object(program, 'ANSWER_SECONDS', 0.2), \
                self.assertRaisesRegex(errors.ToolError, 'did not answer'):
            hanging.ask('anything')
        with mock.patch.object(program, 'STOP_SECONDS', 0.2):
            hanging.stop()

        wait_for('the end of its child',
                 lambda: self.assertFalse(_runs(hanging.greeting)), 5)


@ddt.ddt
class SiteTest(Case):

    def site(self, mode='threads', tree=None):
        return self.enterContext(program.Site(
            'file', f'file://{self.locks}', mode, tree or self.folder))

    @ddt.data(('eventlet', True), ('threads', False))
    @ddt.unpack
    def test_a_worker_on_the_series_in_the_mode(self, mode, patched):
        worker = self.site(mode).patched()

        self.assertEqual(['shared', 'exclusive'], worker.greeting)
        self.assertEqual(patched, (self.locks / 'patched').exists())

    def test_a_worker_on_released_tooz_beside_its_peers(self):
        worker = self.site().released()

        self.assertEqual(
            ['tooz', 'fasteners_read', 'fasteners_write', 'filelock'],
            worker.greeting)
        for lock in worker.greeting:
            self.assertGreater(worker.ask('seconds', lock, 3), 0)
        self.assertTrue((self.locks / 'tooz').exists())

    def test_another_tooz_than_expected_is_an_error(self):
        empty = self.folder / 'empty'

        with self.assertRaisesRegex(
                errors.ToolError, f'expected tooz with the series in {empty}'):
            self.site(tree=empty).patched()

    def test_the_proxy_stands_before_the_server(self):
        site = program.Site('redis', 'redis://here:7', 'threads', self.folder)
        with site:
            self.assertEqual(8, site.proxy().greeting)


@ddt.ddt
class ServerTest(Case):

    def test_it_ends_with_the_context(self):
        with program.server('file') as url:
            folder = parse.urlsplit(url).path
            self.assertTrue(os.path.isdir(folder))

        self.assertFalse(os.path.exists(folder))

    @ddt.data(('redis://localhost:1', 'redis://localhost:1'),
              ('etcd://localhost:1',
               'etcd3+http://localhost:1?api_version=v3beta'))
    @ddt.unpack
    def test_tooz_calls_it(self, url, expected):
        self.assertEqual(expected, program.coordination_url(url))

    @ddt.data(('redis://:secret@127.0.0.1:1?timeout=3',
               'redis://:secret@127.0.0.1:2?timeout=3'),
              ('etcd3+http://127.0.0.1:1?a=1&b=2',
               'etcd3+http://127.0.0.1:2?a=1&b=2'))
    @ddt.unpack
    def test_only_the_port_changes(self, url, expected):
        self.assertEqual(expected, program.with_port(url, 2))


def _runs(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
