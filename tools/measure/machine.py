# SPDX-License-Identifier: Apache-2.0

"""The machine that a report was made on."""

import datetime
import os
import platform


def facts():
    """Return what a report tells about the machine.

    :returns: dict of ``cores`` (a number) and the texts ``machine``,
        ``python`` and ``date``
    """
    return {
        'cores': len(os.sched_getaffinity(0)),
        'machine': platform.platform(),
        'python': platform.python_version(),
        'date': datetime.datetime.now(datetime.timezone.utc).strftime(
            '%Y-%m-%d %H:%M UTC'),
    }
