# SPDX-License-Identifier: Apache-2.0

"""Run git so that the user's configuration cannot change a commit.

Hashes have to be the same for everybody.  Identity and dates come from the
environment, hooks, signing and line-end conversion are switched off, and a
repository of our own is kept from reading the user's configuration at all.  A
checkout that belongs to the user is read with his configuration, because
``safe.directory``, for one, may be needed to read it.
"""

import contextlib
import functools
import os
import signal
import subprocess

from tools.common import errors

IDENTITY = ('enhance-locks', 'enhance-locks@localhost')

_OVERRIDES = (
    'commit.gpgsign=false',
    'core.hooksPath=/dev/null',
)
_OURS_ONLY = (
    'core.attributesFile=/dev/null',
    'core.autocrlf=false',
    'core.fileMode=true',
    'gc.auto=0',
    'advice.detachedHead=false',
)
# Set by git for its hooks: with them a command would go elsewhere.
_MISLEADING = (
    'GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_OBJECT_DIRECTORY',
    'GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_COMMON_DIR', 'GIT_NAMESPACE',
    'GIT_PREFIX', 'GIT_TEMPLATE_DIR', 'GIT_DEFAULT_HASH',
)


class GitError(errors.ToolError):
    """A git command failed that was not expected to."""


class Git:
    """The git commands of one repository.

    :param path: the directory to run git in
    :param bool ours: whether the repository was made by this tool; the user's
        configuration is read only where it was not
    """

    def __init__(self, path, ours):
        self.path = path
        self._settings = _OVERRIDES + (_OURS_ONLY if ours else ())
        self._env = {key: value for key, value in os.environ.items()
                     if key not in _MISLEADING}
        self._env.update(LC_ALL='C', GIT_LITERAL_PATHSPECS='1',
                         GIT_OPTIONAL_LOCKS='0')
        if ours:
            self._env.update(GIT_CONFIG_GLOBAL=os.devnull,
                             GIT_CONFIG_NOSYSTEM='1', GIT_CONFIG_COUNT='0',
                             GIT_CONFIG_PARAMETERS='')

    def run(self, *args, stdin=b'', env=None, allowed=(0,)):
        """Run a command and hand back what it printed.

        :param str args: the command's arguments, without ``git``
        :param bytes stdin: what it reads
        :param dict[str, str] env: more environment variables
        :param tuple[int, ...] allowed: the exit statuses that are no failure
        :returns: its standard output
        :rtype: bytes
        :raises GitError: if it fails
        :raises ToolError: if there is no git
        """
        done = self._start(args, stdin, env)
        if done.returncode not in allowed:
            told = ' '.join(done.stderr.decode(errors='replace').split())
            raise GitError(f'git {args[0]} failed in {self.path}: '
                           f'{told or done.returncode}')
        return done.stdout

    def line(self, *args, stdin=b'', env=None):
        """Run a command and hand back its output as stripped text.

        Takes and raises what :meth:`run` does.

        :rtype: str
        """
        return os.fsdecode(self.run(*args, stdin=stdin, env=env)).strip()

    def paths(self, *args):
        """Run a command that lists paths.

        :param str args: the command's arguments, without ``git`` and ``-z``
        :rtype: list[str]
        :raises GitError: if it fails
        """
        listed = self.run(args[0], '-z', *args[1:])
        return [os.fsdecode(path) for path in listed.split(b'\0') if path]

    def succeeds(self, *args):
        """Run a command for its exit status.

        :param str args: the command's arguments, without ``git``
        :returns: whether it exited with status 0
        :rtype: bool
        :raises ToolError: if there is no git
        """
        return self._start(args, b'', None).returncode == 0

    def _start(self, args, stdin, env):
        command = ['git']
        for setting in self._settings:
            command += ['-c', setting]
        try:
            return subprocess.run(
                command + list(args), cwd=self.path, input=stdin,
                env=self._env | (env or {}), capture_output=True)
        except FileNotFoundError:
            if not os.path.isdir(self.path):
                raise errors.ToolError(f'{self.path} is no directory.')
            raise errors.ToolError(
                'git is needed and was not found on the PATH.')


def identity(seconds):
    """The environment that gives a commit its author, committer and dates.

    :param int seconds: the time of the commit, since the epoch, in UTC
    :returns: environment variables
    :rtype: dict[str, str]
    """
    name, mail = IDENTITY
    env = {}
    for role in ('AUTHOR', 'COMMITTER'):
        env[f'GIT_{role}_NAME'] = name
        env[f'GIT_{role}_EMAIL'] = mail
        env[f'GIT_{role}_DATE'] = f'{seconds} +0000'
    return env


@functools.cache
def with_trailer(message, trailer):
    """Add a trailer to a commit message, unless it is there.

    :param str message: the message
    :param str trailer: the trailer, such as ``Change-Id: I0``
    :returns: the message, with one newline at its end
    :rtype: str
    :raises GitError: if git refuses
    """
    return Git('/', ours=True).run(
        'interpret-trailers', '--no-divider', '--trailer', trailer,
        stdin=f'{message.strip()}\n'.encode()).decode()


def init(path, *options):
    """Make a repository that takes nothing from the user's configuration.

    :param pathlib.Path path: an existing directory
    :param str options: more options for ``git init``
    :returns: the repository
    :rtype: Git
    :raises GitError: if git refuses
    """
    repository = Git(path, ours=True)
    repository.run('init', '--quiet', '--template=', '--object-format=sha1',
                   '--initial-branch=enhance-locks', *options)
    return repository


@contextlib.contextmanager
def uninterrupted():
    """Keep Ctrl-C from cutting a short last step in two.

    The signals are blocked for the commands started meanwhile and passed over
    here: one that comes during the step comes too late to stop anything.
    """
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    handlers = {number: signal.signal(number, lambda *args: None)
                for number in signals}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
