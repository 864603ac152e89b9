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

"""What the locks use of tooz's drivers that tooz has not made public.

All of it stands here, so a change of tooz is noticed in one place: instead of
an AttributeError in the middle of a create, the locks fall back to exclusive
ones at the start of the service.
"""

import tooz


class _Beat:
    """Something that tooz takes for an acquired lock with a heartbeat."""

    def __init__(self, heartbeat):
        self.heartbeat = heartbeat

    def release(self):
        """Do nothing: tooz releases its own locks when it stops."""


def beat_with(coordinator, heartbeat):
    """Have a function called with every heartbeat of a coordinator.

    The etcd3gw and redis drivers beat for every lock that is acquired, at
    least twice in the time of a lock's lease, in a thread of their own.

    :param coordinator: The started tooz coordinator.
    :param heartbeat: A function without arguments.
    """
    _get(coordinator, '_acquired_locks').add(_Beat(heartbeat))


def redis_client(coordinator):
    """Return the redis.Redis of a started tooz coordinator."""
    return _get(coordinator, '_client')


def zookeeper_client(coordinator):
    """Return the KazooClient of a started tooz coordinator."""
    return _get(coordinator, '_coord')


def zookeeper_path(coordinator, name):
    """Return the path of the znode of tooz's lock.

    :param coordinator: The started tooz coordinator.
    :param bytes name: The name of the lock.
    """
    return _get(coordinator.get_lock(name), '_lock').path


def zookeeper_timeout(coordinator):
    """Return the timeout of a coordinator's session, in seconds."""
    return _get(coordinator, 'timeout')


def postgresql_connection(coordinator):
    """Return the psycopg2 connection of a started tooz coordinator."""
    return _get(coordinator, '_conn')


def postgresql_key(coordinator, name):
    """Return the advisory lock of tooz's lock, two numbers in a tuple.

    :param coordinator: The started tooz coordinator.
    :param bytes name: The name of the lock.
    """
    return tuple(_get(coordinator.get_lock(name), 'key'))


def _get(thing, attribute):
    try:
        return getattr(thing, attribute)
    except AttributeError as error:
        raise tooz.NotImplemented(
            'tooz has changed: %s has no %s any more' %
            (type(thing).__name__, attribute)) from error
