# SPDX-License-Identifier: Apache-2.0

"""What was seen in a run: facts, no conclusions.

Times are seconds of CLOCK_MONOTONIC; None stands for what never happened.
"""

import dataclasses
from typing import Optional


@dataclasses.dataclass
class Source:
    """A volume or snapshot from which volumes are created.

    :param fault: name of the fault in whose traffic it is
    :param source_id: its UUID
    :param kind: 'volume' or 'snapshot'
    :param checksum: SHA-256 of its data before the traffic
    """
    fault: str
    source_id: str
    kind: str
    checksum: str


@dataclasses.dataclass
class Operation:
    """What a client asked for.

    :param fault: name of the fault in whose traffic it is
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
        is deleted, when the API first told it; 'gone' at the end
    :param checksum: SHA-256 of the volume at the end of the run
    :param host: name of the host of the volume at the end of the run, if it
        is in error
    :param messages: the user messages about it then, if it is in error
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
    host: Optional[str] = None
    messages: list = dataclasses.field(default_factory=list)

    @property
    def resource_id(self):
        """UUID of what gets a status by it."""
        return self.volume_id if self.kind == 'create' else self.source_id

    @property
    def status(self):
        """The last status, or None."""
        return self.seen[-1][1] if self.seen else None


@dataclasses.dataclass
class Fault:
    """One fault.

    :param name: of its failpoint
    :param what: what was done to which service
    :param started: when its traffic began
    :param begin: when the fault began
    :param end: when all worked again, or should have
    :param settled: when the traffic was over and no request under way
    :param locks: list of the keys of locks in etcd when a lease had passed
        since then
    :param hosts: list of the names of the hosts whose requests it could reach
    """
    name: str
    what: str = ''
    started: Optional[float] = None
    begin: Optional[float] = None
    end: Optional[float] = None
    settled: Optional[float] = None
    locks: list = dataclasses.field(default_factory=list)
    hosts: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Probe:
    """A create and a delete that were tried after a fault.

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
    :param calls: list of tools.cloud.journal.Call
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
