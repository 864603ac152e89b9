# SPDX-License-Identifier: Apache-2.0

import re
import unittest

import docutils.core
import docutils.utils

from tests.measure.locks import made_up
from tools.measure.locks import page

FACTS = {'cores': 2, 'machine': 'secret-host', 'python': '3.11.2',
         'tooz': '9.1.0',
         'date': '2026-01-01 00:00 UTC'}


def row(text, *heads):
    """Return the other cells of the row that begins with some cells."""
    rows = [[cell.strip() for cell in re.split(r'\n     - ', part)]
            for part in re.split(r'\n   \* - ', text)]
    return [cells[len(heads):] for cells in rows
            if cells[:len(heads)] == list(heads)][0]


class PageTest(unittest.TestCase):

    def page(self, told=None, **options):
        return page.page(made_up.lines(told, **options), FACTS)

    def test_docutils_has_no_complaint(self):
        docutils.core.publish_doctree(
            self.page({('threads', 'redis', 'shared_tooz'): 3}),
            settings_overrides={'report_level': docutils.utils.Reporter.
                                WARNING_LEVEL, 'halt_level': 2})

    def test_all_goals_met(self):
        text = self.page()

        self.assertRegex(text, r'Of (\d+) goals, counted in both modes, \1 ')
        self.assertNotIn('**', text)
        self.assertNotIn('FAILED', text)

    def test_a_missed_goal_is_bold_and_told(self):
        text = self.page({('threads', 'etcd3gw', 'shared_tooz'): 0.9})

        self.assertIn('0.60 / **0.90** of released tooz',
                      row(text, 'etcd3+http', 'shared')[2])
        self.assertEqual(1, text.count('**0.90**'))
        self.assertIn('* FAILED: etcd3gw: shared / released tooz on threads',
                      text)

    def test_round_trips_of_acquire_and_release(self):
        text = self.page({('eventlet', 'zookeeper', 'shared_acquire'): 2,
                          ('eventlet', 'redis', 'shared_release'): 2})

        self.assertEqual('2 + 1 / 1 + 1',
                         row(text, 'zookeeper', 'shared')[1])
        self.assertEqual('**1 + 2 / 1 + 1**',
                         row(text, 'redis', 'shared')[1])
        self.assertEqual('1 + 1', row(text, 'redis', 'exclusive')[1])
        self.assertEqual('none', row(text, 'file', 'shared')[1])

    def test_hand_over_and_throughput(self):
        text = self.page({('eventlet', 'file', 'readers_long'): 61.04,
                          ('threads', 'file', 'one_64'): 1234.4})

        hand_over, throughput = text.split('Many readers')
        self.assertEqual([*['20.0 / 20.0'] * 5, '**61.0** / 20.0'],
                         row(hand_over[hand_over.index('Hand-over\n'):],
                             'file'))
        self.assertEqual(['1 / 1', '1 / 1', '1 / 1234'],
                         row(throughput, 'file')[:3])

    def test_only_what_was_measured(self):
        text = self.page(names=['redis'])

        self.assertIn('* - redis', text)
        self.assertNotIn('etcd3+', text)

    def test_the_machine_has_no_name(self):
        self.assertNotIn('secret-host', self.page())
