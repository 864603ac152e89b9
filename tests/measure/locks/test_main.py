# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import pathlib
import tempfile
import unittest
from unittest import mock

import ddt

from tests.measure.locks import made_up
from tools.common import errors
from tools.measure.locks import __main__ as locks_main
from tools.measure.locks import servers


@ddt.ddt
class MainTest(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.tree = pathlib.Path(directory.name, 'tree')
        self.output = pathlib.Path(directory.name, 'out')
        for path in locks_main.NEEDED:
            (self.tree / path).parent.mkdir(parents=True, exist_ok=True)
            (self.tree / path).touch()
        self.asked = []

    def main(self, *args, told=None, error=None):
        """Return the exit status and the lines of stdout and stderr."""
        @contextlib.contextmanager
        def started(tree, names):
            if error:
                raise error
            yield {name: 'url of ' + name for name in names}

        def run(tree, mode, measure, url, module):
            self.asked.append((mode, measure, url, module))
            return made_up.result(mode, measure, told)

        stdout, stderr = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(stdout), \
                contextlib.redirect_stderr(stderr), \
                mock.patch('signal.signal'), mock.patch('logging.getLogger'), \
                mock.patch('tools.measure.files.process.run', run), \
                mock.patch.object(servers, 'started', started):
            status = locks_main.main(['--tree', str(self.tree), '--output',
                                      str(self.output), *args])
        return (status, stdout.getvalue().splitlines(),
                stderr.getvalue().splitlines())

    def test_all_goals_met_is_success(self):
        status, stdout, stderr = self.main()

        self.assertEqual(0, status)
        self.assertRegex(stdout[-1], '^[0-9]+ passed, 0 failed$')
        self.assertEqual(2 * (6 * 4 - 1), len(stderr))
        self.assertIn(('threads', 'redis.trips', 'url of redis',
                       'tools.measure.locks.child'), self.asked)
        self.assertEqual({'rwlock-benchmark.rst', 'rwlock-benchmark.svg'},
                         {path.name for path in self.output.iterdir()})

    @ddt.data(('etcd3', 'read_acquire', 2), ('etcd3', 'read_tooz', 0.7),
              ('redis', 'write_tooz', 1.3), ('memcached', 'readers_long', 80),
              ('zookeeper', 'read_kazoo_read', 1.4),
              ('postgresql', 'readers_64', 1.5))
    @ddt.unpack
    def test_a_missed_goal_is_failure(self, name, key, value):
        status, stdout, _stderr = self.main(
            '--backend', name, told={('threads', name, key): value})

        self.assertEqual(1, status)
        self.assertRegex(stdout[-1], '^[0-9]+ passed, 1 failed$')
        self.assertRegex(stdout[-2], '^FAILED: %s: .* on threads is' % name)
        self.assertEqual(2, len(list(self.output.iterdir())))

    def test_only_the_backends_that_are_asked_for(self):
        self.main('--backend', 'redis', '--backend', 'file')

        self.assertEqual({'url of redis', 'url of file'},
                         {url for _mode, _measure, url, _module in self.asked})

    @ddt.data(*locks_main.NEEDED)
    def test_a_bad_tree_is_one_sentence(self, missing):
        (self.tree / missing).unlink()

        status, stdout, stderr = self.main()

        self.assertEqual((1, [], []), (status, stdout, self.asked))
        self.assertEqual(1, len(stderr))
        self.assertIn(missing, stderr[0])

    @ddt.data((errors.ToolError('no luck'), 'tools.measure.locks: no luck'),
              (KeyboardInterrupt(), 'tools.measure.locks: interrupted'))
    @ddt.unpack
    def test_no_result_is_one_sentence(self, error, sentence):
        status, stdout, stderr = self.main(error=error)

        self.assertEqual((1, [], [sentence]), (status, stdout, stderr))
        self.assertEqual([], list(self.output.iterdir()))
