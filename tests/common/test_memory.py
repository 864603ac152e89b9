# SPDX-License-Identifier: Apache-2.0

"""What is remembered, and what is not."""

from unittest import mock

import testtools

from tests import temporary
from tools.common import memory


class MemoryTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.folder = temporary.folder(self) / 'kept'
        self.make = mock.Mock(side_effect=[b'first', b'second'])

    def remember(self, *facts):
        return memory.remember(self.folder, facts, self.make)

    def test_the_same_is_not_made_again(self):
        self.assertEqual([b'first', b'first'],
                         [self.remember('a', 1), self.remember('a', 1)])

    def test_of_other_facts_it_is_made(self):
        self.assertEqual([b'first', b'second'],
                         [self.remember('a', 1), self.remember('a', 2)])

    def test_an_error_is_not_remembered(self):
        self.make.side_effect = [ValueError, b'second']
        self.assertRaises(ValueError, self.remember, 'a')
        self.assertEqual(b'second', self.remember('a'))

    def test_a_damaged_memory_does_not_count(self):
        self.remember('a')
        kept, = self.folder.iterdir()
        kept.write_bytes(b'damaged')
        self.assertEqual(b'second', self.remember('a'))
