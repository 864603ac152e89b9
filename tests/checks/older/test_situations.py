# SPDX-License-Identifier: Apache-2.0

from concurrent import futures
from unittest import mock

import testtools

from tests.checks.older import made_up
from tools.checks.older import situations
from tools.common import errors


class RunTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.enterContext(mock.patch.multiple(
            situations, PAUSE=0.01, MARGIN=0.1))

    def rows(self, **damage):
        return [row for rows in situations.run(made_up.site(**damage))
                for row in rows]

    def wrong(self, **damage):
        """Return the situations with violations, and the sentences."""
        return {row.situation: row.wrong for row in self.rows(**damage)
                if row.wrong}

    def test_locks_that_exclude_each_other_are_right(self):
        rows = self.rows()
        self.assertEqual([], [row for row in rows if row.wrong])
        self.assertEqual(2 * (len(situations.TITLES) - 1), len(rows))
        for row in rows:
            self.assertTrue(row.refused or row.written, row)
            self.assertIsNotNone(row.seconds, row)

    def test_readers_that_an_older_one_does_not_see_are_wrong(self):
        wrong = self.wrong(seen=False)
        self.assertEqual(
            {'we read', 'paused alone',
             *(f'{end} {which}' for end in ('killed', 'paused')
               for which in ('first', 'second', 'last'))}, set(wrong))
        self.assertIn('tooz 2.0 gets it beside a holder', wrong['we read'])
        self.assertIn('who waits gets it beside a holder', wrong['we read'])

    def test_a_count_that_is_spoilt_is_wrong(self):
        sentence, met = self.wrong(spoils=True)['storm']
        self.assertRegex(sentence, r'^expected \d+ after \d+ writers, found')
        self.assertEqual('1 readers saw somebody write', met)


class RowTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.row = situations.Row('redis', '1.0', 'restart')
        self.locker = made_up.site().olders['1.0']

    def test_each_thing_is_told_once(self):
        made_up_locks = made_up.Locks(seen=False)
        ours = made_up.Locker('ours', made_up_locks, False)
        older = made_up.Locker('older', made_up_locks, True)
        self.row.hold(ours)
        for _number in range(2):
            self.row.refuse(older)
        self.assertEqual(['older gets it beside a holder'], self.row.wrong)

    def test_a_lock_that_is_lost_is_told(self):
        self.row.is_held(self.locker)
        self.assertEqual(['tooz 1.0 has lost it'], self.row.wrong)

    def test_who_believes_in_a_lock_is_told(self):
        self.row.hold(self.locker, False)
        self.row.is_held(self.locker, False)
        self.assertEqual(['tooz 1.0 believes in it'], self.row.wrong)

    def test_a_lock_that_nobody_gets_is_told(self):
        with mock.patch.object(situations, 'PATIENCE', 0.01):
            error = self.assertRaises(
                errors.ToolError, self.row.give, futures.Future(), 0)
        self.assertIn('redis, restart: tooz 1.0', str(error))
