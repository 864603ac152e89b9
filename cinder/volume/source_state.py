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

"""Whether a source is fit to be read.

The API checks the status of a source when it accepts a create. By the time
the create holds the lock of the source, the status may have changed:

* The source is used in a way that leaves its data as they are.
* A delete or a rewrite was accepted. The API says so in the status before it
  sends the request, so it may still wait behind the create. Or it has begun,
  and was cut short by a crash, or runs without its lock after a lease expired.
* A delete or a rewrite has failed, and the data may be damaged.

The first is fit to read from, the last is not. For those in between a row of
the ``workers`` table says whether the work has begun: there is one from the
moment at which the worker holds the lock until its end, and it stays if the
worker dies or fails.
"""

import contextlib

from cinder import context as cinder_context
from cinder.db import api as db
from cinder import exception
from cinder.objects import fields
from cinder import service

_SNAPSHOT = fields.SnapshotStatus
_VOLUME = fields.VolumeStatus

READABLE = {
    'Snapshot': frozenset((
        _SNAPSHOT.AVAILABLE,
        _SNAPSHOT.BACKING_UP,
        _SNAPSHOT.UPDATING,
    )),
    'Volume': frozenset((
        _VOLUME.AVAILABLE,
        _VOLUME.IN_USE,
        _VOLUME.ATTACHING,
        _VOLUME.DETACHING,
        _VOLUME.RESERVED,
        _VOLUME.AWAITING_TRANSFER,
        _VOLUME.BACKING_UP,
        _VOLUME.ERROR_BACKING_UP,
        _VOLUME.EXTENDING,
        _VOLUME.ERROR_EXTENDING,
        _VOLUME.UPLOADING,
    )),
}
"""Name of an object class -> statuses in which the data are valid."""

READABLE_UNTIL_BEGUN = {
    'Snapshot': frozenset((
        _SNAPSHOT.DELETING,
        _SNAPSHOT.RESTORING,
        _SNAPSHOT.UNMANAGING,
    )),
    'Volume': frozenset((
        _VOLUME.DELETING,
        _VOLUME.DOWNLOADING,
        _VOLUME.MAINTENANCE,
        _VOLUME.RESTORING_BACKUP,
        _VOLUME.RETYPING,
        'reverting',
        'unmanaging',
    )),
}
"""Name of an object class -> statuses that the API sets before it sends the
request, in which the data are valid until its work has begun."""

READABLE_BEFORE_LAUNCH = {
    'Snapshot': frozenset(),
    'Volume': frozenset((_VOLUME.CREATING, _VOLUME.DOWNLOADING)),
}
"""Name of an object class -> statuses in which its own create reads it."""


def is_readable(source):
    """Return whether the data of a source are valid.

    :param source: A Volume or Snapshot object, read while its lock is held.
    :rtype: bool
    """
    return (source.status in READABLE[source.obj_name()] or
            _is_read_by_its_create(source) or is_about_to_change(source))


def is_about_to_change(source):
    """Return whether a delete or rewrite was accepted and has not begun.

    :param source: A Volume or Snapshot object, read while its lock is held.
    :rtype: bool
    """
    return is_changing(source) and not _has_begun(source)


def check(source):
    """Raise if the data of a source may be invalid.

    :param source: A Volume or Snapshot object, read while its lock is held.
    :raises SourceNotUsable: Its status or its row in ``workers`` says so.
    """
    if not is_readable(source):
        raise exception.SourceNotUsable(source_id=source.id,
                                        status=source.status)


def is_changing(resource):
    """Return whether the status of a resource is one of a delete or rewrite.

    :param resource: An object of any class.
    :rtype: bool
    """
    return resource.status in READABLE_UNTIL_BEGUN.get(resource.obj_name(), ())


@contextlib.contextmanager
def begun(*sources):
    """Note that sources are being deleted or rewritten, for :func:`check`.

    If that fails, the note stays: the data may be damaged, whatever status a
    second attempt sets.

    :param sources: Volume or Snapshot objects.
    :returns: A context manager.
    """
    noted = [_row(source) for source in sources]
    for row in noted:
        _note(row)
    try:
        yield
    except BaseException:
        # A failed delete_volume has removed its row.
        for row in noted:
            _note(row)
        raise
    for row in noted:
        db.worker_destroy(_admin(), **row)


def _is_read_by_its_create(source):
    """Return whether a volume is copied to the image cache at its creation.

    The API accepts no create from a volume that is not launched.
    """
    return (source.status in READABLE_BEFORE_LAUNCH[source.obj_name()] and
            source.launched_at is None)


def _admin():
    return cinder_context.get_admin_context()


def _row(source):
    return {'resource_type': source.obj_name(), 'resource_id': source.id,
            'status': source.status, 'service_id': service.Service.service_id}


def _has_begun(source):
    try:
        worker = db.worker_get(_admin(), resource_type=source.obj_name(),
                               resource_id=source.id, status=source.status)
    except exception.WorkerNotFound:
        return False
    # The API clears the service of a row that it finds, and so counts up.
    return worker.service_id is not None or worker.race_preventer > 0


def _note(row):
    key = {name: row[name] for name in ('resource_type', 'resource_id')}
    while True:
        try:
            db.worker_create(_admin(), **row)
            return
        except exception.WorkerExists:
            pass
        try:
            db.worker_update(_admin(), None, filters=key, **row)
            return
        except exception.WorkerNotFound:
            pass
