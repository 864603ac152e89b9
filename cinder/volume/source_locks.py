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

"""The locks that keep a source in place while it is read.

A source is a snapshot or a volume. Whoever reads it, such as a create from
it, enters :func:`reading`. Whoever deletes it, rewrites it or moves its data
enters :func:`changing`. So the source stays as it is while it is read.

A snapshot has one lock. A volume has one for its id, and after a migration
another for the id that its storage is named after: the record that keeps the
old storage until it is deleted has that id or that name.

Whoever needs several locks takes those of volumes before those of snapshots,
and those of one kind in the order of their names, which rules out deadlocks.

An error when a lock is released never fails an operation: the server frees
the lock after its lease. A reader whose lock was lost is told, since its
source may have changed. One who changes a source is not.
"""

import contextlib

from oslo_log import log as logging
from oslo_utils import timeutils

from cinder import context as cinder_context
from cinder import coordination
from cinder.db import api as db
from cinder import exception

LOG = logging.getLogger(__name__)


@contextlib.contextmanager
def reading(purpose, volumes=(), snapshots=()):
    """Hold the locks of sources while they are read.

    :param str purpose: What the locks are held for, for messages.
    :param volumes: The ids of source volumes.
    :param snapshots: The ids of source snapshots.
    :returns: A context manager.
    :raises SourceNotLocked: A lock could not be acquired.
    :raises SourceLockLost: A lock was lost before the end of the context.
    """
    with _held(purpose, volumes, snapshots) as lost:
        yield
    if lost:
        raise exception.SourceLockLost(name=', '.join(lost), purpose=purpose)


@contextlib.contextmanager
def changing(purpose, volumes=(), snapshots=()):
    """Hold the locks of sources while they are deleted or rewritten.

    :param str purpose: What the locks are held for, for messages.
    :param volumes: The Volume objects.
    :param snapshots: The Snapshot objects.
    :returns: A context manager.
    :raises SourceNotLocked: A lock could not be acquired.
    """
    with _held(
            purpose,
            [volume.id for volume in volumes],
            [snapshot.id for snapshot in snapshots]):
        yield


@contextlib.contextmanager
def _held(purpose, volume_ids, snapshot_ids):
    """Hold the locks of volumes and snapshots.

    A migration can give a volume another storage until its locks are held.
    Then they are released, and acquired by their new names.

    :returns: A context manager whose value is the list of the names of the
        locks that were lost, complete when it has ended.
    """
    lost = []
    storages = set(volume_ids)
    while True:
        names = [coordination.source_lock_name(kind, source_id)
                 for kind, ids in (('volume', storages),
                                   ('snapshot', set(snapshot_ids)))
                 for source_id in sorted(ids)]
        with contextlib.ExitStack() as stack:
            for name in names:
                _acquire(stack, name, purpose, lost)
            stored = _storages_of(volume_ids)
            if stored == storages:
                yield lost
                return
        storages = stored


def _storages_of(volume_ids):
    """Return the ids of volumes and those that their storages are named after.

    :rtype: set[str]
    """
    storages = set(volume_ids)
    for volume_id in volume_ids:
        try:
            storages.add(db.volume_get(
                cinder_context.get_admin_context(), volume_id).name_id)
        except exception.VolumeNotFound:
            LOG.debug('Volume %s is gone; its id alone is locked', volume_id)
    return storages


def _acquire(stack, name, purpose, lost):
    watch = timeutils.StopWatch()
    watch.start()
    LOG.debug('Acquiring lock "%s" for %s', name, purpose)
    try:
        lock = coordination.COORDINATOR.get_lock(name)
        acquired = lock.acquire()
    except Exception as error:
        raise exception.SourceNotLocked(
            name=name, purpose=purpose, reason=error) from error
    if not acquired:
        raise exception.SourceNotLocked(
            name=name, purpose=purpose, reason='it is held by another')
    LOG.debug('Lock "%s" acquired for %s :: waited %0.3fs', name, purpose,
              watch.elapsed())
    stack.callback(_release, lock, name, lost)


def _release(lock, name, lost):
    try:
        held = lock.release()
        LOG.debug('Lock "%s" released', name)
        if not held:
            LOG.warning('Lock %s was lost while it was held', name)
            lost.append(name)
    except Exception:
        LOG.exception('Lock %s was not released', name)
