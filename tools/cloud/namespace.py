# SPDX-License-Identifier: Apache-2.0

"""No cloud outlives the command that started it, not even after SIGKILL.

The command runs in a PID and a mount namespace of its own. When the first
process in it ends, for whatever reason, the kernel kills all others, orphans
included, and the mounts are gone.
"""

import contextlib
import os
import subprocess
import sys

import fasteners

from tools.common.errors import ToolError

MARK = 'ENHANCE_LOCKS_CLOUD'
UNSHARE = ('unshare', '--mount', '--pid', '--fork', '--kill-child',
           '--mount-proc')
# The first process adopts orphans; Python would leave them as zombies.
FIRST = ('sh', '-c', '"$@"; exit $?', 'sh')


def enter(module, arguments):
    """Become ``python -m module`` in namespaces, unless this is one.

    :param module: its name as text
    :param arguments: list of text, of the command line
    :raises ToolError: if they cannot be made
    """
    if os.environ.pop(MARK, None):
        return
    try:
        tried = subprocess.run([*UNSHARE, 'true'], stdin=subprocess.DEVNULL,
                               capture_output=True, text=True)
    except FileNotFoundError:
        raise ToolError('expected the program unshare of util-linux, found '
                        'none')
    if tried.returncode:
        raise ToolError(
            'expected to run as root, where namespaces and mounts can be '
            f'made, found user {os.geteuid()}: {tried.stderr.strip()}')
    os.environ[MARK] = 'inside'
    os.execvp(UNSHARE[0], [*UNSHARE, *FIRST, sys.executable, '-m', module,
                           *arguments])


@contextlib.contextmanager
def alone(folder):
    """Keep other clouds out of a directory until the ``with`` block ends.

    :param folder: its pathlib.Path; it is made if need be
    :raises ToolError: if another cloud uses it
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = fasteners.InterProcessLock(folder / 'lock')
    if not lock.acquire(blocking=False):
        raise ToolError(f'expected no cloud in {folder}, found one that runs')
    try:
        yield
    finally:
        lock.release()
