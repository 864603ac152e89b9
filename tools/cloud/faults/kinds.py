# SPDX-License-Identifier: Apache-2.0

"""The faults: what is broken, when, and for how long.

Each returns when all works again, or should.
"""

import collections
import time

from tools.cloud.faults import journal
from tools.cloud.faults import relay
from tools.cloud.services import service

LEASE_SECONDS = 30
"""tooz's default lock_timeout; a lock on etcd may be lost after it."""
BEYOND = LEASE_SECONDS + 6
QUORUM_SECONDS = 20
LEADER_SECONDS = 8
HOSTS = ('one', 'two')

Kind = collections.namedtuple('Kind', 'name span strike size',
                              defaults=(None,))
"""Its name, over how many seconds its storm is spread, a callable that does
it: it gets a Target, and a callable that is told what, at the moment. Then how
many sources its storm has and how many creates each of them, if not as many as
the others."""


class Target:
    """The cloud that is to be broken.

    :param cloud: the tools.cloud.cloud.Cloud
    :param server: the service that has the locks; the faults of etcd want a
        tools.cloud.faults.relay.RelayedCluster
    :param path: pathlib.Path of the storage's journal
    """

    def __init__(self, cloud, server, path):
        self.cloud = cloud
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
            under_way = {}
            for event in journal.read(self._path):
                if event['step'] == 'begin':
                    under_way[event['call']] = event
                else:
                    under_way.pop(event['call'])
            # One that was killed by an earlier fault will never end.
            found = [event['host'].partition('@')[0]
                     for event in under_way.values()
                     if event['operation'] == operation
                     and time.monotonic() - event['time'] < 1]
            found = [host for host in found if host in hosts]
            if not found:
                raise ValueError(f'the storage is not in a {operation}')
            return found[0]
        return service.wait_for(f'{" or ".join(hosts)} to be in a {operation}',
                                look, 60)


def kill_volume(target, tell):
    """SIGKILL a cinder-volume in mid-copy, and start it again."""
    victim = target.cloud[f'cinder-volume-{target.wait_for_call("copy")}']
    tell(f'SIGKILL of {victim.name} in mid-copy')
    victim.kill()
    victim.start()


def _pause_volume(operation):
    def strike(target, tell):
        host = target.wait_for_call(operation)
        victim = target.cloud[f'cinder-volume-{host}']
        tell(f'SIGSTOP of {victim.name} in mid-{operation} for {BEYOND} s, '
             f'its lease is {LEASE_SECONDS} s')
        victim.pause()
        try:
            time.sleep(BEYOND)
        finally:
            victim.resume()
    return strike


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
    tell(f'partition of {BEYOND} s between cinder-volume-{host} and etcd')
    target.server.relay.pause()
    try:
        time.sleep(BEYOND)
    finally:
        target.server.relay.resume()


def _restart(name):
    def strike(target, tell):
        victim = target.cloud[name]
        tell(f'restart of {name}')
        victim.stop()
        victim.start()
    return strike


KINDS = (
    Kind('cinder-volume killed', 30, kill_volume),
    Kind('cinder-volume paused in a copy', 50, _pause_volume('copy')),
    Kind('cinder-volume paused in a delete', 50, _pause_volume('delete')),
    Kind('etcd leader killed', 25, kill_leader),
    Kind('etcd without quorum', 40, lose_quorum),
    Kind('cinder-volume cut off etcd', 50, partition),
    Kind('RabbitMQ restarted', 30, _restart('rabbitmq')),
    Kind('MariaDB restarted', 30, _restart('mariadb')),
)
SHORT = ('cinder-volume killed', 'etcd leader killed',
         'cinder-volume paused in a copy')
"""Names of those that the short form has."""
