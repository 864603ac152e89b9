# SPDX-License-Identifier: Apache-2.0

"""Was anything promised that did not hold? Pure functions over records.

The rules:

* data: a volume that was handed out as available has its source's data;
* overlap: no copy for such a volume was under way, or began, when the
  deletion of its source had begun in the storage. Who loses the lock of a
  source in mid-copy may go on, but has to end in error;
* stuck: nothing stays in creating or deleting that a restart of the volume
  services does not end, as far as Cinder says so: see lost();
* lock: no lock outlives its lease;
* later: a create and a delete after the fault work.
"""

import dataclasses


@dataclasses.dataclass
class Violation:
    """A rule that was broken.

    :param rule: its name
    :param fault: name of the fault in whose storm it was; '' if none's
    :param text: what happened, as a sentence
    :param ids: UUIDs that have a part in it
    :param time: when
    """
    rule: str
    fault: str
    text: str
    ids: list
    time: float


def check(run):
    """Return what is wrong with a run as a list of Violation.

    :param run: records.Run
    """
    return [violation
            for rule in (data, overlap, stuck, lock, later)
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
    """Return each volume that has other data than its source."""
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
    """Return the requests that were accepted and then lost.

    Cinder goes on after a restart with what a service had begun. A request
    that died before, with a service or in vain before a lock server that is
    down, leaves its volume or snapshot in creating or deleting, also in
    Cinder as released; an operator has to reset it. That the storage never
    heard of it, that it was sent before the fault was over, and that nobody
    holds or waits for a lock of its source, tells it from a request that
    hangs.

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
        and operation.invoked <= (ends.get(operation.fault) or 0)
        and not any(operation.source_id in key for key in run.held)]


def stuck(run):
    """Return what stays in creating or deleting, and was not lost."""
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
    """Return the locks that are left."""
    return [Violation('lock', name, f'lock {key} is held, a lease after '
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
    """Return after which faults something does not work."""
    return [Violation('later', probe.fault,
                      f'after the fault "{probe.fault}": {probe.problem}', [],
                      probe.end)
            for probe in run.probes if probe.problem is not None]


def timeline(run, violation, before=60, after=15):
    """Return what happened around a violation, sorted by time.

    :param run: records.Run
    :param violation: Violation
    :param before: seconds before it of which faults are told
    :param after: the same after it
    :returns: list of (time, text)
    """
    ids = set(violation.ids)
    events = []

    def add(time, text):
        if time is not None:
            events.append((time, text))

    for operation in run.operations:
        if not {operation.volume_id, operation.source_id} & ids:
            continue
        if operation.kind == 'create' and operation.volume_id not in ids and (
                violation.rule != 'lock'):
            continue
        what = (f'delete of {operation.source_id}'
                if operation.kind == 'delete' else
                f'create of {operation.volume_id or operation.name} from '
                f'{operation.source_id}')
        add(operation.invoked, f'client: {what} sent')
        add(operation.answered, f'client: {what} {operation.outcome} '
                                f'{operation.told}'.rstrip())
        for time, status in operation.seen:
            add(time, f'client: {operation.resource_id} is {status}')
    for call in run.calls:
        if call.resource_id not in ids:
            continue
        what = f'{call.operation} of {call.source_id}' + (
            f' to {call.resource_id}' if call.operation == 'copy' else '')
        where = f'on {call.host}, process {call.pid}'
        add(call.begin, f'storage: {what} begins {where}')
        add(call.end, f'storage: {what} ended {where}')
    first = min([violation.time, *(time for time, _text in events)])
    last = max([violation.time, *(time for time, _text in events)])
    for fault in run.faults:
        for time, what in ((fault.begin, 'begins'), (fault.end, 'ended')):
            if time is not None and first - before <= time <= last + after:
                events.append((time, f'fault: {fault.what} {what}'))
    events.append((violation.time, f'violation of {violation.rule}'))
    return sorted(events)


def figures(run, violations):
    """Return what the table says, a dict for each fault.

    :param run: records.Run
    :param violations: list of Violation
    """
    rows = []
    for fault in run.faults:
        mine = [operation for operation in run.operations
                if operation.fault == fault.name]
        creates = [one for one in mine if one.kind == 'create']
        deletes = [one for one in mine if one.kind == 'delete']
        rows.append({
            'fault': fault.name,
            'creates': len(creates),
            'available': sum(one.status == 'available' for one in creates),
            'refused': sum(one.outcome == 'refused' for one in creates),
            'errors': sum(one.outcome != 'refused' and
                          (one.status or 'error').startswith('error')
                          for one in creates),
            'deletes': len(deletes),
            'deletes refused': sum(one.outcome == 'refused'
                                   for one in deletes),
            'lost': sum(one.fault == fault.name for one in lost(run)),
            'violations': sum(one.fault == fault.name for one in violations),
            'seconds': round(fault.settled - fault.storm, 1)
            if fault.settled else None,
        })
    return rows
