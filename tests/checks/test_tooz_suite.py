# SPDX-License-Identifier: Apache-2.0

"""How tooz's suite is run."""

import dataclasses
import os
from unittest import mock

import ddt
import testtools

from tests import temporary
from tools.checks import results
from tools.checks import tooz_suite
from tools.common import errors

TEST = '''\
import os
import sys
import unittest


class ATest(unittest.TestCase):

    def test_url(self):
        self.assertIn('file://', os.environ['TOOZ_TEST_URL'])

    def test_eventlet(self):
        self.assertIn('eventlet', sys.modules)

    def test_shared(self):
        self.skipTest('not implemented')

    def test_other(self):
        self.skipTest('not implemented')
'''
OTHER = '''\
import unittest


class OtherTest(unittest.TestCase):

    def test_shared(self):
        self.skipTest('This is for another driver')
'''
FILES = {'tooz/__init__.py': '', 'tooz/tests/__init__.py': '',
         'tooz/tests/test_a.py': TEST, 'tooz/tests/test_kubernetes.py': TEST,
         'tooz/tests/drivers/__init__.py': '',
         'tooz/tests/drivers/test_other.py': OTHER,
         'tooz/tests/drivers/test_redis_lock.py': OTHER}


@ddt.ddt
class RunTest(testtools.TestCase):

    def run_on_files(self, pattern, threads):
        return tooz_suite.run(temporary.folder(self, FILES), FILES, pattern,
                              threads)

    def test_a_test_of_shared_locks_must_not_be_skipped(self):
        result = self.run_on_files('file:', False)
        self.assertEqual(
            (2, ('file:tooz.tests.test_a.ATest.test_shared: skip',), 2),
            (result.passed, result.failed, len(result.skipped)))

    def test_native_threads_do_without_eventlet(self):
        result = self.run_on_files('file: test_eventlet', True)
        self.assertEqual(
            ('file:tooz.tests.test_a.ATest.test_eventlet: fail',),
            result.failed)

    @ddt.data(('', True), ('all', False))
    @ddt.unpack
    def test_drivers_without_a_server_are_skipped_unless_asked_for(
            self, servers, skipped):
        found = ('redis:all: ', 'sentinel:all: ')
        with (mock.patch.object(tooz_suite, 'within', lambda *_: ['false']),
              mock.patch.dict(os.environ, CINDER_TEST_SERVERS=servers)):
            result = self.run_on_files('redis|sentinel:test_url', True)
        self.assertEqual(
            results.Result(0, skipped=tuple(
                f'{name}pifpaf cannot start its server' for name in found))
            if skipped else
            results.Result(0, tuple(f'{name}skip' for name in found)),
            dataclasses.replace(result, details=''))

    def test_a_driver_on_which_no_test_runs_fails(self):
        self.assertEqual(('file:all: fail',), self.run_on_files(
            'file:(?:test_nothing)', True).failed)

    def test_a_driver_that_is_unknown_is_told(self):
        error = self.assertRaises(
            errors.ToolError, self.run_on_files, 'file|redis5:', True)
        self.assertIn("zookeeper, found 'redis5'", str(error))


class WithinTest(testtools.TestCase):

    def test_each_server_gets_ports_of_its_own(self):
        command = tooz_suite.within('sentinel', 'folder')
        ports = [command[command.index(option) + 1]
                 for option in ('--port', '--sentinel-port')]
        self.assertEqual(2, len(set(ports)))
        self.assertEqual('--', command[-1])
