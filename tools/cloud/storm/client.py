# SPDX-License-Identifier: Apache-2.0

"""The client: asks Cinder's API for volumes and snapshots of one backend."""

from concurrent import futures

from tools.cloud import statuses
from tools.common.errors import ToolError

START_SECONDS = 120
SECONDS_EACH = 15
"""How long a wave may take, and how much longer for each of its creates."""


class Client:
    """Requests to the block storage API about one backend.

    :param volumes: the block storage API of openstacksdk
    :param backend: its name, which is that of its volume type
    :param creates: how many creates are sent at once, as an integer
    """

    def __init__(self, volumes, backend, creates):
        self.volumes = volumes
        self._backend = backend
        self._patience = START_SECONDS + SECONDS_EACH * creates

    def create_volume(self, **source):
        """Ask for a volume of 1 GiB and return its id.

        :param source: snapshot_id or source_volume_id, or nothing
        """
        return self.volumes.create_volume(
            size=1, volume_type=self._backend, **source).id

    def create_volumes(self, number):
        """Return the ids of new volumes when all are available.

        :param number: how many, as an integer
        :raises ToolError: if one is not
        """
        return self._create(lambda _number: self.create_volume(),
                            range(number), self.volumes.volumes)

    def create_snapshots(self, volumes):
        """Return the ids of snapshots of volumes when all are available.

        :param volumes: list of ids
        :raises ToolError: if one is not
        """
        return self._create(
            lambda volume: self.volumes.create_snapshot(volume_id=volume).id,
            volumes, self.volumes.snapshots)

    def _create(self, ask, things, listing):
        with futures.ThreadPoolExecutor(16) as pool:
            ids = list(pool.map(ask, things))
        self.wait(dict.fromkeys(ids, 'creating'), listing)
        wrong = set(self.statuses(ids, listing).values()) - {'available'}
        if wrong:
            raise ToolError(f'expected volumes and snapshots to be '
                            f'available, found {", ".join(sorted(wrong))}')
        return ids

    def wait(self, left, listing):
        """Wait until resources have left their status.

        :param left: dict of id -> status
        :param listing: a method of the API, which lists
        :returns: as tools.cloud.statuses.for_change() does
        :raises ToolError: if that takes too long
        """
        return statuses.for_change(left, listing, self._patience)

    @staticmethod
    def statuses(ids, listing):
        """Return the statuses of resources as a dict of id -> status.

        :param ids: list of ids; those that are gone are left out
        :param listing: a method of the API, which lists
        """
        return {found.id: found.status for found in listing(details=True)
                if found.id in set(ids)}
