# SPDX-License-Identifier: Apache-2.0

"""What one tree's storm left behind: raw facts, no conclusions.

Times are seconds of the machine's monotonic clock, which parent and child
share; None stands for what never happened.
"""

import dataclasses
from typing import Optional


@dataclasses.dataclass
class Create:
    """One volume created from a source.

    :param volume_id: the new volume's UUID
    :param sent: when the request left
    :param accepted: when the API had answered
    :param begin: when the driver began to copy
    :param end: when the driver had copied
    :param status: the volume's last status as the API told it
    :param checksum: SHA-256 of the copy as hexadecimal text
    """
    volume_id: str
    sent: float
    accepted: float
    begin: Optional[float] = None
    end: Optional[float] = None
    status: str = 'creating'
    checksum: Optional[str] = None


@dataclasses.dataclass
class Wave:
    """Creates that were sent at once, and when the last was available.

    :param creates: list of Create
    :param settled: when the last of them was available or in error
    """
    creates: list
    settled: float

    @property
    def seconds(self):
        """Seconds from the first request to the last available volume."""
        return self.settled - min(create.sent for create in self.creates)


@dataclasses.dataclass
class Delete:
    """One request to delete a volume or snapshot.

    :param resource_id: UUID of what was to be deleted
    :param sent: when the request left
    :param begin: when the driver began to delete
    :param end: when the driver had deleted
    :param gone: when the API answered that there is no such resource
    """
    resource_id: str
    sent: float
    begin: Optional[float] = None
    end: Optional[float] = None
    gone: Optional[float] = None


@dataclasses.dataclass
class TreeRun:
    """Everything measured on one Cinder tree.

    :param name: 'upstream' or 'patched'
    :param versions: dict of distribution name to version
    :param checksum: the source's SHA-256 before the storm
    :param ideal: Wave of creates from as many sources
    :param storm: Wave of creates from one source
    :param delete: Delete of that source, sent during the storm
    :param unrelated: Delete of a volume that has no part in the storm
    """
    name: str
    versions: dict
    checksum: str
    ideal: Wave
    storm: Wave
    delete: Delete
    unrelated: Delete
