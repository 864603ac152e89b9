# SPDX-License-Identifier: Apache-2.0

"""Waiters in another process than the holders.

Run as ``python -m tools.measure.files.peer DIRECTORY`` by Peer. Each line of the standard
input, ``read_lock 3``, asks for so many threads that wait for locks of that
kind. The answer is the line ``arriving`` and, when all got their lock, a line
with the time.monotonic() of the last one. The end of the input ends it.
"""

import subprocess
import sys

from tools.common.errors import ToolError

NAME = b'hand-over'


class Peer:
    """The other process, as seen by the holders. Use it in ``with``.

    :param directory: the directory of the lock files, as text
    """

    def __init__(self, directory):
        self._directory = directory

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, '-W', 'ignore', '-m', 'tools.measure.files.peer',
             self._directory],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            bufsize=1)
        return self

    def __exit__(self, *_exception):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def arrive(self, kind, number):
        """Let so many threads over there wait for a lock.

        :param kind: 'read_lock' or 'write_lock'
        :returns: this object, whose last() is that of the waiters
        """
        self._process.stdin.write('%s %d\n' % (kind, number))
        self._process.stdin.flush()
        self._answer()
        return self

    def last(self):
        """Wait for all and return when the last one got its lock.

        :returns: seconds of time.monotonic(), which all processes share
        """
        return float(self._answer())

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise ToolError('the process of the waiters ended early')
        return line


def main(directory):
    """Serve the standard input until it ends.

    :param directory: the directory of the lock files, as text
    """
    from bench import patched

    from tools.measure.files.waiters import Waiters

    backend = patched.backend(directory)
    for line in sys.stdin:
        kind, number = line.split()
        print('arriving', flush=True)
        waiters = Waiters([getattr(backend, kind)(NAME)
                           for _waiter in range(int(number))])
        print(repr(waiters.last()), flush=True)


if __name__ == '__main__':
    main(sys.argv[1])
