# SPDX-License-Identifier: Apache-2.0

"""The parts of a cloud: services that start, stop, and break.

A Service is launched, waited for and stopped. A Daemon is a service that is
a process with descendants; it can also be killed, paused and started again
with its files.
"""

import contextlib
import os
import signal
import subprocess

import psutil

from tools.common.errors import ToolError
from tools.common.waiting import wait_for

READY_SECONDS = 120
TERM_SECONDS = 90
"""How long systemd waits by default."""
KILL_SECONDS = 15


class Service:
    """A part of the cloud.

    :param name: its name as text, for progress lines
    """

    def __init__(self, name):
        self.name = name

    def launch(self):
        """Begin to start it; wait() returns when it answers.

        :raises ToolError: if it cannot be started
        """
        raise NotImplementedError()

    def wait(self):
        """Return when it answers.

        :raises ToolError: if it ends, or does not answer in time
        """

    def start(self):
        """Start or restart it, and return when it answers.

        :raises ToolError: if it does not
        """
        self.launch()
        self.wait()

    def stop(self):
        """Stop it, even if it never started or is dead already.

        What is in another service, as tables are, ends with that one.
        """

    def check(self):
        """Raise ToolError if it has ended by itself."""


class Daemon(Service):
    """A process and its descendants.

    :param name: its name as text
    :param command: list of text
    :param log: pathlib.Path of the file that gets its output
    :param environment: dict of its environment; default is that of ours
    :param folder: pathlib.Path of the directory in which it runs
    :param ready: callable without parameters, which raises an exception
        until the service answers
    """

    def __init__(self, name, command, log, environment=None, folder=None,
                 ready=lambda: None):
        super().__init__(name)
        self.command = [str(word) for word in command]
        self.log = log
        self._environment = environment
        self._folder = folder
        self._ready = ready
        self._process = None

    @property
    def pid(self):
        """The process id as an integer; None when it does not run."""
        return self._process and self._process.pid

    def launch(self):
        if self._process is not None and self._process.is_running():
            raise ToolError(f'{self.name} runs already, as process '
                            f'{self._process.pid}')
        # Signals of the terminal are for us alone, who stop in order.
        with open(self.log, 'ab') as log, found(self.name, self.command):
            self._process = psutil.Popen(
                self.command, cwd=self._folder, env=self._environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)

    def wait(self):
        def attempt():
            self.check()
            self._ready()
        wait_for(f'{self.name} to answer', attempt, READY_SECONDS)

    def check(self):
        if self._process is None:
            raise ToolError(f'{self.name} does not run')
        with contextlib.suppress(psutil.TimeoutExpired):
            raise ToolError(f'{self.name} ended with status '
                            f'{self._process.wait(0)}{last_words(self.log)}')

    def processes(self):
        """Return the psutil.Process of it and of all that it started."""
        if self._process is None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            return [self._process, *self._process.children(recursive=True)]
        return []

    def stop(self):
        """Ask it with SIGTERM to end, and kill it if it does not."""
        processes = self.processes()
        for process in processes[:1]:
            with contextlib.suppress(psutil.NoSuchProcess,
                                     psutil.TimeoutExpired):
                process.terminate()
                # A paused process takes SIGTERM when it goes on.
                process.send_signal(signal.SIGCONT)
                process.wait(TERM_SECONDS)
        self._kill(processes)

    def kill(self):
        """End it with SIGKILL and return when it is gone."""
        self._kill(self.processes())

    def _kill(self, processes):
        # The parent first, since it might start a dead child again.
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        try:
            if self._process is not None:
                self._process.wait(KILL_SECONDS)
        except psutil.TimeoutExpired as error:
            raise ToolError(f'{self.name} cannot be killed: {error}')
        # The parent of an orphan may be slow to reap it.
        wait_for(f'{self.name} to be gone', lambda: demand_dead(processes),
                 KILL_SECONDS)
        self._process = None

    def pause(self):
        """Stop it with SIGSTOP: its sockets stay open, but nothing answers."""
        for process in self.processes():
            process.suspend()

    def resume(self):
        """Continue it after pause()."""
        for process in self.processes():
            process.resume()


def demand_dead(processes):
    """Raise an exception if a process lives.

    :param processes: list of psutil.Process
    """
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                raise ValueError(f'process {process.pid} lives')


def run(name, command, log, environment=None, folder=None, within=120):
    """Run a command to its end.

    :param name: what it does, as text for the error
    :param command: list of text
    :param log: pathlib.Path of the file that gets its errors
    :param environment: dict of its environment; default is that of ours
    :param folder: pathlib.Path of the directory in which it runs
    :param within: the seconds that it may take
    :returns: its standard output as text
    :raises ToolError: if it fails
    """
    with open(log, 'ab') as errors, found(name, command):
        process = subprocess.Popen(
            [str(word) for word in command], cwd=folder, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
            start_new_session=True, text=True)
    try:
        said, _errors = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        raise ToolError(f'{name} did not end within {within} seconds'
                        f'{last_words(log)}')
    finally:
        # After an interrupt its descendants are still alive.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    if process.returncode:
        raise ToolError(f'{name} failed with status {process.returncode}'
                        f'{last_words(log)}')
    return said


@contextlib.contextmanager
def found(name, command):
    """Raise ToolError for a program that is missing."""
    try:
        yield
    except FileNotFoundError as error:
        raise ToolError(
            f'{name}: expected the program {command[0]}, found none'
            if error.filename == str(command[0]) else f'{name}: {error}')


def last_words(log):
    """Return the last line of a log, for the end of an error."""
    try:
        said = log.read_text(errors='replace').split('\n')
    except FileNotFoundError:
        said = []
    last = [line.strip() for line in said if line.strip()][-1:]
    return f', its last words: {last[0] if last else "none"}; log: {log}'
