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

The API has looked at the status of the source when it accepted the create.
By the time the create holds the lock of the source, the source may have been
damaged: by a delete or revert that failed or was cut by a crash, or that goes
on although its lock was lost. Or a backup is being restored into it, for which
no create waits. Its status tells all of these, so it has to be looked at again
under the lock.
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
"""Statuses of snapshots and volumes whose data nobody can rely on."""


def check(source):
    """Refuse a source that is being changed, or that was left half-changed.

    :param source: A Volume or Snapshot object, read while its lock is held.
    :raises SourceNotUsable: its data cannot be relied on
    """
    if source.status in NOT_USABLE:
        raise exception.SourceNotUsable(source_id=source.id,
                                        status=source.status)
