# SPDX-License-Identifier: Apache-2.0

import unittest

from tools.cloud.faults import records
from tools.cloud.faults import watch


class NoteTest(unittest.TestCase):

    def setUp(self):
        self.create = records.Operation(
            'quake', 'create', 'source', 'copy', 1, 2, 'accepted',
            volume_id='a')
        self.lost = records.Operation(
            'quake', 'create', 'source', 'lost', 1, 2)
        self.delete = records.Operation(
            'quake', 'delete', 'source', None, 1, 2, 'accepted')
        self.all = [self.create, self.lost, self.delete]

    def note(self, asked=3, **found):
        return watch.note(self.all, found, asked)

    def test_each_status_is_written_down_once(self):
        self.assertTrue(self.note(a=('copy', 'creating'),
                                  source=('', 'deleting')))
        self.assertFalse(self.note(a=('copy', 'creating'),
                                   source=('', 'deleting')))
        self.assertEqual(self.all[::2], watch.under_way(self.all))
        self.assertTrue(self.note(a=('copy', 'available')))

        self.assertEqual(['creating', 'available'],
                         [status for _time, status in self.create.seen])
        self.assertEqual(['deleting', 'gone'],
                         [status for _time, status in self.delete.seen])
        self.assertEqual([], watch.under_way(self.all))
        self.assertEqual('1 creates available, 1 creates failed, '
                         '1 deletes gone', watch.counts(self.all))

    def test_a_volume_whose_create_was_not_answered_is_found(self):
        self.note(a=('copy', 'creating'), b=('lost', 'available'))

        self.assertEqual('b', self.lost.volume_id)
        self.assertEqual('available', self.lost.status)

    def test_an_answer_after_the_question_is_not_judged_by_it(self):
        self.assertFalse(self.note(asked=1.5))
        self.assertEqual([], self.create.seen)

    def test_what_is_not_answered_is_under_way(self):
        self.create.answered = None

        self.assertEqual([self.create], watch.under_way(self.all))
