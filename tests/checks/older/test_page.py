# SPDX-License-Identifier: Apache-2.0

import docutils.core
import docutils.utils
import testtools

from tools.checks.older import page
from tools.checks.older import situations

FACTS = {'cores': 2, 'machine': 'secret-host', 'python': '3.11.2',
         'date': '2026-01-01 00:00 UTC'}


def row(version='1.0', situation='we read', **seen):
    return situations.Row('redis', version, situation, **seen)


class PageTest(testtools.TestCase):

    def test_docutils_has_no_complaint(self):
        text = page.page(
            [row(situation=situation, refused=1, wrong=['alas'])
             for situation in situations.TITLES], FACTS)
        docutils.core.publish_doctree(
            text, settings_overrides={'report_level': docutils.utils.Reporter.
                                      WARNING_LEVEL, 'halt_level': 2})
        self.assertNotIn('secret-host', text)

    def test_it_tells_releases_and_servers(self):
        text = page.page([row(), row('2.0', wrong=['alas']),
                          row('2.0', 'storm', written=3)], FACTS)
        self.assertIn('tooz 1.0, 2.0, on redis. In 3 cases there were 1',
                      text.replace('\n', ' '))

    def test_a_cell_adds_up_all_releases(self):
        self.assertEqual('5 refused, had it after 0.50 s', page.cell(
            [row(refused=2, seconds=0.5), row('2.0', refused=3, seconds=0.1)]))

    def test_a_violation_names_its_release(self):
        self.assertEqual('**tooz 2.0: alas**', page.cell(
            [row(refused=2), row('2.0', refused=3, wrong=['alas'])]))

    def test_a_storm_tells_how_often_it_wrote(self):
        self.assertEqual('written 3 times, no violation',
                         page.cell([row('2.0', 'storm', written=3)]))

    def test_a_situation_that_was_not_tried(self):
        self.assertEqual('none', page.cell([]))
