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

"""The locks that keep a source in place while volumes are created from it.

A source is a snapshot or a volume. Whoever reads it to create a volume holds
its read lock; whoever deletes it, rewrites it or moves its data holds its
write lock. So creates from one source run together, and nothing happens to
the source meanwhile.

Whoever needs several locks takes those of volumes before those of snapshots,
and those of one kind in the order of their names. A create that knows its
one source takes one lock. With that, nobody waits in a circle.

A driver that cannot bear two creates from one source at once says so, see
:class:`cinder.volume.driver.BaseVD`, and so can an operator who knows better
than the driver. Creates then take the write lock.
"""

import contextlib
import functools

from cinder import coordination
from cinder.rwlock import base as rwlock


@contextlib.contextmanager
def reading(driver, purpose, volumes=(), snapshots=()):
    """Hold the locks of sources while volumes are created from them.

    :param driver: The driver that creates the volumes.
    :param str purpose: What for, told to those who wait.
    :param volumes: Ids of source volumes.
    :param snapshots: Ids of source snapshots.
    :returns: A context manager that gives the locks.
    :raises LockLost: at the end, if one of them was lost meanwhile
    :raises tooz.ToozError: The coordination backend failed.
    """
    configured = driver.configuration.safe_get('parallel_creates_from_source')
    in_parallel = configured is not False
    with contextlib.ExitStack() as stack:
        locks = _acquire(
            stack, purpose, volumes, snapshots,
            in_parallel and driver.PARALLEL_CREATES_FROM_VOLUME,
            in_parallel and driver.PARALLEL_CREATES_FROM_SNAPSHOT)
        yield locks


@contextlib.contextmanager
def changing(purpose, volumes=(), snapshots=()):
    """Hold the locks of sources while they are deleted or rewritten.

    :param str purpose: What for, told to those who wait.
    :param volumes: Ids of volumes.
    :param snapshots: Ids of snapshots.
    :returns: A context manager.
    :raises LockLost: at the end, if one of them was lost meanwhile
    :raises tooz.ToozError: The coordination backend failed.
    """
    with contextlib.ExitStack() as stack:
        _acquire(stack, purpose, volumes, snapshots, False, False)
        yield


def wait_for_creates(purpose, volume_id):
    """Wait until no volume is created from one that will be rewritten.

    For what takes too long to keep creates waiting, each of which occupies a
    worker of cinder-volume. The volume must have a status by now with which
    :func:`cinder.volume.source_state.check` refuses the creates that come
    later, and keep it until its data can be relied on again.

    :param str purpose: What for, told to those who wait.
    :param volume_id: The id of the volume.
    :raises LockLost: the lock was lost at once
    :raises tooz.ToozError: The coordination backend failed.
    """
    with changing(purpose, volumes=[volume_id]):
        pass


def _acquire(stack, purpose, volumes, snapshots, volumes_shared,
             snapshots_shared):
    locks = []
    for kind, ids, shared in (('volume', volumes, volumes_shared),
                              ('snapshot', snapshots, snapshots_shared)):
        get_lock = (coordination.COORDINATOR.get_read_lock if shared
                    else coordination.COORDINATOR.get_write_lock)
        for name in sorted('%s-delete_%s' % (source_id, kind)
                           for source_id in set(ids)):
            locks.append(stack.enter_context(get_lock(name, purpose)))
    return locks


def ensure_held(locks):
    """Check that locks have been held until now.

    :param locks: What :func:`reading` gave.
    :raises LockLost: one of them was lost
    :raises tooz.ToozError: The coordination backend failed.
    """
    for lock in locks:
        if not lock.is_still_owner():
            raise rwlock.LockLost('Lock %s was lost' % lock.name)


def held_until_return(function):
    """Give a function what holds its locks until it returns.

    For a function that learns in the middle what it has to lock.

    :param function: It gets the keyword argument ``locks``, a
        contextlib.ExitStack.
    """
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        with contextlib.ExitStack() as locks:
            return function(*args, locks=locks, **kwargs)
    return wrapper
