# SPDX-License-Identifier: Apache-2.0

"""The end of a run: the services start anew, then what is left is noted."""

from concurrent import futures
import time

from tools.cloud.faults import kinds
from tools.cloud.faults import statuses
from tools.cloud.services.cinder import HOSTS
from tools.cloud.services import service
from tools.common.errors import ToolError
from tools.common import progress

SETTLE_SECONDS = 40
MARGIN = 5
"""The seconds that a server may take to note that a lease is over."""


def restart(cloud, server, run):
    """Stop all volume services and start them again.

    :param cloud: the tools.cloud.cloud.Cloud
    :param server: the service that has the locks
    :param run: tools.cloud.faults.records.Run, which gets the locks before that
    """
    progress.say('all volume services start anew')
    run.held = server.locks()
    agents = [cloud[f'cinder-volume-{host}'] for host in HOSTS]
    with futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda agent: agent.stop(), agents))
        list(pool.map(lambda agent: agent.start(), agents))


def note_statuses(client, run):
    """Wait for what is under way to end; write down what does not.

    :param client: tools.cloud.faults.client.Client
    :param run: tools.cloud.faults.records.Run
    """
    run.restarted = time.monotonic()
    left = []

    def look():
        asked = time.monotonic()
        found = client.insist(client.all)
        statuses.note(run.operations, {one[1]: one[2:] for one in found},
                      asked)
        left[:] = [[kind, resource_id, status]
                   for kind, resource_id, _name, status in found
                   if status in statuses.UNDER_WAY]
        if left:
            raise ValueError(f'{len(left)} are under way')
    try:
        service.wait_for('what is under way to end', look, SETTLE_SECONDS)
    except ToolError as error:
        progress.say(str(error))
    run.stuck = left


def note_checksums(storms, run):
    """Write down what the storage has for each volume of a create.

    :param storms: tools.cloud.faults.storm.Storms
    :param run: tools.cloud.faults.records.Run
    """
    for operation in run.operations:
        if operation.kind == 'create' and operation.volume_id is not None:
            operation.checksum = storms.checksum(operation.volume_id)


def note_locks(server, note):
    """Wait for all locks to go, a lease at the most; write down the others.

    It is done before the restart too: a process that lives keeps its lease,
    and with it a lock that it has forgotten. When it ends, the lock goes.

    :param server: the service that has the locks
    :param note: the tools.cloud.faults.records.Fault that is over, or Run
    """
    def look():
        note.locks = server.locks()
        if note.locks:
            raise ValueError(f'found {", ".join(note.locks)}')
    try:
        service.wait_for('the locks to go', look,
                         kinds.LEASE_SECONDS + MARGIN)
    except ToolError as error:
        progress.say(str(error))
