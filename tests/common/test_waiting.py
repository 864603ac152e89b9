# SPDX-License-Identifier: Apache-2.0

import unittest
from unittest import mock

from tools.common.errors import ToolError
from tools.common.waiting import wait_for


class WaitTest(unittest.TestCase):

    def test_the_result_is_returned(self):
        attempts = iter([ValueError(), 'answer'])

        def attempt():
            found = next(attempts)
            if isinstance(found, Exception):
                raise found
            return found
        self.assertEqual('answer', wait_for('it', attempt, 10))

    def test_what_does_not_get_better_is_not_tried_again(self):
        attempt = mock.Mock(side_effect=ToolError('dead'))

        with self.assertRaisesRegex(ToolError, '^dead$'):
            wait_for('it', attempt, 10)
        attempt.assert_called_once_with()

    def test_an_interrupt_ends_the_waiting(self):
        attempt = mock.Mock(side_effect=KeyboardInterrupt)

        with self.assertRaises(KeyboardInterrupt):
            wait_for('it', attempt, 10)
        attempt.assert_called_once_with()

    def test_the_last_failure_is_told_when_time_is_over(self):
        attempt = mock.Mock(side_effect=ValueError('not yet'))

        with self.assertRaisesRegex(
                ToolError, '^waited in vain for it, 0.2 seconds: not yet$'):
            wait_for('it', attempt, 0.2)
