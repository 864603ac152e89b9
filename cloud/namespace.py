#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""No cloud outlives the command that started it, not even after SIGKILL.

The command runs in a PID and a mount namespace of its own. When the first
process in it ends, by whatever cause, the kernel kills all others, whomever
their parents are, and the mounts are gone.
"""

import contextlib
import os
import subprocess
import sys

import fasteners

from cloud.errors import CloudError

MARK = 'ENHANCE_LOCKS_CLOUD'
UNSHARE = ('unshare', '--mount', '--pid', '--fork', '--kill-child',
           '--mount-proc')
# The first process adopts orphans, which Python would leave as zombies.
FIRST = ('sh', '-c', '"$@"; exit $?', 'sh')


def enter(module, arguments):
    """Become ``python -m module`` in namespaces, unless this is one.

    :param module: its name as text
    :param arguments: list of text, of the command line
    :raises CloudError: if they cannot be made
    """
    if os.environ.pop(MARK, None):
        return
    try:
        tried = subprocess.run([*UNSHARE, 'true'], stdin=subprocess.DEVNULL,
                               capture_output=True, text=True)
    except FileNotFoundError:
        raise CloudError('expected the program unshare of util-linux, found '
                         'none')
    if tried.returncode:
        raise CloudError(
            'expected to run as root, where namespaces and mounts can be '
            f'made, found user {os.geteuid()}: {tried.stderr.strip()}')
    os.environ[MARK] = 'inside'
    os.execvp(UNSHARE[0], [*UNSHARE, *FIRST, sys.executable, '-m', module,
                           *arguments])


@contextlib.contextmanager
def alone(folder):
    """Let no other cloud use a directory meanwhile.

    :param folder: its pathlib.Path; it is made
    :raises CloudError: if another one does
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = fasteners.InterProcessLock(folder / 'lock')
    if not lock.acquire(blocking=False):
        raise CloudError(f'expected no cloud in {folder}, found one that runs')
    try:
        yield
    finally:
        lock.release()
