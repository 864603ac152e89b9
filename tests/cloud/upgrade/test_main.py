# SPDX-License-Identifier: Apache-2.0

import unittest
from unittest import mock

from tools.cloud import layout
from tools.cloud.upgrade import __main__ as main


class MainTest(unittest.TestCase):

    def tried(self, *arguments):
        with mock.patch.object(main, 'upgrade', return_value=[]) as upgrade:
            self.assertEqual(0, main.run(
                main.PARSER.parse_args(arguments)))
        return [call.args[0] for call in upgrade.call_args_list]

    def test_both_servers_are_tried_unless_one_is_named(self):
        self.assertEqual(list(layout.SERVERS), self.tried())
        self.assertEqual(['etcd3'], self.tried('--coordination', 'etcd3'))
