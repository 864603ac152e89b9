# SPDX-License-Identifier: Apache-2.0

"""The traffic of a storm: waves of creates, and unrelated requests.

Times are seconds of the machine's monotonic clock.
"""

from concurrent import futures
import dataclasses
import threading
import time

from tools.common.errors import ToolError
from tools.common import progress


@dataclasses.dataclass
class Wave:
    """What became of the creates of a wave.

    :param volumes: dict of the id of each available volume to its source's
    :param errors: how many ended in error instead
    :param seconds: from the first request to the last volume
    :param unfinished: how many were unfinished when the unrelated requests
        were sent
    :param delays: dict of an unrelated request to the seconds it took
    """

    volumes: dict
    errors: int
    seconds: float
    unfinished: int
    delays: dict


def wave(client, sources):
    """Create a volume from each source at once.

    When all creates are accepted, unrelated requests follow: the delete and
    the extension of other volumes, and the create of an empty one.

    :param client: tools.cloud.storm.client.Client
    :param sources: list of dicts for its create_volume()
    :rtype: Wave
    :raises ToolError: if an unrelated request fails, or the wave takes too
        long
    """
    victim, grown = client.create_volumes(2)
    created = _create_at_once(client, sources)
    progress.say(f'  {len(created)} creates are accepted')
    source_of = {volume: next(iter(source.values()))
                 for (_sent, volume), source in zip(created, sources)}
    unfinished = len({found.id for found in client.volumes.volumes(
        details=False, status='creating')} & set(source_of))
    sent = time.monotonic()
    with futures.ThreadPoolExecutor(3) as pool:
        others = [
            pool.submit(client.volumes.delete_volume, victim),
            pool.submit(client.volumes.extend_volume, grown, 2),
            pool.submit(client.create_volume)]
        _nothing, _nothing, made = [other.result() for other in others]
    ended = client.wait(
        {**dict.fromkeys([*source_of, made], 'creating'),
         victim: 'deleting', grown: 'extending'}, client.volumes.volumes)
    found = client.statuses([*source_of, victim, grown, made],
                            client.volumes.volumes)
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


def _create_at_once(client, sources):
    barrier = threading.Barrier(len(sources))

    def create(source):
        barrier.wait()
        sent = time.monotonic()
        return sent, client.create_volume(**source)

    with futures.ThreadPoolExecutor(len(sources)) as pool:
        return list(pool.map(create, sources))
