# SPDX-License-Identifier: Apache-2.0

import types
import unittest
from unittest import mock

from tools.cloud import statuses
from tools.common.errors import ToolError


class ForAllTest(unittest.TestCase):

    def test_it_goes_on_until_all_have_the_status(self):
        looks = iter([{'a': 'creating', 'b': 'creating'},
                      {'a': 'available', 'b': 'creating'},
                      {'a': 'available', 'b': 'available'}])

        statuses.for_all(['a', 'b'], 'available', lambda: next(looks), 10)

        self.assertEqual([], list(looks))

    def test_what_is_not_listed_is_gone(self):
        statuses.for_all(['a'], statuses.GONE, lambda: {'b': 'error'}, 0)

    def test_an_error_ends_the_wait(self):
        look = mock.Mock(return_value={'a': 'available', 'b': 'error'})

        with self.assertRaisesRegex(
                ToolError, '^expected all to be available, found b error$'):
            statuses.for_all(['a', 'b'], 'available', look, 10)
        look.assert_called_once_with()

    def test_a_failed_look_is_tried_again(self):
        look = mock.Mock(side_effect=[OSError(), {'a': 'available'}])

        statuses.for_all(['a'], 'available', look, 10)

        self.assertEqual(2, look.call_count)

    def test_it_tells_which_status_stayed(self):
        with self.assertRaisesRegex(ToolError, 'status gone.*: found a dele'):
            statuses.for_all(['a'], statuses.GONE,
                             lambda: {'a': 'deleting'}, 0.1)


class Listing:
    """Lists by status what has it; each answer is given once.

    :param answers: list of dicts of id -> status, the last one stays
    """

    def __init__(self, *answers):
        self._answers = list(answers)
        self.asked = []

    def __call__(self, details, status):
        self.asked.append(status)
        found = self._answers[0]
        if len(self._answers) > 1:
            del self._answers[0]
        return [types.SimpleNamespace(id=one) for one in found
                if found[one] == status]


class ForChangeTest(unittest.TestCase):

    def test_one_question_is_for_all_of_a_status(self):
        left = {f'volume-{number}': 'creating' for number in range(8)}
        listing = Listing({})

        changed = statuses.for_change(left, listing, 10)

        self.assertEqual(['creating'], listing.asked)
        self.assertEqual(set(left), set(changed))

    def test_each_has_the_time_of_its_own_change(self):
        listing = Listing({'a': 'creating', 'b': 'creating'},
                          {'b': 'creating'}, {'b': 'available'})

        changed = statuses.for_change({'a': 'creating', 'b': 'creating'},
                                      listing, 10)

        self.assertLess(changed['a'], changed['b'])

    def test_what_never_changes_is_told(self):
        with self.assertRaisesRegex(ToolError, '1 of 2 are still creating'):
            statuses.for_change({'a': 'creating', 'b': 'creating'},
                                Listing({'a': 'creating'}), 0.1)
