# SPDX-License-Identifier: Apache-2.0

"""What a run has left behind: facts, no conclusions.

Times are seconds of CLOCK_MONOTONIC; None stands for what never happened.
"""

import dataclasses
from typing import Optional


@dataclasses.dataclass
class Source:
    """A volume or snapshot from which volumes are created.

    :param fault: name of the fault in whose storm it is
    :param source_id: its UUID
    :param kind: 'volume' or 'snapshot'
    :param checksum: SHA-256 of its data before the storm
    """
    fault: str
    source_id: str
    kind: str
    checksum: str


@dataclasses.dataclass
class Operation:
    """What a client asked for.

    :param fault: name of the fault in whose storm it is
    :param kind: 'create' or 'delete'
    :param source_id: UUID of what is copied or deleted
    :param name: of the volume that is created
    :param invoked: when the request left
    :param answered: when the API had answered, or the client gave up
    :param outcome: 'accepted'; 'refused', by a status of 4xx; or 'failed',
        when it may have happened or not
    :param told: what the API said if it did not accept it
    :param volume_id: UUID of the volume that is created
    :param seen: list of [time, status], each status of the volume or of what
        is deleted when the API first told it; 'gone' when it is no more
    :param checksum: SHA-256 of the volume at the end of the run
    """
    fault: str
    kind: str
    source_id: str
    name: Optional[str] = None
    invoked: Optional[float] = None
    answered: Optional[float] = None
    outcome: str = 'failed'
    told: str = ''
    volume_id: Optional[str] = None
    seen: list = dataclasses.field(default_factory=list)
    checksum: Optional[str] = None

    @property
    def resource_id(self):
        """UUID of what gets a status by it."""
        return self.volume_id if self.kind == 'create' else self.source_id

    @property
    def status(self):
        """The last status, or None."""
        return self.seen[-1][1] if self.seen else None


@dataclasses.dataclass
class Call:
    """What the storage did.

    :param operation: 'copy' or 'delete'
    :param resource_id: UUID of what is written or deleted
    :param source_id: UUID of what is copied or deleted
    :param pid: process id of the service
    :param host: the host and backend of the service
    :param begin: when it began
    :param end: when it had ended
    """
    operation: str
    resource_id: str
    source_id: str
    pid: int
    host: str
    begin: float
    end: Optional[float] = None


@dataclasses.dataclass
class Fault:
    """One fault.

    :param name: which
    :param what: what was done, to whom
    :param storm: when its storm began
    :param begin: when the fault began
    :param end: when all worked again, or should
    :param settled: when the storm was over and no request under way
    :param locks: list of the keys of locks in etcd when a lease had passed
        since then
    """
    name: str
    what: str = ''
    storm: Optional[float] = None
    begin: Optional[float] = None
    end: Optional[float] = None
    settled: Optional[float] = None
    locks: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Probe:
    """A create and a delete after a fault, which have to work.

    :param fault: name of the fault
    :param begin: when it began
    :param end: when it had ended
    :param problem: what did not work, or None
    """
    fault: str
    begin: float
    end: float
    problem: Optional[str] = None


@dataclasses.dataclass
class Run:
    """All of a run.

    :param sources: list of Source
    :param operations: list of Operation
    :param calls: list of Call
    :param faults: list of Fault
    :param probes: list of Probe
    :param stuck: list of [kind, UUID, status] that are in creating or
        deleting after all volume services were started again
    :param held: list of the keys of locks in etcd before that
    :param restarted: when these were started again
    :param locks: as those of a Fault, after the restart
    :param finished: whether it came to its end
    """
    sources: list = dataclasses.field(default_factory=list)
    operations: list = dataclasses.field(default_factory=list)
    calls: list = dataclasses.field(default_factory=list)
    faults: list = dataclasses.field(default_factory=list)
    probes: list = dataclasses.field(default_factory=list)
    stuck: list = dataclasses.field(default_factory=list)
    held: list = dataclasses.field(default_factory=list)
    restarted: Optional[float] = None
    locks: list = dataclasses.field(default_factory=list)
    finished: bool = False


def calls(events):
    """Put the events of the storage's journal together.

    :param events: list of dicts, as tools.cloud.faults.journal.read() returns it
    :returns: list of Call in the order in which they began
    """
    found = {}
    for event in events:
        if event['step'] == 'begin':
            found[event['call']] = Call(
                *(event[name] for name in ('operation', 'resource_id',
                                           'source_id', 'pid', 'host',
                                           'time')))
        else:
            found[event['call']].end = event['time']
    return list(found.values())
