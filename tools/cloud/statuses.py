# SPDX-License-Identifier: Apache-2.0

"""Wait for the statuses of volumes and snapshots.

for_all() waits for a wanted status; for_change() waits for any other status,
and tells when each resource got it.
"""

import time

from tools.common.errors import ToolError
from tools.common import progress
from tools.common.waiting import wait_for

GONE = 'gone'
"""The status of a resource that is not listed any more."""
PAUSE = 0.2
PROGRESS_SECONDS = 10


def for_all(ids, wanted, look, seconds):
    """Wait until all resources have one status.

    :param ids: UUIDs of the resources, a collection of text
    :param wanted: the status as text; GONE for resources that have to vanish
    :param look: callable without parameters, returns a dict of UUID ->
        status
    :param seconds: how long to wait at most, as a number
    :raises ToolError: if one ends in error, or the time is over
    """
    def attempt():
        found = look()
        wrong = {resource: found.get(resource, GONE) for resource in ids
                 if found.get(resource, GONE) != wanted}
        told = ', '.join(f'{resource} {status}'
                         for resource, status in wrong.items())
        if any(status.startswith('error') for status in wrong.values()):
            raise ToolError(f'expected all to be {wanted}, found {told}')
        if wrong:
            raise ValueError(f'found {told}')
    wait_for(f'status {wanted}', attempt, seconds)


def for_change(statuses, listing, seconds):
    """Wait until every resource has left its status.

    One request tells of all that have the same status.

    :param statuses: dict of UUID -> status
    :param listing: a method of openstacksdk, which lists by status
    :param seconds: how long to wait at most, as a number
    :returns: dict of UUID -> when its status was another, in seconds of the
        monotonic clock
    :raises ToolError: if the time is over
    """
    left, changed = dict(statuses), {}
    begun = told = time.monotonic()
    while True:
        for status in sorted(set(left.values())):
            listed = {found.id for found in listing(
                details=False, status=status)}
            now = time.monotonic()
            for resource in [resource for resource in left
                             if left[resource] == status and
                             resource not in listed]:
                changed[resource] = now
                del left[resource]
        if not left:
            return changed
        if now > begun + seconds:
            raise ToolError(
                f'waited in vain, {seconds} seconds: {len(left)} of '
                f'{len(statuses)} are still '
                f'{", ".join(sorted(set(left.values())))}')
        if now > told + PROGRESS_SECONDS:
            told = now
            progress.say(f'  {len(changed)} of {len(statuses)} have ended')
        time.sleep(PAUSE)
