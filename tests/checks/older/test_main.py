# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
from unittest import mock

import testtools

from tests.checks.older import made_up
from tests import temporary
from tools.checks.older import __main__ as older_main
from tools.checks.older import page
from tools.checks.older import processes
from tools.checks.older import releases as older
from tools.checks.older import situations
from tools.common import cli


class MainTest(testtools.TestCase):

    def main(self, *args, **damage):
        """Return the exit status and the lines of stdout and stderr."""

        @contextlib.contextmanager
        def site(name, tree, pythons):
            self.assertEqual(('built', 'pythons'), (tree, pythons))
            made = made_up.site(**damage)
            made.server.name = name
            yield made

        stdout, stderr = io.StringIO(), io.StringIO()
        with (contextlib.redirect_stdout(stdout),
              contextlib.redirect_stderr(stderr),
              mock.patch('signal.signal'),
              mock.patch('tools.series.tree.build', return_value='built'),
              mock.patch.object(older, 'install', lambda _root: 'pythons'),
              mock.patch.object(processes, 'Site', site),
              mock.patch.multiple(situations, PAUSE=0.01, MARGIN=0.1)):
            status = cli.run(older_main.check, older_main.parse(args))
        return (status, stdout.getvalue().splitlines(),
                stderr.getvalue().splitlines())

    def test_a_row_is_a_line(self):
        status, lines, _said = self.main('file')
        self.assertEqual((0, '26 passed, 0 failed'), (status, lines[-1]))
        self.assertEqual(27, len(lines))
        self.assertRegex(lines[0], r'^file       1.0     An older tooz has '
                                   r'it; we ask to read: 2 refused, had it')

    def test_a_violation_fails(self):
        status, lines, said = self.main('file', seen=False)
        self.assertEqual((1, 'error: 16 cases have violations'),
                         (status, said[-1]))
        self.assertIn('file       2.0     We read; an older tooz asks: tooz '
                      '2.0 gets it beside a holder; who waits gets it beside '
                      'a holder', lines)

    def test_a_page_is_written(self):
        folder = temporary.folder(self)
        self.main('file', '--page', str(folder))
        self.assertIn('Situation', (folder / page.NAME).read_text())

    def test_all_servers_are_tried(self):
        _status, lines, _said = self.main()
        self.assertEqual(list(processes.LEASES), list(dict.fromkeys(
            line.split()[0] for line in lines[:-1])))

    def test_a_server_that_is_unknown_is_a_wrong_command_line(self):
        exit = self.assertRaises(SystemExit, self.main, 'redis5')
        self.assertEqual(2, exit.code)

    def test_a_mutant_that_is_unknown_is_told(self):
        status, _lines, said = self.main('file', '--mutant', 'nobody')
        self.assertEqual(
            (1, "error: expected a mutant of tooz, found 'nobody'"),
            (status, said[-1]))
