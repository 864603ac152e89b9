# SPDX-License-Identifier: Apache-2.0

"""Say on standard error what is being done, and when."""

import contextlib
import sys
import time

_BEGUN = time.monotonic()


def seconds():
    """Return the seconds since the start.

    :rtype: float
    """
    return time.monotonic() - _BEGUN


def say(text):
    """Print a line with the seconds since the start.

    :param str text: the line
    """
    # A closed terminal must not keep a command from cleaning up.
    with contextlib.suppress(OSError):
        print(f'{seconds():6.1f} s  {text}', file=sys.stderr, flush=True)
