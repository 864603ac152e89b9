# SPDX-License-Identifier: Apache-2.0

import io
import json
import re
import unittest

from tests.measure.storm import made_up
from tests import temporary
from tools.measure.storm import figures
from tools.measure.storm import report

FACTS = {
    'command': 'python -m tools.measure.storm --output <here>', 'cores': 2,
    'machine': 'Linux', 'concurrency': 'eventlet', 'source': 'snapshot',
    'creates': 4, 'create_seconds': 2.0, 'date': '2026-11-22 12:00 UTC',
}
# What makes a browser load something: an attribute, a style, a DTD.
LOADS = re.compile(r'''(?:src|href|data|action)\s*=\s*["']?\s*(?!\#)[^"'\s>]+
                       |url\(\s*["']?(?!\#) | @import | <script | <link
                       | DTD''', re.VERBOSE)


class ReportTest(unittest.TestCase):

    def setUp(self):
        self.directory = temporary.folder(self)
        self.runs = [made_up.run('upstream'), made_up.run('patched')]
        self.runs[0].storm.creates[0].checksum = 'bad'
        self.columns = [figures.figures(run) for run in self.runs]

    def write(self):
        report.write(self.directory, self.runs, self.columns, FACTS)

    def read(self, name):
        return (self.directory / name).read_text(encoding='utf-8')

    def test_three_files_and_nothing_else(self):
        self.write()

        self.assertEqual(
            ['chart.svg', 'report.html', 'report.json'],
            sorted(path.name for path in self.directory.iterdir()))

    def test_the_pattern_finds_what_would_be_loaded(self):
        for text in ('<img src="https://example.org/a.png">',
                     '<a href=http://example.org>', '<script>',
                     'background: url(https://example.org/a.png)',
                     '<image xlink:href="a.png"/>'):
            self.assertRegex(text, LOADS)
        self.assertNotRegex('<use xlink:href="#a"/> url(#b)', LOADS)

    def test_html_and_chart_load_nothing(self):
        self.write()

        for name in ('report.html', 'chart.svg'):
            found = LOADS.search(self.read(name))
            self.assertIsNone(found, '%s: %s' % (name, found))

    def test_html_tells_figures_problems_and_command(self):
        self.write()

        html = self.read('report.html')
        self.assertIn('<svg', html)
        self.assertIn('upstream: 1 of 4 copies have a wrong checksum.', html)
        self.assertNotIn('patched: ', re.sub('<svg.*</svg>', '', html,
                                             flags=re.DOTALL))
        self.assertIn('--output &lt;here&gt;', html)
        self.assertIn('2 cores', html)
        self.assertIn('29.0.0', html)
        for label, *_cells in figures.rows(self.columns):
            self.assertIn(label, html.replace('&#39;', "'"))

    def test_json_holds_figures_and_raw_times(self):
        self.write()

        told = json.loads(self.read('report.json'))
        self.assertEqual(FACTS, told['facts'])
        patched = told['trees']['patched']
        self.assertEqual(1.25, patched['figures']['ratio'])
        self.assertEqual(101.0, patched['raw']['storm']['creates'][0]['begin'])
        self.assertEqual(104.25, patched['raw']['delete']['begin'])

    def test_a_chart_without_a_driver_call(self):
        self.runs[0].storm.creates[0] = made_up.create(0, None, None, None,
                                                       'error')
        self.runs[0].delete.begin = None

        self.write()

        self.assertIn('</svg>', self.read('chart.svg'))

    def test_the_printed_table_has_a_column_per_tree(self):
        stream = io.StringIO()

        report.print_table(self.runs, self.columns, stream)

        table = stream.getvalue()
        self.assertRegex(table, 'upstream.*patched')
        self.assertRegex(table, 'checksums wrong +│ +1 +│ +0 ')
