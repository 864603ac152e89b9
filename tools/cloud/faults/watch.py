# SPDX-License-Identifier: Apache-2.0

"""What the API says of each request, from its answer to its end."""

import threading
import time

from tools.cloud import statuses

LOOK_SECONDS = 1
CALM_SECONDS = 35
"""After so long without any change, what is under way is left alone."""
UNDER_WAY = ('creating', 'deleting', 'downloading')


class Watch(threading.Thread):
    """Writes down each status that the API tells, until nothing changes.

    :param client: tools.cloud.faults.client.Client
    :param operations: list of tools.cloud.faults.records.Operation
    """

    def __init__(self, client, operations):
        super().__init__(daemon=True)
        self._client = client
        self._operations = operations
        self._changed = time.monotonic()
        self._sent = threading.Event()

    def run(self):
        while True:
            is_last = self._sent.is_set()
            asked = time.monotonic()
            try:
                found = self._client.newest()
            except self._client.failures:
                time.sleep(LOOK_SECONDS)
                continue
            if note(self._operations, found, asked):
                self._changed = time.monotonic()
            if is_last and (
                    not under_way(self._operations)
                    or time.monotonic() - self._changed > CALM_SECONDS):
                return
            time.sleep(LOOK_SECONDS)

    def settle(self):
        """Return when no request is under way, or nothing changes any more.

        All requests must have been sent.
        """
        self._changed = time.monotonic()
        self._sent.set()
        self.join()


def note(operations, found, asked):
    """Write down the statuses that are new.

    :param operations: list of tools.cloud.faults.records.Operation
    :param found: dict of UUID -> (name, status), all that is known of them
    :param asked: when the API was asked for it
    :returns: whether there are any
    """
    now = time.monotonic()
    ids = {name: resource_id for resource_id, (name, _status)
           in found.items()}
    is_new = False
    for operation in operations:
        if operation.answered is None or operation.answered > asked:
            continue
        if operation.kind == 'create' and operation.volume_id is None:
            # The answer was lost; the volume may be there.
            operation.volume_id = ids.get(operation.name)
        if operation.resource_id is None:
            continue
        status = found.get(operation.resource_id, (None, statuses.GONE))[1]
        if status != operation.status:
            operation.seen.append([now, status])
            is_new = True
    return is_new


def under_way(operations):
    """Return the operations whose end has not been seen.

    :param operations: list of tools.cloud.faults.records.Operation
    """
    return [one for one in operations
            if one.answered is None or one.status in UNDER_WAY]


def counts(operations):
    """Tell in words what became of creates and deletes.

    :param operations: list of tools.cloud.faults.records.Operation
    """
    found = {}
    for one in operations:
        status = one.status or one.outcome
        if one.outcome != 'accepted':
            status = one.outcome
        words = f'{one.kind}s {status}'
        found[words] = found.get(words, 0) + 1
    return ', '.join(f'{number} {words}'
                     for words, number in sorted(found.items()))
