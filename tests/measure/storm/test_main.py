# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import pathlib
import unittest
from unittest import mock

import ddt

from tests.measure.storm import made_up
from tests import temporary
from tools.common import errors
from tools.measure.storm import __main__ as storm_main

TREES = ['--upstream', 'one', '--patched', 'two']


@ddt.ddt
class ArgumentsTest(unittest.TestCase):

    def test_defaults(self):
        args = storm_main.parse(TREES)

        self.assertEqual((16, 2, 'snapshot', False),
                         (args.creates, args.seconds, args.source,
                          args.threads))
        self.assertEqual(pathlib.Path('build/storm'), args.output)

    @ddt.data(
        ([], '--upstream'),
        (['--upstream', 'one'], '--patched'),
        ([*TREES, '--creates', '0'], '--creates'),
        ([*TREES, '--creates', '1.5'], '--creates'),
        ([*TREES, '--seconds', '-1'], '--seconds'),
        ([*TREES, '--seconds', 'nan'], '--seconds'),
        ([*TREES, '--seconds', 'inf'], '--seconds'),
        ([*TREES, '--source', 'image'], '--source'),
        ([*TREES, '--fast'], '--fast'),
    )
    @ddt.unpack
    def test_what_is_wrong_is_named(self, arguments, named):
        stderr = io.StringIO()

        with contextlib.redirect_stderr(stderr), \
                self.assertRaises(SystemExit) as ended:
            storm_main.parse(arguments)

        self.assertEqual(2, ended.exception.code)
        self.assertIn(named, stderr.getvalue().splitlines()[-1])


@ddt.ddt
class MainTest(unittest.TestCase):

    def setUp(self):
        self.directory = temporary.folder(self)
        self.output = self.directory / 'out'

    def main(self, *arguments):
        """Return the exit status and what went to the standard error."""
        stderr = io.StringIO()
        with contextlib.redirect_stderr(stderr), \
                contextlib.redirect_stdout(io.StringIO()), \
                mock.patch('signal.signal'):
            status = storm_main.main([*TREES, '--output', str(self.output),
                                      *arguments])
        return status, stderr.getvalue()

    def runs(self, upstream, patched):
        runs = {'upstream': upstream, 'patched': patched}
        self.enterContext(mock.patch.object(
            storm_main, 'run_tree', lambda name, tree, args: runs[name]))

    def test_a_missing_tree_is_one_sentence(self):
        status, stderr = self.main()

        self.assertEqual(1, status)
        self.assertEqual(
            'error: expected upstream, a Cinder source tree, in one, it has '
            'no cinder/__init__.py\n', stderr)

    def test_an_environment_without_cinder_is_one_sentence(self):
        (self.directory / 'pyvenv.cfg').touch()
        status, stderr = self.main('--upstream', str(self.directory))

        self.assertEqual(1, status)
        self.assertEqual(
            'error: expected upstream, an installed Cinder, in %s, it has no '
            'bin/python\n' % self.directory, stderr)

    def test_a_failing_cloud_names_its_log_and_leaves_no_report(self):
        with mock.patch.object(storm_main, 'NEEDED', ()), \
                mock.patch('tools.measure.storm.process.running',
                           side_effect=errors.ToolError('no luck')):
            status, stderr = self.main()

        self.assertEqual(1, status)
        self.assertEqual(
            'error: upstream tree: no luck; the service log is %s'
            % (self.output / 'upstream.log'), stderr.splitlines()[-1])
        self.assertEqual([], list(self.output.iterdir()))

    def test_an_output_that_cannot_be_is_one_sentence(self):
        self.output.write_text('a file')

        status, stderr = self.main()

        self.assertEqual(1, status)
        self.assertEqual(1, len(stderr.splitlines()), stderr)

    def test_a_faultless_patched_tree_is_success(self):
        upstream = made_up.run('upstream')
        upstream.storm.creates[0].checksum = 'bad'
        self.runs(upstream, made_up.run('patched'))

        status, _stderr = self.main()

        self.assertEqual(0, status)
        self.assertTrue((self.output / 'report.html').exists())

    @ddt.data('checksum', 'status', 'violation')
    def test_a_fault_of_the_patched_tree_is_failure(self, fault):
        patched = made_up.run('patched')
        if fault == 'checksum':
            patched.storm.creates[0].checksum = 'bad'
        elif fault == 'status':
            patched.storm.creates[0].status = 'error'
        else:
            patched.delete.begin = 101.0
        self.runs(made_up.run('upstream'), patched)

        status, stderr = self.main()

        self.assertEqual(1, status)
        self.assertRegex(stderr.splitlines()[-1], '^error: patched tree: ')
        self.assertTrue((self.output / 'report.html').exists())
