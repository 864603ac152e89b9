# SPDX-License-Identifier: Apache-2.0

"""Run a command of the command line and turn its end into an exit status."""

import contextlib
import os
import select
import signal
import sys

from tools.common import errors


def run(command, *arguments):
    """Run a command; print an expected failure instead of a traceback.

    SIGTERM stops it as Ctrl-C does.  A reader that has gone away, such as
    ``head``, is no failure.

    :param command: what to call
    :param arguments: what to call it with
    :returns: the exit status: 0, 1 after ``error: ...`` on standard error, or
        130 after ``interrupted``
    :rtype: int
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        try:
            command(*arguments)
        finally:
            sys.stdout.flush()
    except (errors.ToolError, OSError) as error:
        if isinstance(error, BrokenPipeError) and _reader_is_gone():
            return 0
        _tell(f'error: {error}')
        return 1
    except KeyboardInterrupt:
        _tell('interrupted')
        return 130
    return 0


def _reader_is_gone():
    """Tell whether standard output is the pipe that broke."""
    try:
        output = sys.stdout.fileno()
    except OSError:
        return False
    poll = select.poll()
    poll.register(output, 0)
    if not poll.poll(0):
        return False
    # Python flushes what is left once more when it exits.
    os.dup2(os.open(os.devnull, os.O_WRONLY), output)
    return True


def _tell(text):
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr)
