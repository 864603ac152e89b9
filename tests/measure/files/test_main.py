# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import json
import pathlib
import tempfile
import unittest
from unittest import mock

import ddt

from tests.measure.files import made_up
from tools.common import errors
from tools.measure.files import __main__ as bench_main


@ddt.ddt
class MainTest(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.tree = pathlib.Path(directory.name, 'tree')
        self.output = pathlib.Path(directory.name, 'out')
        for path in bench_main.NEEDED:
            (self.tree / path).parent.mkdir(parents=True, exist_ok=True)
            (self.tree / path).touch()

    def main(self, run):
        """Return the exit status and the lines of stdout and stderr."""
        stdout, stderr = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(stdout), \
                contextlib.redirect_stderr(stderr), \
                mock.patch('signal.signal'), \
                mock.patch('tools.measure.files.process.run',
                           lambda tree, mode, measure: run(mode, measure)):
            status = bench_main.main(['--tree', str(self.tree),
                                      '--output', str(self.output)])
        return (status, stdout.getvalue().splitlines(),
                stderr.getvalue().splitlines())

    def test_all_bounds_kept_is_success(self):
        status, stdout, stderr = self.main(made_up.Run())

        self.assertEqual(0, status)
        self.assertEqual('12 passed, 0 failed', stdout[-1])
        self.assertEqual(8, len(stderr))
        self.assertTrue(json.loads((self.output / 'locks.json').read_text()))

    @ddt.data(
        ('uncontended', 'read_tooz', 1), ('uncontended', 'read_fasteners', 1),
        ('system_calls', 'read_calls', 3), ('crowd', 'reader', 3),
        ('hand_over', 'writer_inside', 30),
        ('hand_over', 'writer_between', 30))
    @ddt.unpack
    def test_a_missed_bound_is_failure(self, measure, key, value):
        status, stdout, _stderr = self.main(made_up.Run(
            {('eventlet', measure): [{key: value}]}))

        self.assertEqual(1, status)
        self.assertEqual('11 passed, 1 failed', stdout[-1])
        self.assertRegex(stdout[-2], '^FAILED: .* on eventlet is %d' % value)
        self.assertTrue((self.output / 'locks.json').exists())

    @ddt.data(*bench_main.NEEDED)
    def test_a_bad_tree_is_one_sentence(self, missing):
        (self.tree / missing).unlink()
        run = made_up.Run()

        status, stdout, stderr = self.main(run)

        self.assertEqual((1, [], []), (status, stdout, run.asked))
        self.assertEqual(
            ['bench: expected a Cinder source tree with the series in %s, it '
             'has no %s' % (self.tree, missing)], stderr)
        self.assertFalse(self.output.exists())

    def test_an_output_that_cannot_be_is_one_sentence(self):
        self.output.write_text('a file')
        run = made_up.Run()

        status, stdout, stderr = self.main(run)

        self.assertEqual((1, [], []), (status, stdout, run.asked))
        self.assertEqual(1, len(stderr), stderr)

    @ddt.data((errors.ToolError('no luck'), 'bench: no luck'),
              (KeyboardInterrupt(), 'bench: interrupted'))
    @ddt.unpack
    def test_no_result_is_one_sentence(self, error, sentence):
        status, stdout, stderr = self.main(mock.Mock(side_effect=error))

        self.assertEqual((1, []), (status, stdout))
        self.assertEqual(sentence, stderr[-1])
        self.assertEqual([], list(self.output.iterdir()))

    def test_tree_is_required(self):
        with contextlib.redirect_stderr(io.StringIO()) as stderr, \
                self.assertRaises(SystemExit) as ended:
            bench_main.parse([])

        self.assertEqual(2, ended.exception.code)
        self.assertIn('--tree', stderr.getvalue())
