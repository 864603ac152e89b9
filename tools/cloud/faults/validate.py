# SPDX-License-Identifier: Apache-2.0

"""Did everything hold that was promised? Pure functions over records.

The rules:

* data: a volume that was ever available has the data of its source;
* overlap: when the storage began to delete a source, no copy of it for such
  a volume was under way or began later. A create that loses its lock in
  mid-copy may go on, but must end in error;
* stuck: nothing stays in creating or deleting after a restart of the volume
  services, except for the requests that Cinder loses by itself: see lost();
* lock: no lock outlives its lease;
* later: a create and a delete after the fault work.

The series promises one more:

* order: a create that the API accepted before the delete of its source was
  sent does not end in error because of the delete.
"""

import dataclasses

GONE = ('was deleted before a volume', 'is being deleted or overwritten')
"""Parts of the user messages that say that a source was not there to read."""


@dataclasses.dataclass
class Violation:
    """A rule that was broken.

    :param rule: its name
    :param fault: name of the fault in whose traffic it was, or ''
    :param text: what happened, as a sentence
    :param ids: UUIDs of the volumes and snapshots that are involved
    :param time: when it happened
    """
    rule: str
    fault: str
    text: str
    ids: list
    time: float


def check(run, rules=None):
    """Return what broke a rule in a run as a list of Violation.

    :param run: records.Run
    :param rules: the rules, functions of this module; default is RULES
    """
    return [violation for rule in (RULES if rules is None else rules)
            for violation in rule(run)]


def handed_out(run):
    """Return the creates whose volume was ever available.

    :param run: records.Run
    :returns: list of (records.Operation, when it was first seen available)
    """
    found = []
    for operation in run.operations:
        times = [time for time, status in operation.seen
                 if status == 'available']
        if operation.kind == 'create' and times:
            found.append((operation, times[0]))
    return found


def data(run):
    """Return each volume whose data differs from its source's."""
    wanted = {source.source_id: source.checksum for source in run.sources}
    return [
        Violation('data', create.fault,
                  f'volume {create.volume_id} became available, and '
                  + ('there is nothing in the storage'
                     if create.checksum is None else
                     f'is not a copy of {create.source_id}'),
                  [create.volume_id, create.source_id], time)
        for create, time in handed_out(run)
        if create.checksum != wanted[create.source_id]]


def overlap(run):
    """Return each volume whose copy met the deletion of its source."""
    deletions = {}
    for call in run.calls:
        if call.operation == 'delete':
            deletions[call.source_id] = min(
                call.begin, deletions.get(call.source_id, call.begin))
    available = {create.volume_id: create
                 for create, _time in handed_out(run)}
    found = []
    for call in run.calls:
        begun = deletions.get(call.source_id)
        create = available.get(call.resource_id)
        if call.operation != 'copy' or None in (begun, create):
            continue
        if call.end is None or begun < call.end:
            how = ('began after' if begun < call.begin else
                   'was under way at')
            found.append(Violation(
                'overlap', create.fault,
                f'volume {create.volume_id} became available, and its copy '
                f'{how} the deletion of its source {call.source_id}',
                [create.volume_id, call.source_id], begun))
    return found


def lost(run):
    """Return the requests that Cinder lost.

    After a restart Cinder resumes what a service had begun. A request that
    died earlier, with its service or for want of a lock server, leaves its
    volume or snapshot in creating or deleting until an operator resets it;
    so it does in Cinder as released, which can also refuse a create after it
    has made the volume. It differs from a request that hangs: the storage
    never heard of it, it was sent before the fault was over or refused, and
    nobody holds or waits for a lock of its source.

    :param run: records.Run
    :returns: list of records.Operation
    """
    heard = {call.resource_id for call in run.calls}
    ends = {fault.name: fault.end for fault in run.faults}
    under_way = {resource_id for _kind, resource_id, _status in run.stuck}
    return [
        operation for operation in run.operations
        if operation.resource_id in under_way
        and operation.resource_id not in heard
        and (operation.outcome == 'refused'
             or operation.invoked <= (ends.get(operation.fault) or 0))
        and not any(operation.source_id in key for key in run.held)]


def stuck(run):
    """Return what stays in creating or deleting without being lost."""
    of = {operation.resource_id: operation for operation in run.operations}
    known = {operation.resource_id for operation in lost(run)}
    found = []
    for kind, resource_id, status in run.stuck:
        if resource_id in known:
            continue
        operation = of.get(resource_id)
        found.append(Violation(
            'stuck', operation.fault if operation else '',
            f'{kind} {resource_id} is {status} after a restart of the volume '
            'services',
            [resource_id, *([operation.source_id] if operation else [])],
            operation.invoked if operation else run.restarted))
    return found


def lock(run):
    """Return each lock that outlived its lease."""
    return [Violation('lock', name, f'lock {key} outlived its lease after '
                                    f'{what}',
                      [source.source_id for source in run.sources
                       if source.source_id in key], time)
            for name, what, time, locks in [
                *((fault.name, 'the last request', fault.settled, fault.locks)
                  for fault in run.faults),
                ('', 'a restart of the volume services', run.restarted,
                 run.locks)]
            for key in locks]


def later(run):
    """Return each probe that found something not to work."""
    return [Violation('later', probe.fault,
                      f'after the fault "{probe.fault}": {probe.problem}', [],
                      probe.end)
            for probe in run.probes if probe.problem is not None]


RULES = (data, overlap, stuck, lock, later)
"""What Cinder as released must keep too."""


def before(run):
    """Return the creates that the API accepted before the delete was sent.

    :param run: records.Run
    :returns: list of records.Operation
    """
    sent = {operation.source_id: operation.invoked
            for operation in run.operations
            if operation.kind == 'delete' and operation.invoked is not None}
    return [operation for operation in run.operations
            if operation.kind == 'create' and operation.outcome == 'accepted'
            and operation.answered < sent.get(operation.source_id, 0)]


def by_delete(run):
    """Return those of before() that ended in error because of the delete.

    :param run: records.Run
    :returns: list of records.Operation
    """
    return [create for create in _failed(run) if _met_delete(run, create)]


def by_fault(run):
    """Return those of before() that ended in error for another reason.

    Without a user message they may have met the delete too.

    :param run: records.Run
    :returns: list of records.Operation
    """
    return [create for create in _failed(run) if not _met_delete(run, create)]


def order(run):
    """Return each create that failed because of a delete behind it."""
    return [Violation('order', create.fault,
                      f'volume {create.volume_id} ended in error because of '
                      f'the delete of its source {create.source_id}, which '
                      'was sent after the create was accepted',
                      [create.volume_id, create.source_id],
                      create.seen[-1][0])
            for create in by_delete(run)]


def _failed(run):
    return [create for create in before(run) if create.status == 'error']


def _met_delete(run, create):
    """Tell whether a create failed because of the delete of its source.

    The series says so in a user message. Cinder as released says nothing, and
    neither does a service that dies. Then the delete alone was in the way of
    a create that no fault could reach.
    """
    if create.messages:
        return any(part in message for part in GONE
                   for message in create.messages)
    return not _is_reached(run, create)


def _is_reached(run, create):
    """Tell whether a fault or the restart could reach a create."""
    ended = create.seen[-1][0]
    if run.restarted is not None and run.restarted <= ended:
        return True
    return any(fault.begin is not None and fault.begin <= ended
               and (fault.end is None or create.invoked <= fault.end)
               and (create.host is None or create.host in fault.hosts)
               for fault in run.faults if fault.name == create.fault)
