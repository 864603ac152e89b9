# SPDX-License-Identifier: Apache-2.0

"""The failpoints: what is broken, when, and for how long.

Each injection returns when all works again, or should.
"""

import collections
import time

from tools.cloud.faults import relay
from tools.cloud import journal
from tools.common.waiting import wait_for

LEASE_SECONDS = 30
"""tooz's default lock_timeout, after which a lock on etcd may be lost."""
BEYOND = LEASE_SECONDS + 6
QUORUM_SECONDS = 20
LEADER_SECONDS = 8
HOSTS = ('one', 'two')

Failpoint = collections.namedtuple('Failpoint', 'name span inject size',
                                   defaults=(None,))
"""A fault that can be injected.

* name: text
* span: over how many seconds its traffic is spread
* inject: callable that injects it, with a Target and tell(text, hosts), which
  is called at injection; without hosts it reaches the requests of all
* size: how many sources its traffic has and how many creates each; None for
  what the run says
"""


class Target:
    """The cloud that is to be broken.

    :param deployment: the tools.cloud.deployment.Deployment
    :param server: the service that has the locks; the failpoints of etcd need
        a tools.cloud.faults.relay.RelayedCluster
    :param path: pathlib.Path of the tools.cloud.journal
    """

    def __init__(self, deployment, server, path):
        self.deployment = deployment
        self.server = server
        self._path = path

    def wait_for_call(self, operation, hosts=HOSTS):
        """Wait until a host is in the middle of a copy or a deletion.

        :param operation: 'copy' or 'delete'
        :param hosts: list of the names of those that may be
        :returns: the name of the host as text
        :raises ToolError: if that does not happen
        """
        def look():
            # A call that was killed by an earlier fault never ends.
            found = [host for host in (
                call.host.partition('@')[0] for call in journal.read(
                    self._path)
                if call.operation == operation and call.end is None
                and time.monotonic() - call.begin < 1) if host in hosts]
            if not found:
                raise ValueError(f'the storage is not in a {operation}')
            return found[0]
        return wait_for(f'{" or ".join(hosts)} to be in a {operation}', look,
                        60)


def kill_volume(target, tell):
    """SIGKILL a cinder-volume in mid-copy, and start it again."""
    host = target.wait_for_call('copy')
    victim = target.deployment[f'cinder-volume-{host}']
    tell(f'SIGKILL of {victim.name} in mid-copy', [host])
    victim.kill()
    victim.start()


def _pause_volume(operation):
    def inject(target, tell):
        host = target.wait_for_call(operation)
        victim = target.deployment[f'cinder-volume-{host}']
        tell(f'SIGSTOP of {victim.name} in mid-{operation} for {BEYOND} s, '
             f'its lease is {LEASE_SECONDS} s', [host])
        victim.pause()
        try:
            time.sleep(BEYOND)
        finally:
            victim.resume()
    return inject


def kill_leader(target, tell):
    """Kill the leader of etcd, and start it again."""
    leader = target.server.leader()
    tell(f'SIGKILL of the leader, {leader.name}, for {LEADER_SECONDS} s')
    leader.kill()
    time.sleep(LEADER_SECONDS)
    leader.start()


def lose_quorum(target, tell):
    """Kill two members of etcd."""
    victims = target.server.members[1:]
    tell(f'{", ".join(victim.name for victim in victims)} killed for '
         f'{QUORUM_SECONDS} s, no quorum')
    for victim in victims:
        victim.kill()
    time.sleep(QUORUM_SECONDS)
    for victim in victims:
        victim.launch()
    for victim in victims:
        victim.wait()


def partition(target, tell):
    """Cut one cinder-volume off etcd."""
    host = HOSTS[relay.MEMBER - 1]
    target.wait_for_call('copy', [host])
    tell(f'partition of {BEYOND} s between cinder-volume-{host} and etcd',
         [host])
    target.server.relay.pause()
    try:
        time.sleep(BEYOND)
    finally:
        target.server.relay.resume()


def _restart(name):
    def inject(target, tell):
        victim = target.deployment[name]
        tell(f'restart of {name}')
        victim.stop()
        victim.start()
    return inject


FAILPOINTS = (
    Failpoint('cinder-volume killed', 30, kill_volume),
    Failpoint('cinder-volume paused in a copy', 50, _pause_volume('copy')),
    Failpoint('cinder-volume paused in a delete', 50, _pause_volume('delete')),
    Failpoint('etcd leader killed', 25, kill_leader),
    Failpoint('etcd without quorum', 40, lose_quorum),
    Failpoint('cinder-volume cut off etcd', 50, partition),
    Failpoint('RabbitMQ restarted', 30, _restart('rabbitmq')),
    Failpoint('MariaDB restarted', 30, _restart('mariadb')),
)
SHORT = ('cinder-volume killed', 'etcd leader killed',
         'cinder-volume paused in a copy')
"""Names of those in the short form."""
