# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import json
import unittest

from tests.cloud.faults.histories import create
from tests.cloud.faults.histories import delete
from tests.cloud.faults.histories import history
from tests.cloud import made_up
from tools.cloud.faults import report
from tools.cloud.faults import validate


class ReportTest(unittest.TestCase):

    def setUp(self):
        self.run_ = history(
            create(), create(seen=[[2, 'error']], volume_id='b'),
            create(outcome='refused', volume_id=None, seen=[]),
            create(outcome='failed', volume_id=None, seen=[]),
            delete(), delete(outcome='refused'),
            create(fault='other'),
            stuck=[['volume', 'source', 'deleting']])

    def test_each_fault_has_its_own(self):
        row, = report.figures(self.run_, validate.check(self.run_))

        self.assertEqual({
            'fault': 'quake', 'creates': 4, 'available': 1, 'refused': 1,
            'errors': 2, 'before': 2, 'by delete': 0, 'by fault': 1,
            'deletes': 2, 'deletes refused': 1,
            'lost': 0, 'violations': 1, 'seconds': 9}, row)

    def test_failures_by_the_fault_are_listed(self):
        said = io.StringIO()
        report.print_failures(self.run_, said)

        self.assertEqual('   1 in error by the fault: quake, host None, '
                         'no copy: no message\n', said.getvalue())

    def test_the_report_has_all(self):
        violations = validate.check(self.run_)
        rows = report.figures(self.run_, violations)
        said = io.StringIO()
        report.print_table(rows, said)
        with contextlib.redirect_stdout(said):
            report.print_violations(self.run_, violations)
        self.assertIn('quake', said.getvalue())
        self.assertIn('violation of "stuck": volume source is deleting',
                      said.getvalue())
        self.assertIn('client: delete of source sent', said.getvalue())
        path = made_up.folder(self) / 'found.json'
        report.write(path, {'seed': 5}, self.run_, rows, violations)
        found = json.loads(path.read_text())

        self.assertEqual(5, found['facts']['seed'])
        self.assertEqual('stuck', found['violations'][0]['rule'])
        self.assertEqual(7, len(found['records']['operations']))
