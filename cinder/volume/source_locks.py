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

A source is a snapshot or a volume. A create holds the read lock of its
source. A delete, and whatever else rewrites a source or moves its data, holds
the write lock. So creates from one source run in parallel, and the source
stays as it is meanwhile.

Code that needs several locks takes those of volumes before those of
snapshots, and those of one kind in the order of their names, which rules out
deadlocks.

Some drivers can run only one create from a source at a time. Such a driver
says so in its attributes, see :class:`cinder.volume.driver.BaseVD`; an
operator can say so with ``parallel_creates_from_source``. Creates then take
the write lock.
"""

import contextlib
import functools

from cinder import coordination
from cinder.rwlock import base as rwlock


@contextlib.contextmanager
def reading(driver, purpose, volumes=(), snapshots=()):
    """Hold the locks of sources while volumes are created from them.

    :param driver: The driver that creates the volumes.
    :param str purpose: The reason that waiters log.
    :param volumes: The ids of source volumes.
    :param snapshots: The ids of source snapshots.
    :returns: A context manager whose value is the list of locks.
    :raises LockLost: One of them was lost before the end of the context.
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

    :param str purpose: The reason that waiters log.
    :param volumes: The ids of volumes.
    :param snapshots: The ids of snapshots.
    :returns: A context manager.
    :raises LockLost: One of them was lost before the end of the context.
    :raises tooz.ToozError: The coordination backend failed.
    """
    with contextlib.ExitStack() as stack:
        _acquire(stack, purpose, volumes, snapshots, False, False)
        yield


def wait_for_creates(purpose, volume_id):
    """Wait until all creates from a volume have ended.

    Operations that take long, such as restoring a backup, call this before
    they rewrite the volume, and hold no lock while they do: every create that
    waited for them would occupy a worker of cinder-volume. Instead, the status
    of the volume must be one that :func:`cinder.volume.source_state.check`
    refuses, from before this call until the data is valid again.

    :param str purpose: The reason that waiters log.
    :param volume_id: The id of the volume.
    :raises LockLost: The lock was lost as soon as it was acquired.
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
    """Raise if a lock was lost.

    :param locks: The locks that :func:`reading` acquired.
    :raises LockLost: One of them was lost.
    :raises tooz.ToozError: The coordination backend failed.
    """
    for lock in locks:
        if not lock.is_still_owner():
            raise rwlock.LockLost('Lock %s was lost' % lock.name)


def held_until_return(function):
    """Let a function acquire locks as it runs and release them at its end.

    For a function that cannot know its locks in advance. It enters each one
    into an ExitStack, which is closed when the function returns.

    :param function: A function with a keyword argument ``locks``, a
        contextlib.ExitStack.
    """
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        with contextlib.ExitStack() as locks:
            return function(*args, locks=locks, **kwargs)
    return wrapper
