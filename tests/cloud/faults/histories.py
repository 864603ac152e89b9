# SPDX-License-Identifier: Apache-2.0

"""Histories that are made up, for one thing to be wrong in each."""

from tools.cloud.faults import records
from tools.cloud import journal

SUM = 'a1'


def create(**instead):
    """Return a create that ends well, at second 4."""
    return records.Operation(**{
        'fault': 'quake', 'kind': 'create', 'source_id': 'source',
        'name': 'copy', 'invoked': 1, 'answered': 1.5,
        'outcome': 'accepted', 'volume_id': 'copy',
        'seen': [[2, 'creating'], [4, 'available']], 'checksum': SUM,
        **instead})


def delete(**instead):
    """Return a delete of the source that ends well, at second 8."""
    return records.Operation(**{
        'fault': 'quake', 'kind': 'delete', 'source_id': 'source',
        'invoked': 2, 'answered': 2.5, 'outcome': 'accepted',
        'seen': [[3, 'deleting'], [8, 'gone']], **instead})


def history(*operations, copy=(2, 3.5), deletion=(5, 6), **instead):
    """Return a run in which all is well but for what is given."""
    calls = [journal.Call('copy', 'copy', 'source', 7, 'one@copying', *copy)]
    if deletion:
        calls.append(journal.Call('delete', 'source', 'source', 8,
                                  'two@copying', *deletion))
    return records.Run(**{
        'sources': [records.Source('quake', 'source', 'volume', SUM)],
        'operations': list(operations or (create(), delete())),
        'calls': calls,
        'faults': [records.Fault('quake', 'the earth shakes', 0, 2, 5, 9)],
        'probes': [records.Probe('quake', 10, 12)], 'restarted': 20,
        **instead})
