# SPDX-License-Identifier: Apache-2.0

"""The statuses that the API tells, over time."""

import time

UNDER_WAY = ('creating', 'deleting', 'downloading')


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
            # Its answer was lost; it may be there.
            operation.volume_id = ids.get(operation.name)
        if operation.resource_id is None:
            continue
        status = found.get(operation.resource_id, (None, 'gone'))[1]
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
