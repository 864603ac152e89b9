# SPDX-License-Identifier: Apache-2.0

"""What happened around a violation, as client, storage and faults saw it."""


def timeline(run, violation, before=60, after=15):
    """Return what happened around a violation, sorted by time.

    :param run: tools.cloud.faults.records.Run
    :param violation: tools.cloud.faults.validate.Violation
    :param before: include faults up to so many seconds earlier
    :param after: and up to so many seconds later
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
        for message in operation.messages:
            add(operation.seen[-1][0], f'client: Cinder tells: {message}')
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
