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

"""Whether a volume can still be created from a source.

The API checks the status of the source when it accepts a create. By the time
the create holds the lock, the data of the source may be invalid: a delete or
revert failed, was interrupted by a crash or still runs after it lost its
lock, or a backup is being restored, which creates do not wait for. In each of
these cases the status says so. Creates therefore check it again under the
lock.
"""

from cinder import exception
from cinder.objects import fields

NOT_USABLE = frozenset((
    fields.SnapshotStatus.DELETING,
    fields.SnapshotStatus.ERROR,
    fields.SnapshotStatus.ERROR_DELETING,
    fields.SnapshotStatus.RESTORING,
    'reverting',
    fields.VolumeStatus.RESTORING_BACKUP,
    fields.VolumeStatus.ERROR_RESTORING,
))
"""Statuses of snapshots and volumes whose data may be invalid."""


def check(source):
    """Raise if the data of a source may be invalid.

    :param source: A Volume or Snapshot object, read while its lock is held.
    :raises SourceNotUsable: The status of the source is in ``NOT_USABLE``.
    """
    if source.status in NOT_USABLE:
        raise exception.SourceNotUsable(source_id=source.id,
                                        status=source.status)
