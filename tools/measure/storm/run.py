# SPDX-License-Identifier: Apache-2.0

"""The scenario, over REST, on one running Cinder.

First the ideal: as many creates as sources, sent at once. Then the storm: as
many creates from one source, sent at once; as soon as the scheduler has
placed them all, the source and an unrelated volume are deleted. Afterwards
every copy's checksum is taken. A create that fails in the storm is a result;
whatever else fails is a ToolError.
"""

import concurrent.futures
import time

from tools.common.errors import ToolError
from tools.common.progress import say
from tools.common.waiting import wait_for
from tools.measure.storm.records import Create
from tools.measure.storm.records import Delete
from tools.measure.storm.records import TreeRun
from tools.measure.storm.records import Wave

OBSERVE_SECONDS = 0.1
PROGRESS_SECONDS = 2
# From a worker's beginning with a create to its asking for the lock.
HANDOVER_SECONDS = 0.5
UNFINISHED = ('creating', 'downloading')
HOST = 'os-vol-host-attr:host'


class Scenario:
    """Runs the ideal and the storm once.

    :param name: the tree's name, for progress lines and results
    :param cloud: a tools.measure.storm.process.Cloud that has started
    :param source: 'snapshot' or 'volume'
    :param creates: how many volumes to create at once, as an integer
    :param seconds: how long one create takes in the driver, as a float
    """

    def __init__(self, name, cloud, source, creates, seconds):
        self._name = name
        self._cloud = cloud
        self._client = cloud.client
        self._source = source
        self._kind = source + 's'
        self._field = 'snapshot_id' if source == 'snapshot' else 'source_volid'
        self._creates = creates
        self._patience = 120 + creates * (seconds + 1)

    def run(self):
        """Run all of it and return a TreeRun."""
        sources, unrelated_id = self._prepare()
        self._say(f'the ideal: {self._creates} creates from {self._creates} '
                  f'{self._kind}')
        ideal = self._wave(sources)
        self._demand_success(ideal)
        checksum = self._client.checksum(sources[0])
        self._say('the storm: %d creates from one %s'
                  % (self._creates, self._source))
        deletes = []
        storm = self._wave(sources[:1] * self._creates,
                           lambda: deletes.extend(
                               self._delete(sources[0], unrelated_id)))
        source_delete, unrelated = deletes
        self._wait_until_gone(source_delete)
        self._say('checksums of %d volumes' % self._creates)
        for create in storm.creates:
            if create.status == 'available':
                create.checksum = self._client.checksum(create.volume_id)
        self._add_driver_times(ideal.creates + storm.creates,
                               [source_delete, unrelated.result()])
        return TreeRun(self._name, self._cloud.versions, checksum, ideal,
                       storm, source_delete, unrelated.result())

    def _say(self, text):
        say(f'{self._name:8} {text}')

    def _prepare(self):
        """Return the sources' UUIDs and that of an unrelated volume."""
        def at_once(create, *args):
            return self._at_once(lambda _number: create(*args),
                                 range(self._creates))

        self._wait('the scheduler to know the backend', self._client.pools)
        self._say('creating %d source %s' % (self._creates, self._kind))
        unrelated = self._client.create_volume()
        if self._source == 'volume':
            sources = at_once(self._client.create_volume)
            self._wait_until_available('volumes', [unrelated, *sources])
            return sources, unrelated
        base = self._client.create_volume()
        self._wait_until_available('volumes', [unrelated, base])
        sources = at_once(self._client.create_snapshot, base)
        self._wait_until_available('snapshots', sources)
        return sources, unrelated

    def _wave(self, sources, when_taken_up=None):
        """Create one volume from each source at once; wait for the last.

        :param sources: list of UUIDs
        :param when_taken_up: called once the volume service works on them
        :returns: Wave
        """
        creates = self._at_once(self._create, sources)
        if when_taken_up is not None:
            self._wait('the creates to be taken up',
                       lambda: self._are_taken_up(creates))
            time.sleep(HANDOVER_SECONDS)
            when_taken_up()
        return Wave(creates, self._settle(creates))

    def _are_taken_up(self, creates):
        wanted = {create.volume_id for create in creates}
        taken = wanted.intersection(self._client.taken())
        return (len(taken) >= min(len(wanted), self._cloud.workers) and
                all(volume[HOST] or volume['status'] not in UNFINISHED
                    for volume in self._volumes_of(creates)))

    def _create(self, source_id):
        sent = time.monotonic()
        volume_id = self._client.create_volume(**{self._field: source_id})
        return Create(volume_id, sent, time.monotonic())

    def _at_once(self, function, arguments):
        """Call function on each argument in threads; return the results."""
        pool = concurrent.futures.ThreadPoolExecutor(len(arguments))
        answers = pool.map(function, arguments)
        # An interrupt does not wait for answers.
        pool.shutdown(wait=False)
        accepted = list(answers)
        self._say(f'{len(accepted)} requests accepted')
        return accepted

    def _delete(self, source_id, unrelated_id):
        """Ask for both deletes.

        :returns: the source's Delete, and a future of the unrelated one
        """
        self._say('deleting the source and an unrelated volume')
        pool = concurrent.futures.ThreadPoolExecutor(1)
        unrelated = pool.submit(self._delete_and_wait, unrelated_id)
        pool.shutdown(wait=False)
        delete = Delete(source_id, time.monotonic())
        self._client.delete(self._kind, source_id)
        return delete, unrelated

    def _delete_and_wait(self, volume_id):
        delete = Delete(volume_id, time.monotonic())
        self._client.delete('volumes', volume_id)
        self._wait('the delete of the unrelated volume',
                   lambda: not self._client.exists('volumes', volume_id))
        delete.gone = time.monotonic()
        return delete

    def _volumes_of(self, creates):
        volumes = self._client.list('volumes')
        return [volumes[create.volume_id] for create in creates]

    def _settle(self, creates):
        """Wait until no create is unfinished; return when that was.

        The API is asked seldom, so as not to slow it down, until the driver
        has copied all.
        """
        wanted = {create.volume_id for create in creates}
        deadline = time.monotonic() + self._patience
        next_look = 0
        while True:
            self._cloud.check()
            copied = {call[1] for call in self._client.journal()}
            now = time.monotonic()
            if wanted <= copied or now >= next_look:
                for create, volume in zip(creates, self._volumes_of(creates)):
                    create.status = volume['status']
                statuses = [create.status for create in creates]
                settled = time.monotonic()
                unfinished = sum(status in UNFINISHED for status in statuses)
                if not unfinished or now >= next_look:
                    self._say(f'{statuses.count("available")} of '
                              f'{len(statuses)} volumes available, '
                              f'{statuses.count("error")} in error')
                    next_look = now + PROGRESS_SECONDS
                if not unfinished:
                    return settled
            if now > deadline:
                raise ToolError(f'{unfinished} of {len(creates)} creates did '
                                f'not end within {self._patience:.0f} seconds')
            time.sleep(OBSERVE_SECONDS)

    def _wait(self, what, condition):
        """Return once condition() is true; say what we wait for."""
        def look():
            self._cloud.check()
            if not condition():
                raise ValueError('not yet')
        self._say(f'waiting for {what}')
        wait_for(what, look, self._patience)

    def _wait_until_available(self, kind, ids):
        def all_available():
            found = self._client.list(kind)
            for resource_id in ids:
                status = found[resource_id]['status']
                if status.startswith('error'):
                    raise ToolError('a source is in status ' + status)
                if status != 'available':
                    return False
            return True
        self._wait('the %s to be available' % kind, all_available)

    def _wait_until_gone(self, delete):
        def gone():
            found = self._client.list(self._kind).get(delete.resource_id)
            return found is None or found['status'] == 'error_deleting'
        self._wait('the delete of the source', gone)
        if not self._client.exists(self._kind, delete.resource_id):
            delete.gone = time.monotonic()

    def _demand_success(self, wave):
        failed = [create.status for create in wave.creates
                  if create.status != 'available']
        if failed:
            raise ToolError(f'{len(failed)} of {len(wave.creates)} creates '
                            f'from as many {self._kind} ended in status '
                            f'{failed[0]}')

    def _add_driver_times(self, creates, deletes):
        def times(kind):
            return {call[1]: call[3:] for call in journal
                    if call[0].startswith(kind)}

        journal = self._client.journal()
        created, deleted = times('create_from_source'), times('delete_')
        never = None, None
        for create in creates:
            create.begin, create.end = created.get(create.volume_id, never)
        for delete in deletes:
            delete.begin, delete.end = deleted.get(delete.resource_id, never)
