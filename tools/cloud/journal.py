# SPDX-License-Identifier: Apache-2.0

"""What the storage did, written down by the drivers themselves.

Cinder's database tells what Cinder believes. The journal tells when the
drivers began and ended a copy or a deletion. All services append to one file,
a line of JSON for each event, in a single write, so that no line is torn. The
clock is CLOCK_MONOTONIC, which all processes of a machine share.
"""

import contextlib
import dataclasses
import json
import os
import time
from typing import Optional
import uuid

VARIABLE = 'ENHANCE_LOCKS_JOURNAL'
"""The environment variable that tells a driver the path of the journal."""


@dataclasses.dataclass
class Call:
    """What the storage did.

    :param operation: 'copy' or 'delete'
    :param resource_id: UUID of what is written or deleted
    :param source_id: UUID of what is copied or deleted
    :param pid: process id of the service
    :param host: the host and backend of the service
    :param begin: when it began, in seconds
    :param end: when it had ended; None if it never did
    """
    operation: str
    resource_id: str
    source_id: str
    pid: int
    host: str
    begin: float
    end: Optional[float] = None


@contextlib.contextmanager
def calling(operation, resource_id, source_id, host):
    """Write down that the storage does something, until the block ends.

    :param operation: as the field of Call, as are the other parameters
    """
    def note(step):
        append(os.environ[VARIABLE], step=step, call=call,
               operation=operation, resource_id=resource_id,
               source_id=source_id, pid=os.getpid(), host=host)

    call = uuid.uuid4().hex
    note('begin')
    try:
        yield
    finally:
        note('end')


def append(path, **event):
    """Add an event, with the time.

    :param path: path of the file, which is made if need be
    :param event: what JSON can say
    """
    line = json.dumps({'time': time.monotonic(), **event}) + '\n'
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def read(path):
    """Return the calls of a journal, in the order in which they began.

    :param path: path of the file; without it there are none
    :returns: list of Call
    """
    try:
        with open(path, encoding='utf-8') as lines:
            events = [json.loads(line) for line in lines]
    except FileNotFoundError:
        return []
    found = {}
    for event in events:
        if event['step'] == 'begin':
            found[event['call']] = Call(
                *(event[name] for name in ('operation', 'resource_id',
                                           'source_id', 'pid', 'host',
                                           'time')))
        else:
            found[event['call']].end = event['time']
    return list(found.values())
