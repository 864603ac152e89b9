#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""The end of a run: the services start anew, then what is left is noted."""

import base64
from concurrent import futures
import time

from cloud.cinder import HOSTS
from cloud.errors import CloudError
from cloud.faults import kinds
from cloud.faults import statuses
from cloud import progress
from cloud import service

LOCKS = ('/cinder/readers/', '/tooz/locks')
"""What the keys of all locks begin with."""
SETTLE_SECONDS = 40
MARGIN = 5
"""The seconds that etcd may take to note that a lease is over."""


def restart(cloud, etcd, run):
    """Stop all volume services and start them again.

    :param cloud: the cloud.cloud.Cloud
    :param etcd: cloud.etcd.Cluster
    :param run: cloud.faults.records.Run, which gets the locks before that
    """
    progress.say('all volume services start anew')
    run.held = locks(etcd)
    agents = [cloud[f'cinder-volume-{host}'] for host in HOSTS]
    with futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda agent: agent.stop(), agents))
        list(pool.map(lambda agent: agent.start(), agents))


def note_statuses(client, run):
    """Wait for what is under way to end; write down what does not.

    :param client: cloud.faults.client.Client
    :param run: cloud.faults.records.Run
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
    except CloudError as error:
        progress.say(str(error))
    run.stuck = left


def note_checksums(storms, run):
    """Write down what the storage has for each volume of a create.

    :param storms: cloud.faults.storm.Storms
    :param run: cloud.faults.records.Run
    """
    for operation in run.operations:
        if operation.kind == 'create' and operation.volume_id is not None:
            operation.checksum = storms.checksum(operation.volume_id)


def note_locks(etcd, note):
    """Wait for all locks to go, a lease at the most; write down the others.

    It is done before the restart too: a process that lives keeps its lease,
    and with it a lock that it has forgotten. When it ends, the lock goes.

    :param etcd: cloud.etcd.Cluster
    :param note: the cloud.faults.records.Fault that is over, or Run
    """
    def look():
        note.locks = locks(etcd)
        if note.locks:
            raise ValueError(f'found {", ".join(note.locks)}')
    try:
        service.wait_for('the locks to go', look,
                         kinds.LEASE_SECONDS + MARGIN)
    except CloudError as error:
        progress.say(str(error))


def locks(etcd):
    """Return the keys of all locks in etcd, as a list of text.

    :param etcd: cloud.etcd.Cluster
    """
    return [key for prefix in LOCKS for key in keys(etcd, prefix)]


def keys(etcd, prefix):
    """Return the keys in etcd that begin with a prefix, as a list of text.

    :param etcd: cloud.etcd.Cluster
    :param prefix: text
    """
    first = prefix.encode()
    after = first[:-1] + bytes([first[-1] + 1])
    found = etcd.members[0].ask('/kv/range', {
        'key': base64.b64encode(first).decode(),
        'range_end': base64.b64encode(after).decode(), 'keys_only': True})
    return [base64.b64decode(one['key']).decode(errors='replace')
            for one in found.get('kvs', ())]
