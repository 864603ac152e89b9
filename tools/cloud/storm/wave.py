# SPDX-License-Identifier: Apache-2.0

"""Creates that are sent at once, and others' requests in the midst of them.

Times are seconds of the machine's monotonic clock.
"""

from concurrent import futures
import dataclasses
import threading
import time

from tools.common.errors import ToolError
from tools.common import progress

PAUSE = 0.2
PROGRESS_SECONDS = 10
START_SECONDS = 120
SECONDS_EACH = 15
"""How long creates may take, and what they may take longer for each."""


@dataclasses.dataclass
class Wave:
    """What became of it.

    :param volumes: dict of the id of each available volume to its source's
    :param errors: how many are in error instead
    :param seconds: from the first request to the last volume
    :param unfinished: how many were unfinished when others' requests were
        sent
    :param delays: dict of another's request to the seconds it took
    """

    volumes: dict
    errors: int
    seconds: float
    unfinished: int
    delays: dict


class Requests:
    """Requests to the block storage API about one backend.

    :param volumes: the block storage API of openstacksdk
    :param backend: its name, which is that of its volume type
    :param creates: how many creates are sent at once, as an integer
    """

    def __init__(self, volumes, backend, creates):
        self._volumes = volumes
        self._backend = backend
        self._patience = START_SECONDS + SECONDS_EACH * creates

    def create_volume(self, **source):
        """Ask for a volume of 1 GiB and return its id.

        :param source: snapshot_id or source_volume_id, or nothing
        """
        return self._volumes.create_volume(
            size=1, volume_type=self._backend, **source).id

    def create_volumes(self, number):
        """Return the ids of new volumes when all are available."""
        with futures.ThreadPoolExecutor(16) as pool:
            ids = list(pool.map(lambda _number: self.create_volume(),
                                range(number)))
        self._demand(ids, self._volumes.volumes)
        return ids

    def create_snapshots(self, volumes):
        """Return the ids of snapshots of volumes when all are available."""
        with futures.ThreadPoolExecutor(16) as pool:
            ids = [found.id for found in pool.map(
                lambda volume: self._volumes.create_snapshot(
                    volume_id=volume), volumes)]
        self._demand(ids, self._volumes.snapshots)
        return ids

    def _demand(self, ids, listing):
        self._watch(dict.fromkeys(ids, 'creating'), listing)
        wrong = set(self._statuses(ids, listing).values()) - {'available'}
        if wrong:
            raise ToolError(f'expected volumes and snapshots to be '
                             f'available, found {", ".join(sorted(wrong))}')

    def _watch(self, left, listing):
        """Wait until no volume has the status any more that it has now.

        One question tells of all that have the same status.

        :param left: dict of id to status
        :param listing: a method of the API, which lists
        :returns: dict of id to the time at which its status was another
        """
        left, ended = dict(left), {}
        begun = told = time.monotonic()
        while True:
            for status in sorted(set(left.values())):
                listed = {found.id for found in listing(
                    details=False, status=status)}
                now = time.monotonic()
                for resource in [resource for resource in left
                                 if left[resource] == status and
                                 resource not in listed]:
                    ended[resource] = now
                    del left[resource]
            if not left:
                return ended
            if now > begun + self._patience:
                raise ToolError(
                    f'waited in vain, {self._patience} seconds: {len(left)} '
                    f'of {len(left) + len(ended)} are still '
                    f'{", ".join(sorted(set(left.values())))}')
            if now > told + PROGRESS_SECONDS:
                told = now
                progress.say(f'  {len(ended)} of {len(left) + len(ended)} '
                             'have ended')
            time.sleep(PAUSE)

    @staticmethod
    def _statuses(ids, listing):
        return {found.id: found.status for found in listing(details=True)
                if found.id in set(ids)}

    def wave(self, sources):
        """Create a volume from each source at once.

        When all creates are accepted, others' requests follow.

        :param sources: list of dicts for create_volume()
        :rtype: Wave
        """
        victim, grown = self.create_volumes(2)
        barrier = threading.Barrier(len(sources))

        def create(source):
            barrier.wait()
            sent = time.monotonic()
            return sent, self.create_volume(**source)

        with futures.ThreadPoolExecutor(len(sources)) as pool:
            created = list(pool.map(create, sources))
        progress.say(f'  {len(created)} creates are accepted')
        source_of = {volume: next(iter(source.values()))
                     for (_sent, volume), source in zip(created, sources)}
        unfinished = len({found.id for found in self._volumes.volumes(
            details=False, status='creating')} & set(source_of))
        sent = time.monotonic()
        with futures.ThreadPoolExecutor(3) as pool:
            others = [
                pool.submit(self._volumes.delete_volume, victim),
                pool.submit(self._volumes.extend_volume, grown, 2),
                pool.submit(self.create_volume)]
            _nothing, _nothing, made = [other.result() for other in others]
        ended = self._watch(
            {**dict.fromkeys([*source_of, made], 'creating'),
             victim: 'deleting', grown: 'extending'}, self._volumes.volumes)
        found = self._statuses([*source_of, victim, grown, made],
                               self._volumes.volumes)
        if [found.get(victim), found[grown], found[made]] != [
                None, 'available', 'available']:
            raise ToolError(
                f'expected unrelated volumes to be gone, available and '
                f'available, found them {found.get(victim)}, {found[grown]} '
                f'and {found[made]}')
        return Wave(
            {volume: source for volume, source in source_of.items()
             if found[volume] == 'available'},
            sum(found[volume] != 'available' for volume in source_of),
            max(ended[volume] for volume in source_of) -
            min(sent for sent, _volume in created),
            unfinished,
            {name: ended[volume] - sent for name, volume in (
                ('delete', victim), ('extend', grown), ('create', made))})
