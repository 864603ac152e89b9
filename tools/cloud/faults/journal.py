# SPDX-License-Identifier: Apache-2.0

"""Events of several processes in one file, a line of JSON each.

The clock is CLOCK_MONOTONIC, which all processes of a machine share. A line
is one write at the end of the file, so that none is torn or lost.
"""

import json
import os
import time

NAME = 'journal.jsonl'
"""Name of the storage's journal, in the directory of the volumes."""


def append(path, **event):
    """Add an event, with the time.

    :param path: path of the file, which is made if it is not there
    :param event: what JSON can say
    """
    line = json.dumps({'time': time.monotonic(), **event}) + '\n'
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def read(path):
    """Return all events in the order of the file, as a list of dicts.

    :param path: path of the file; without it there are none
    """
    try:
        with open(path, encoding='utf-8') as lines:
            return [json.loads(line) for line in lines]
    except FileNotFoundError:
        return []
