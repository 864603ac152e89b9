# SPDX-License-Identifier: Apache-2.0

"""What remains of a run, before and after a restart of the services."""

from concurrent import futures
import time

from tools.cloud.faults import failpoints
from tools.cloud.faults import watch
from tools.cloud.services.cinder import HOSTS
from tools.common.errors import ToolError
from tools.common import progress
from tools.common.waiting import wait_for

SETTLE_SECONDS = 40
LONGEST_LEASE = 5 / 2
"""How many leases the key of a shared lock can outlast those who shared it, on
etcd. It keeps out nobody but an older tooz."""
MARGIN = 5
"""The seconds that a server may take to end a lease that is over."""


def restart(deployment, server, run):
    """Stop all volume services and start them again.

    :param deployment: the tools.cloud.deployment.Deployment
    :param server: the service that has the locks
    :param run: tools.cloud.faults.records.Run, which gets the locks that are
        held before
    """
    progress.say('restarting all volume services')
    run.held = server.locks()
    agents = [deployment[f'cinder-volume-{host}'] for host in HOSTS]
    with futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda agent: agent.stop(), agents))
        list(pool.map(lambda agent: agent.start(), agents))


def note_statuses(client, run):
    """Wait for requests that are under way; write down what does not end.

    :param client: tools.cloud.faults.client.Client
    :param run: tools.cloud.faults.records.Run
    """
    run.restarted = time.monotonic()
    left = []

    def look():
        asked = time.monotonic()
        found = client.insist(client.all)
        watch.note(run.operations, {one[1]: one[2:] for one in found}, asked)
        left[:] = [[kind, resource_id, status]
                   for kind, resource_id, _name, status in found
                   if status in watch.UNDER_WAY]
        if left:
            raise ValueError(f'{len(left)} are under way')
    try:
        wait_for('what is under way to end', look, SETTLE_SECONDS)
    except ToolError as error:
        progress.say(str(error))
    run.stuck = left


def note_reasons(client, run):
    """Write down what Cinder tells of each create that ended in error.

    :param client: tools.cloud.faults.client.Client
    :param run: tools.cloud.faults.records.Run
    """
    hosts = client.insist(client.hosts)
    messages = client.insist(client.messages)
    for operation in run.operations:
        if operation.kind == 'create' and operation.status == 'error':
            operation.host = hosts.get(operation.volume_id)
            operation.messages = messages.get(operation.volume_id, [])


def note_checksums(contents, run):
    """Write down what the storage has for each volume of a create.

    :param contents: tools.cloud.contents.Copying
    :param run: tools.cloud.faults.records.Run
    """
    for operation in run.operations:
        if operation.kind == 'create' and operation.volume_id is not None:
            operation.checksum = contents.checksum(operation.volume_id)


def note_locks(server, note):
    """Wait until no lock is left, or its lease must be over; note the others.

    This is done before the restart too: a live process keeps its lease, and
    with it a lock that it has forgotten. The lock goes when the process ends.

    :param server: the service that has the locks
    :param note: what gets the locks: the tools.cloud.faults.records.Fault that
        is over, or the Run
    """
    def look():
        note.locks = server.locks()
        if note.locks:
            raise ValueError(f'found {", ".join(note.locks)}')
    try:
        wait_for('the locks to go', look,
                 LONGEST_LEASE * failpoints.LEASE_SECONDS + MARGIN)
    except ToolError as error:
        progress.say(str(error))
