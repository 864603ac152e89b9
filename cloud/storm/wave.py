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


"""Creates that are sent at once, and others' requests in the midst of them.

Times are seconds of the machine's monotonic clock.
"""

from concurrent import futures
import dataclasses
import threading
import time

from cloud.errors import CloudError
from cloud import progress

PAUSE = 0.2
PROGRESS_SECONDS = 10
START_SECONDS = 120
SECONDS_EACH = 15
"""How long creates may take, and what they may take longer for each."""


@dataclasses.dataclass
class Wave:
    """What became of it.

    :param volumes: list of the ids of the volumes that are available
    :param errors: how many are in error instead
    :param seconds: from the first request to the last volume
    :param delays: dict of another's request to the seconds it took
    """

    volumes: list
    errors: int
    seconds: float
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

        :param source: snapshot_id or volume_id, or nothing
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
        found = self._settle(ids, listing)
        wrong = {status for status in found.values()} - {'available'}
        if wrong:
            raise CloudError(f'expected volumes and snapshots to be '
                             f'available, found {", ".join(sorted(wrong))}')

    def _settle(self, ids, listing, status='creating'):
        """Return id -> status when none has a status any more."""
        begun = told = time.monotonic()
        while True:
            left = {found.id for found in listing(
                details=False, status=status)} & set(ids)
            now = time.monotonic()
            if not left:
                break
            if now > begun + self._patience:
                raise CloudError(f'waited in vain, {self._patience} seconds: '
                                 f'{len(left)} of {len(ids)} are still '
                                 f'{status}')
            if now > told + PROGRESS_SECONDS:
                told = now
                progress.say(f'  {len(left)} of {len(ids)} are {status}')
            time.sleep(PAUSE)
        return {found.id: found.status for found in listing(details=True)
                if found.id in set(ids)}

    def wave(self, sources):
        """Create a volume from each source at once.

        When all creates are accepted, others' requests follow.

        :param sources: list of dicts for create_volume()
        :rtype: Wave
        """
        victim, other = self.create_volumes(2)
        barrier = threading.Barrier(len(sources))

        def create(source):
            barrier.wait()
            sent = time.monotonic()
            return sent, self.create_volume(**source)

        with futures.ThreadPoolExecutor(len(sources)) as pool:
            created = list(pool.map(create, sources))
        with futures.ThreadPoolExecutor(3) as pool:
            others = {
                'delete': pool.submit(self._delay, self._delete, victim),
                'update': pool.submit(self._delay, self._update, other),
                'create': pool.submit(self._delay, self._create)}
            ids = [volume for _sent, volume in created]
            found = self._settle(ids, self._volumes.volumes)
            end = time.monotonic()
            delays = {name: request.result()
                      for name, request in others.items()}
        available = [volume for volume in ids
                     if found.get(volume) == 'available']
        return Wave(available, len(ids) - len(available),
                    end - min(sent for sent, _volume in created), delays)

    @staticmethod
    def _delay(request, *arguments):
        begun = time.monotonic()
        request(*arguments)
        return time.monotonic() - begun

    def _delete(self, volume):
        self._volumes.delete_volume(volume)
        found = self._settle([volume], self._volumes.volumes, 'deleting')
        if found:
            raise CloudError(f'expected an unrelated volume to be deleted, '
                             f'found it {found[volume]}')

    def _update(self, volume):
        self._volumes.update_volume(volume, name='renamed')

    def _create(self):
        self.create_volumes(1)
