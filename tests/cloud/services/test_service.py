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


class CommandCase(unittest.TestCase):

    def setUp(self):
        self.log = made_up.folder(self) / 'log'

    def command(self, script, ready=None):
        def find_word():
            if 'up' not in self.log.read_text():
                raise ValueError('it says nothing')
        made = service.Command('thing', ['sh', '-c', script], self.log,
                               ready=ready or find_word)
        self.addCleanup(made.kill)
        return made


class CommandTest(CommandCase):

    def family(self):
        command = self.command(FAMILY)
        command.start()
        wait_for(
            'the children',
            lambda: self.assertEqual(3, len(command.processes())), 10)
        return command, command.processes()

    def assert_gone(self, processes):
        self.assertEqual([], [process for process in processes
                              if process.is_running() and
                              process.status() != psutil.STATUS_ZOMBIE])

    def test_kill_ends_all_descendants(self):
        command, processes = self.family()

        command.kill()

        self.assert_gone(processes)
        self.assertIsNone(command.pid)

    def test_stop_ends_all_descendants(self):
        command, processes = self.family()

        command.stop()

        self.assert_gone(processes)

    def test_who_ignores_sigterm_is_killed(self):
        command = self.command(DEAF)
        command.start()
        processes = command.processes()

        with mock.patch.object(service, 'TERM_SECONDS', 0.2):
            command.stop()

        self.assert_gone(processes)

    def test_all_descendants_pause_and_resume(self):
        command, processes = self.family()

        command.pause()

        for process in processes:
            wait_for('it to stop', lambda: self.assertEqual(
                psutil.STATUS_STOPPED, process.status()), 10)
        command.resume()
        for process in processes:
            wait_for('it to go on', lambda: self.assertEqual(
                psutil.STATUS_SLEEPING, process.status()), 10)

    def test_a_paused_command_stops(self):
        command, processes = self.family()
        command.pause()

        command.stop()

        self.assert_gone(processes)

    def test_it_starts_again_and_keeps_its_log(self):
        command, _processes = self.family()
        first = command.pid
        command.kill()

        command.start()

        self.assertNotEqual(first, command.pid)
        wait_for('a second word', lambda: self.assertEqual(
            'up\nup\n', self.log.read_text()), 10)

    def test_it_does_not_start_twice(self):
        command, _processes = self.family()

        with self.assertRaisesRegex(
                ToolError, f'thing runs already, as process {command.pid}'):
            command.start()

    def test_what_never_started_can_be_stopped(self):
        command = self.command(FAMILY)

        command.stop()
        command.kill()

        self.assertEqual([], command.processes())

    def test_what_died_can_be_stopped(self):
        command = self.command('echo up')
        command.launch()
        wait_for('its end', lambda: self.assertRaises(
            ToolError, command.check), 10)

        command.stop()

        self.assertIsNone(command.pid)

    def test_a_command_that_ends_is_one_sentence(self):
        command = self.command('echo the sky fell >&2; exit 3')

        with self.assertRaisesRegex(
                ToolError, '^thing ended with status 3, its last words: the '
                           f'sky fell; log: {self.log}$'):
            command.start()

    def test_a_command_that_does_not_answer_is_one_sentence(self):
        command = self.command('sleep 600')

        with mock.patch.object(service, 'READY_SECONDS', 0.3), \
                self.assertRaisesRegex(
                    ToolError, '^waited in vain for thing to answer, 0.3 '
                               'seconds: it says nothing$'):
            command.start()

    def test_a_missing_program_is_one_sentence(self):
        command = service.Command('thing', ['no-such-program'], self.log)

        with self.assertRaisesRegex(
                ToolError, '^thing: expected the program no-such-program, '
                           'found none$'):
            command.start()


class RunTest(CommandCase):

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
