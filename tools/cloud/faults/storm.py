# SPDX-License-Identifier: Apache-2.0

"""The storm around a fault, until it is over and no request is under way."""

from concurrent import futures
import hashlib
import threading
import time

from tools.cloud.faults import journal
from tools.cloud.faults import kinds
from tools.cloud.faults import records
from tools.cloud.faults import schedule
from tools.cloud.faults import statuses
from tools.cloud.services import service
from tools.common.errors import ToolError
from tools.common import progress

BACKEND = 'copying'
CLIENTS = 24
LOOK_SECONDS = 1
CALM_SECONDS = 35
"""How long nothing may change until what is under way is left alone."""
PATIENCE = 120


class Storms:
    """Storms, one after the other, on one cloud.

    :param client: tools.cloud.faults.client.Client
    :param storage: pathlib.Path of the directory of the volumes
    :param rng: a random.Random
    :param run: the tools.cloud.faults.records.Run that gets what happens
    :param size: how many sources a storm has, and how many creates each of
        them gets, where the fault does not say so
    """

    def __init__(self, client, storage, rng, run, size):
        self._client = client
        self._storage = storage
        self._rng = rng
        self._run = run
        self._size = size
        self._base = None

    def checksum(self, resource_id):
        """Return the SHA-256 of what the storage has, None for nothing."""
        try:
            stored = (self._storage / resource_id).read_bytes()
        except FileNotFoundError:
            return None
        return hashlib.sha256(stored).hexdigest()

    def prepare(self):
        """Make what all storms need: a volume.

        :raises ToolError: if that does not work
        """
        self._base = self._new_volume('base').id
        self._wait([self._base], 'available')

    def _new_volume(self, name):
        return self._client.insist(self._client.volumes.create_volume,
                                   size=1, name=name, volume_type=BACKEND)

    def _new_snapshot(self, name):
        return self._client.insist(self._client.volumes.create_snapshot,
                                   volume_id=self._base, name=name)

    def _wait(self, ids, wanted):
        """Wait until all have a status, or none, which is: they are gone."""
        def look():
            found = self._client.newest()
            seen = {found.get(one, (None, 'gone'))[1] for one in ids}
            failed = {status for status in seen if status.startswith('error')}
            if failed:
                raise ToolError(f'expected status {wanted}, found '
                                 f'{", ".join(failed)}')
            if seen != {wanted}:
                raise ValueError(f'found {", ".join(seen)}')
        service.wait_for(f'status {wanted}', look, PATIENCE)

    def new_sources(self, fault, number):
        """Make the sources of a storm, volumes and snapshots by turns.

        :param fault: name of the fault
        :param number: how many, as an integer
        :returns: list of tools.cloud.faults.records.Source
        :raises ToolError: if that does not work
        """
        turns = [('volume', 'snapshot')[place % 2] for place in range(number)]
        with futures.ThreadPoolExecutor(CLIENTS) as pool:
            made = list(pool.map(
                lambda kind: (self._new_volume if kind == 'volume' else
                              self._new_snapshot)(f'{fault}: source'), turns))
        self._wait([one.id for one in made], 'available')
        sources = [records.Source(fault, one.id, kind, self.checksum(one.id))
                   for kind, one in zip(turns, made)]
        self._run.sources += sources
        return sources

    def blow(self, kind, target):
        """Run a storm, with a fault in the middle of it.

        :param kind: a tools.cloud.faults.kinds.Kind
        :param target: the tools.cloud.faults.kinds.Target
        :raises ToolError: if the fault cannot be made
        """
        number, creates = kind.size or self._size
        progress.say(f'{kind.name}: making {number} sources')
        sources = self.new_sources(kind.name, number)
        steps = schedule.plan(self._rng, number, creates, kind.span)
        fault = records.Fault(kind.name)
        operations = [records.Operation(
            kind.name, step.kind, sources[step.source].source_id,
            f'{kind.name}: {number}' if step.kind == 'create' else None)
            for number, step in enumerate(steps)]
        self._run.faults.append(fault)
        self._run.operations += operations
        progress.say(f'{kind.name}: a storm of {len(steps)} requests in '
                     f'{kind.span} s')
        fault.storm = time.monotonic()
        # An interrupt does not wait for the rest of the storm.
        storm = threading.Thread(daemon=True, target=self._send, args=(
            fault.storm, steps, operations, sources))
        storm.start()
        watch = Watch(self._client, operations)
        watch.start()

        def tell(what):
            fault.what = what
            fault.begin = time.monotonic()
            progress.say(what)

        time.sleep(schedule.EARLIEST)
        kind.strike(target, tell)
        fault.end = time.monotonic()
        progress.say(f'{kind.name}: over')
        storm.join()
        watch.settle()
        fault.settled = time.monotonic()
        progress.say(f'{kind.name}: settled, '
                     + statuses.counts(operations))

    def _send(self, begin, steps, operations, sources):
        with futures.ThreadPoolExecutor(CLIENTS) as pool:
            for step, operation in zip(steps, operations):
                time.sleep(max(begin + step.offset - time.monotonic(), 0))
                pool.submit(getattr(self._client, step.kind), operation,
                            sources[step.source].kind)

    def probe(self, fault):
        """Create volumes from a new volume on each host, then delete all.

        :param fault: name of the fault that came before
        """
        begin = time.monotonic()
        problem = None
        try:
            source = self._new_volume(f'{fault}: later').id
            self._wait([source], 'available')
            copies = []

            def copy():
                # The queue gives the hosts their requests by turns.
                copies.append(self._client.insist(
                    self._client.volumes.create_volume, size=1,
                    name=f'{fault}: later', source_volume_id=source).id)
                self._wait(copies[-1:], 'available')
                if self.checksum(copies[-1]) != self.checksum(source):
                    raise ToolError(f'volume {copies[-1]} is not a copy of '
                                     f'{source}')
                self._demand_hosts(copies)
            service.wait_for('each host to create a volume', copy, PATIENCE)
            for one in (*copies, source):
                self._client.insist(self._client.volumes.delete_volume, one)
            self._wait([*copies, source], 'gone')
        except ToolError as error:
            problem = str(error)
        self._run.probes.append(records.Probe(fault, begin, time.monotonic(),
                                              problem))
        progress.say(f'{fault}: a later create and delete '
                     + ('work' if problem is None else 'do not work'))

    def _demand_hosts(self, copies):
        idle = set(kinds.HOSTS) - {
            call.host.partition('@')[0] for call in records.calls(
                journal.read(self._storage / journal.NAME))
            if call.resource_id in copies}
        if idle:
            raise ValueError(f'none by {", ".join(sorted(idle))}')


class Watch(threading.Thread):
    """Write down each status that the API tells, until nothing changes.

    :param client: tools.cloud.faults.client.Client
    :param operations: list of tools.cloud.faults.records.Operation
    """

    def __init__(self, client, operations):
        super().__init__(daemon=True)
        self._client = client
        self._operations = operations
        self._changed = time.monotonic()
        self._sent = threading.Event()

    def run(self):
        while True:
            is_last = self._sent.is_set()
            asked = time.monotonic()
            try:
                found = self._client.newest()
            except self._client.FAILURES:
                time.sleep(LOOK_SECONDS)
                continue
            if statuses.note(self._operations, found, asked):
                self._changed = time.monotonic()
            if is_last and (
                    not statuses.under_way(self._operations)
                    or time.monotonic() - self._changed > CALM_SECONDS):
                return
            time.sleep(LOOK_SECONDS)

    def settle(self):
        """Return when no request is under way, or seems to end.

        All requests must have been sent.
        """
        self._changed = time.monotonic()
        self._sent.set()
        self.join()
