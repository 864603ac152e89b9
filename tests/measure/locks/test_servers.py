# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import sys
import types
import unittest
from unittest import mock

import fixtures

from tools.common import errors
from tools.measure.locks import servers


class Server(fixtures.Fixture):

    ended = False

    def _setUp(self):
        self.addCleanup(setattr, type(self), 'ended', True)

    def url(self):
        return 'memcached://here'


class Missing(fixtures.Fixture):

    def _setUp(self):
        raise RuntimeError('memcached is not installed')


class ServersTest(unittest.TestCase):

    def started(self, server, names):
        module = types.SimpleNamespace(MemcachedServer=server)
        for patch in (mock.patch.object(sys, 'path', list(sys.path)),
                      mock.patch.dict(os.environ),
                      mock.patch.object(servers.importlib, 'import_module',
                                        return_value=module)):
            self.enterContext(patch)
        return servers.started(pathlib.Path('tree'), names)

    def test_servers_end_with_the_context(self):
        with self.started(Server, ['file', 'memcached']) as urls:
            directory = urls['file'].removeprefix('file://')

            self.assertEqual('memcached://here', urls['memcached'])
            self.assertTrue(os.path.isdir(directory))
            self.assertFalse(Server.ended)

        self.assertTrue(Server.ended)
        self.assertFalse(os.path.exists(directory))

    def test_a_missing_server_is_one_sentence(self):
        with self.assertRaisesRegex(
                errors.ToolError,
                '^no server for memcached: memcached is not installed$'), \
                self.started(Missing, ['memcached']):
            self.fail('it started')
