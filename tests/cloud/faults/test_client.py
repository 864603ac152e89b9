# SPDX-License-Identifier: Apache-2.0

import types
import unittest
from unittest import mock

from tools.cloud.faults import client
from tools.cloud.faults import records
from tools.common.errors import ToolError


class APIError(Exception):
    """What the made-up API raises.

    :param status_code: HTTP status as an integer, None for no answer
    """

    def __init__(self, status_code=None):
        super().__init__(f'status\n{status_code}')
        self.status_code = status_code


class ClientTest(unittest.TestCase):

    def setUp(self):
        self.volumes = mock.Mock()
        self.client = client.Client(self.volumes, (APIError,))

    def create(self, *answers):
        operation = records.Operation('quake', 'create', 'source', 'copy')
        self.volumes.create_volume.side_effect = answers
        self.client.create(operation, 'snapshot')
        return operation

    def test_an_accepted_create_has_its_volume(self):
        operation = self.create(types.SimpleNamespace(id='a'))

        self.assertEqual(('accepted', 'a', ''), (
            operation.outcome, operation.volume_id, operation.told))
        self.assertLessEqual(operation.invoked, operation.answered)
        self.volumes.create_volume.assert_called_once_with(
            size=1, name='copy', snapshot_id='source')

    def test_what_the_api_does_not_accept_is_refused_or_failed(self):
        for status, outcome in ((400, 'refused'), (404, 'refused'),
                                (500, 'failed'), (None, 'failed')):
            operation = self.create(APIError(status))

            self.assertEqual((outcome, f'status {status}', None), (
                operation.outcome, operation.told, operation.volume_id))
            self.assertIsNotNone(operation.answered)

    def test_each_volume_has_its_messages(self):
        def message(volume, when, text):
            return types.SimpleNamespace(resource_uuid=volume,
                                         created_at=when, user_message=text)
        self.volumes.messages.return_value = [
            message('a', '2', 'later'), message('a', '1', 'first'),
            message('b', '1', 'other')]

        self.assertEqual({'a': ['first', 'later'], 'b': ['other']},
                         self.client.messages())

    def test_the_host_of_a_volume_is_that_of_its_backend(self):
        self.volumes.volumes.return_value = [
            types.SimpleNamespace(id='a', host='one@copying#copying'),
            types.SimpleNamespace(id='b', host=None)]

        self.assertEqual({'a': 'one', 'b': None}, self.client.hosts())

    def test_it_insists_until_the_api_is_up_again(self):
        with mock.patch('tenacity.nap.time.sleep'):
            self.assertEqual('answer', self.client.insist(mock.Mock(
                side_effect=[APIError(503), APIError(), 'answer'])))

    def test_a_refusal_is_not_tried_again(self):
        function = mock.Mock(side_effect=APIError(404))

        with self.assertRaisesRegex(ToolError, 'API: status\n404'):
            self.client.insist(function)
        function.assert_called_once_with()
