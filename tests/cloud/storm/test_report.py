# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import json
import unittest

from tests.cloud import made_up
from tests.cloud.storm.made_up import result
from tools.cloud.storm import report


class ReportTest(unittest.TestCase):

    def test_a_report_is_for_people_and_programs(self):
        folder = made_up.folder(self)
        report.write(folder, [result('upstream', storm=9), result()],
                     {'command': 'x'})
        told = json.loads((folder / 'report.json').read_text())
        drawn = (folder / 'chart.svg').read_text()

        self.assertEqual([4.5, 1], [storm['ratio']
                                    for storm in told['storms']])
        self.assertIn('<svg', drawn)
        self.assertEqual({'command': 'x'}, told['facts'])
        self.assertEqual({'cinder-api': 1.5},
                         told['storms'][0]['storm']['spent'])

    def test_the_table_shows_both_trees(self):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            report.show([result('upstream', storm=9), result()])

        self.assertIn('4.50', said.getvalue())
        self.assertIn('1.00', said.getvalue())
