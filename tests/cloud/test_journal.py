# SPDX-License-Identifier: Apache-2.0

import os
import threading
import unittest
from unittest import mock

from tests.cloud import made_up
from tools.cloud import journal


class JournalTest(unittest.TestCase):

    def setUp(self):
        self.path = made_up.folder(self) / 'journal'

    def test_no_journal_is_an_empty_one(self):
        self.assertEqual([], journal.read(self.path))

    def test_events_of_many_writers_are_whole_and_in_order(self):
        threads = [threading.Thread(target=lambda writer=writer: [
            made_up.note_call(self.path, f'{writer}-{number}' + 'x' * 200,
                              'begin')
            for number in range(50)]) for writer in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        self.assertEqual(200, len(journal.read(self.path)))

    def test_begin_and_end_of_a_call_are_put_together(self):
        for event in (('a', 'begin'), ('b', 'begin'), ('a', 'end')):
            made_up.note_call(self.path, *event)
        first, second = journal.read(self.path)

        self.assertEqual('a', first.resource_id)
        self.assertLessEqual(first.begin, second.begin)
        self.assertLessEqual(second.begin, first.end)
        self.assertIsNone(second.end)

    def test_a_call_that_fails_has_ended_too(self):
        with mock.patch.dict(os.environ, {journal.VARIABLE: str(self.path)}):
            with self.assertRaises(ValueError):
                with journal.calling('copy', 'a', 'source', 'one@copying'):
                    begun, = journal.read(self.path)
                    raise ValueError()
        ended, = journal.read(self.path)

        self.assertIsNone(begun.end)
        self.assertLessEqual(ended.begin, ended.end)
        self.assertEqual(
            ('copy', 'a', 'source', os.getpid(), 'one@copying'),
            (ended.operation, ended.resource_id, ended.source_id, ended.pid,
             ended.host))
