# SPDX-License-Identifier: Apache-2.0

import io
import json
import re
import unittest

from tests.measure.locks import made_up
from tests import temporary
from tools.measure.locks import backends
from tools.measure.locks import report


class ReportTest(unittest.TestCase):

    def setUp(self):
        self.path = temporary.folder(self) / 'locks.json'
        self.lines = made_up.lines({('eventlet', 'file', 'reader'): 1234.5})

    def test_tables_fit_a_terminal_and_tell_failures(self):
        stream = io.StringIO()
        report.print_tables(self.lines, stream)
        rows = [row.rstrip() for row in stream.getvalue().splitlines()]
        heads = [re.split(r'(?<=\S) {2,}(?=[0-9e])', row)[0] for row in rows
                 if not row.startswith('─')]

        self.assertLessEqual(max(map(len, rows)), 79)
        self.assertEqual([line.figure.title for line in self.lines],
                         [head for head in heads
                          if head not in backends.BACKENDS])
        self.assertEqual(list(backends.BACKENDS),
                         [head for head in heads if head in backends.BACKENDS])
        crowd = [row for row in rows if row.strip().startswith('reader 901')]
        self.assertRegex(crowd[0], r'1234.50 x +1.50 x +<= 1.5 +7 +FAILED$')
        self.assertEqual(1, sum('FAILED' in row for row in rows))
        self.assertEqual(
            sum(line.figure.bound is not None for line in self.lines) - 1,
            sum(row.endswith(' ok') for row in rows))

    def test_json_has_every_figure(self):
        report.write(self.path, self.lines, {'cores': 2})

        told = json.loads(self.path.read_text())
        self.assertEqual({'cores': 2}, told['facts'])
        self.assertEqual(len(self.lines), len(told['figures']))
        crowd = [one for one in told['figures'] if one['key'] == 'reader'][0]
        self.assertEqual(['eventlet'], crowd['failed'])
        self.assertEqual(1234.5, crowd['values']['eventlet'])
