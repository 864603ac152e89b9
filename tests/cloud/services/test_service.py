# SPDX-License-Identifier: Apache-2.0

import subprocess
import unittest
from unittest import mock

import psutil

from tests.cloud import made_up
from tools.cloud.services import service
from tools.common.errors import ToolError
from tools.common.waiting import wait_for

FAMILY = 'sleep 600 & sleep 600 & echo up; wait'
DEAF = 'trap "" TERM; echo up; while :; do sleep 600; done'


class DaemonCase(unittest.TestCase):

    def setUp(self):
        self.log = made_up.folder(self) / 'log'

    def daemon(self, script, ready=None):
        def find_word():
            if 'up' not in self.log.read_text():
                raise ValueError('it says nothing')
        made = service.Daemon('thing', ['sh', '-c', script], self.log,
                              ready=ready or find_word)
        self.addCleanup(made.kill)
        return made


class DaemonTest(DaemonCase):

    def family(self):
        daemon = self.daemon(FAMILY)
        daemon.start()
        wait_for(
            'the children',
            lambda: self.assertEqual(3, len(daemon.processes())), 10)
        return daemon, daemon.processes()

    def assert_gone(self, processes):
        self.assertEqual([], [process for process in processes
                              if process.is_running() and
                              process.status() != psutil.STATUS_ZOMBIE])

    def test_kill_ends_all_descendants(self):
        daemon, processes = self.family()

        daemon.kill()

        self.assert_gone(processes)
        self.assertIsNone(daemon.pid)

    def test_stop_ends_all_descendants(self):
        daemon, processes = self.family()

        daemon.stop()

        self.assert_gone(processes)

    def test_who_ignores_sigterm_is_killed(self):
        daemon = self.daemon(DEAF)
        daemon.start()
        processes = daemon.processes()

        with mock.patch.object(service, 'TERM_SECONDS', 0.2):
            daemon.stop()

        self.assert_gone(processes)

    def test_all_descendants_pause_and_resume(self):
        daemon, processes = self.family()

        daemon.pause()

        for process in processes:
            wait_for('it to stop', lambda: self.assertEqual(
                psutil.STATUS_STOPPED, process.status()), 10)
        daemon.resume()
        for process in processes:
            wait_for('it to go on', lambda: self.assertEqual(
                psutil.STATUS_SLEEPING, process.status()), 10)

    def test_a_paused_daemon_stops(self):
        daemon, processes = self.family()
        daemon.pause()

        daemon.stop()

        self.assert_gone(processes)

    def test_it_starts_again_and_keeps_its_log(self):
        daemon, _processes = self.family()
        first = daemon.pid
        daemon.kill()

        daemon.start()

        self.assertNotEqual(first, daemon.pid)
        wait_for('a second word', lambda: self.assertEqual(
            'up\nup\n', self.log.read_text()), 10)

    def test_it_does_not_start_twice(self):
        daemon, _processes = self.family()

        with self.assertRaisesRegex(
                ToolError, f'thing runs already, as process {daemon.pid}'):
            daemon.start()

    def test_what_never_started_can_be_stopped(self):
        daemon = self.daemon(FAMILY)

        daemon.stop()
        daemon.kill()

        self.assertEqual([], daemon.processes())

    def test_what_died_can_be_stopped(self):
        daemon = self.daemon('echo up')
        daemon.launch()
        wait_for('its end', lambda: self.assertRaises(
            ToolError, daemon.check), 10)

        daemon.stop()

        self.assertIsNone(daemon.pid)

    def test_a_daemon_that_ends_is_one_sentence(self):
        daemon = self.daemon('echo the sky fell >&2; exit 3')

        with self.assertRaisesRegex(
                ToolError, '^thing ended with status 3, its last words: the '
                           f'sky fell; log: {self.log}$'):
            daemon.start()

    def test_a_daemon_that_does_not_answer_is_one_sentence(self):
        daemon = self.daemon('sleep 600')

        with mock.patch.object(service, 'READY_SECONDS', 0.3), \
                self.assertRaisesRegex(
                    ToolError, '^waited in vain for thing to answer, 0.3 '
                               'seconds: it says nothing$'):
            daemon.start()

    def test_a_missing_program_is_one_sentence(self):
        daemon = service.Daemon('thing', ['no-such-program'], self.log)

        with self.assertRaisesRegex(
                ToolError, '^thing: expected the program no-such-program, '
                           'found none$'):
            daemon.start()


class RunTest(DaemonCase):

    def test_what_a_command_prints_is_returned(self):
        self.assertEqual('said\n', service.run(
            'thing', ['sh', '-c', 'echo said; echo more >&2'], self.log))
        self.assertEqual('more\n', self.log.read_text())

    def test_a_failure_is_one_sentence(self):
        with self.assertRaisesRegex(
                ToolError, 'thing failed with status 7, its last words: no'):
            service.run('thing', ['sh', '-c', 'echo no >&2; exit 7'],
                        self.log)

    def test_what_an_interrupted_command_started_is_killed(self):
        pids = self.log.with_name('pids')
        script = (f'sleep 600 & echo $! > {pids}.part; '
                  f'mv {pids}.part {pids}; wait')
        communicate = subprocess.Popen.communicate

        def interrupted(process, timeout=None):
            if timeout is None:
                return communicate(process)
            wait_for('its start', pids.read_text, 10)
            raise KeyboardInterrupt()

        with mock.patch.object(subprocess.Popen, 'communicate', interrupted):
            with self.assertRaises(KeyboardInterrupt):
                service.run('thing', ['sh', '-c', script], self.log)

        wait_for('its end', lambda: self.assertIn(
            psutil.Process(int(pids.read_text())).status(),
            (psutil.STATUS_ZOMBIE,)) if psutil.pid_exists(
                int(pids.read_text())) else None, 10)

    def test_a_command_has_its_time(self):
        with self.assertRaisesRegex(
                ToolError, 'thing did not end within 0.2 seconds'):
            service.run('thing', ['sleep', '600'], self.log, within=0.2)
