# SPDX-License-Identifier: Apache-2.0

"""Where a cloud keeps its files, ports and passwords.

Each cloud starts with an empty directory, of which only the logs are kept.
"""

import os
import pathlib
import random
import secrets
import shutil
import socket
import sys

import jinja2

from tools.common.errors import ToolError
from tools.common.waiting import wait_for

ADDRESS = '127.0.0.1'
REMOVE_SECONDS = 10
LONGEST = 70
"""A socket's path has 107 bytes; privsep makes one deep in our directory."""
TEMPLATES = pathlib.Path(__file__).resolve().parent / 'templates'


class Site:
    """The directory of a cloud.

    :param folder: pathlib.Path of the directory, which is made
    :ivar run: pathlib.Path of the files that go when the cloud stops
    :ivar logs: pathlib.Path of the directory of the logs
    :ivar journal: pathlib.Path of the tools.cloud.journal of its storage
    :raises ToolError: if services could not use such a path
    """

    def __init__(self, folder):
        folder = folder.resolve()
        self.run = folder / 'run'
        self.logs = folder / 'logs'
        self.journal = self.run / 'journal.jsonl'
        if len(os.fsencode(self.run)) > LONGEST:
            raise ToolError(
                f'expected a directory with a path of at most {LONGEST} '
                f'bytes, for the sockets in it, found '
                f'{len(os.fsencode(self.run))} in {self.run}')
        if any(character.isspace() for character in str(self.run)):
            raise ToolError('expected a directory without spaces in its '
                            f'path, which uWSGI splits, found {self.run}')
        self._ports = set()
        self._passwords = {}

    def make(self):
        """Make an empty directory, without the files of an earlier cloud."""
        for folder in (self.run, self.logs):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        self.run.chmod(0o700)

    def remove(self):
        """Remove all but the logs."""
        # A process that was killed may still write its last file.
        wait_for(f'{self.run} to be removed',
                 lambda: shutil.rmtree(self.run), REMOVE_SECONDS)

    def folder(self, *names):
        """Make a directory and return its pathlib.Path.

        :param names: its path below that of the cloud, as text
        """
        path = self.run.joinpath(*names)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def log(self, name):
        """Return the pathlib.Path of a log.

        :param name: name of the service that writes it, as text
        """
        return self.logs / f'{name}.log'

    def port(self, row=1):
        """Return a free TCP port, outside the range of ephemeral ports.

        :param row: how many ports in a row must be free, as an integer; the
            first is returned
        """
        while True:
            first = random.randrange(20000, 32000)
            ports = set(range(first, first + row))
            if not ports & self._ports and all(map(_is_free, ports)):
                self._ports |= ports
                return first

    def password(self, of):
        """Return a password, always the same for the same user.

        :param of: name of the user, as text
        """
        return self._passwords.setdefault(of, secrets.token_hex(16))

    def leaks(self):
        """Return which passwords are in which logs.

        :returns: sorted list of (name of the log, whose password)
        """
        return sorted((log.name, of) for log in self.logs.rglob('*')
                      if log.is_file()
                      for of, password in self._passwords.items()
                      if password.encode() in log.read_bytes())

    def render(self, template, target, **values):
        """Write a configuration file that nobody else can read.

        :param template: its name in ``templates/``, without the suffix
        :param target: its pathlib.Path
        :param values: what the template refers to
        :returns: target
        """
        text = jinja2.Environment(
            undefined=jinja2.StrictUndefined, keep_trailing_newline=True,
            trim_blocks=True, loader=jinja2.FileSystemLoader(TEMPLATES)
        ).get_template(f'{template}.j2').render(
            site=self, address=ADDRESS, **values)
        target.touch(0o600)
        target.write_text(text)
        return target

    def environment(self, **variables):
        """Return the environment of a service as a dict.

        It is ours, with this Python's programs first in PATH, and without the
        variables that would configure Cinder or its client.

        :param variables: further variables, or other values
        """
        path = os.pathsep.join(
            [os.path.dirname(sys.executable), os.environ.get(
                'PATH', os.defpath), '/usr/sbin', '/sbin'])
        return {**{name: value for name, value in os.environ.items()
                   if not name.startswith('OS_')},
                'PATH': path, 'TMPDIR': str(self.folder('tmp')),
                **{name: str(value) for name, value in variables.items()}}


def _is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True
