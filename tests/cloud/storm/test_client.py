# SPDX-License-Identifier: Apache-2.0

import unittest
from unittest import mock

from tests.cloud.storm.made_up import BlockStorage
from tests.cloud.storm.made_up import Volume
from tools.cloud.storm import client
from tools.common.errors import ToolError


class ClientTest(unittest.TestCase):

    def test_a_source_in_error_ends_the_storm(self):
        storage = BlockStorage(8)
        requests = client.Client(storage, 'copying', 8)
        storage.create_volume = mock.Mock(return_value=Volume(0, 'error'))
        storage._found['volume-0'] = Volume(0, 'error')

        with self.assertRaisesRegex(ToolError, 'found error'):
            requests.create_volumes(1)
