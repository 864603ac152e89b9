# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import json
import unittest
from unittest import mock

import ddt

from tests.measure.locks import made_up
from tests import temporary
from tools.common import cli
from tools.common import errors
from tools.measure.locks import __main__ as locks_main
from tools.measure.locks import measures
from tools.measure.locks import program


@ddt.ddt
class MainTest(unittest.TestCase):

    def setUp(self):
        self.folder = temporary.folder(self)
        self.output = self.folder / 'out'
        self.asked = []

    def main(self, *args, told=None, error=None):
        """Return the exit status and the lines of stdout and stderr."""
        made_up_run = made_up.Run(told)

        @contextlib.contextmanager
        def server(name):
            if error:
                raise error
            yield f'url of {name}'

        @contextlib.contextmanager
        def site(name, url, mode, tree):
            self.assertEqual('tree', tree)
            yield name, url, mode

        def measure(name):
            def run(site):
                backend, url, mode = site
                self.asked.append((mode, f'{backend}.{name}', url))
                return made_up_run(mode, f'{backend}.{name}')

            return run

        stdout, stderr = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(stdout), \
                contextlib.redirect_stderr(stderr), \
                mock.patch('signal.signal'), \
                mock.patch('tools.series.tree.build', return_value='tree'), \
                mock.patch.object(program, 'server', server), \
                mock.patch.object(program, 'Site', site), \
                mock.patch.dict(measures.MEASURES, {
                    name: measure(name) for name in measures.MEASURES}):
            status = cli.run(locks_main.measure, locks_main.parse([
                '--output', str(self.output), *args]))
        return (status, stdout.getvalue().splitlines(),
                stderr.getvalue().splitlines())

    def test_all_bounds_kept_is_success(self):
        status, stdout, stderr = self.main()

        self.assertEqual(0, status)
        self.assertRegex(stdout[-1], '^[0-9]+ passed, 0 failed$')
        self.assertEqual(2 * (4 + 3 * 5), len(stderr))
        self.assertIn(('threads', 'redis.trips', 'url of redis'), self.asked)
        self.assertTrue(json.loads((self.output / 'locks.json').read_text()))
        self.assertEqual(1, len(list(self.output.iterdir())))

    def test_the_page_and_its_chart_are_written_where_they_should(self):
        page = self.output / 'page'
        self.main('--backend', 'redis', '--page', str(page))

        self.assertEqual({'locks.rst', 'locks.svg'},
                         {path.name for path in page.iterdir()})

    @ddt.data(('file', 'shared_tooz', 1), ('file', 'reader', 3),
              ('file', 'writer_inside', 30), ('etcd3gw', 'shared_acquire', 2),
              ('etcd3gw', 'exclusive_tooz', 0.7), ('redis', 'shared_tooz', 2),
              ('redis', 'exclusive_release', 2),
              ('zookeeper', 'shared_kazoo_read', 2),
              ('zookeeper', 'writer_short', 30), ('redis', 'readers_64', 2))
    @ddt.unpack
    def test_a_missed_bound_is_failure(self, name, key, value):
        status, stdout, stderr = self.main(
            '--backend', name, told={('threads', name, key): value})

        self.assertEqual(1, status)
        self.assertRegex(stdout[-1], '^[0-9]+ passed, 1 failed$')
        self.assertRegex(stdout[-2], '^FAILED: %s: .* on threads is' % name)
        self.assertEqual('error: 1 bounds are missed', stderr[-1])
        self.assertTrue((self.output / 'locks.json').exists())

    def test_only_the_backends_that_are_asked_for(self):
        self.main('--backend', 'redis', '--backend', 'file')

        self.assertEqual({'url of redis', 'url of file'},
                         {url for *_others, url in self.asked})

    def test_an_output_that_cannot_be_is_one_sentence(self):
        self.output.write_text('a file')

        status, stdout, stderr = self.main()

        self.assertEqual((1, [], []), (status, stdout, self.asked))
        self.assertEqual(1, len(stderr), stderr)

    @ddt.data((errors.ToolError('no luck'), 1, 'error: no luck'),
              (KeyboardInterrupt(), 130, 'interrupted'))
    @ddt.unpack
    def test_no_result_is_one_sentence(self, error, expected, sentence):
        status, stdout, stderr = self.main(error=error)

        self.assertEqual((expected, [], [sentence]), (status, stdout, stderr))
        self.assertEqual([], list(self.output.iterdir()))
