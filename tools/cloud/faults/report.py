# SPDX-License-Identifier: Apache-2.0

"""The report on a run: the table, the violations, and JSON."""

import collections
import dataclasses
import json

from rich.console import Console
from rich.table import Table

from tools.cloud.faults import timeline
from tools.cloud.faults import validate
from tools.common.files import write_whole

SUMMED_UP = {'at once': max}
"""How the last row sums up a column; the others are added up."""


def conclude(run, path, facts, also=lambda fault: {}, rules=validate.RULES):
    """Validate a run and write its records, even if it did not finish.

    :param run: the tools.cloud.faults.records.Run; violations are looked for
        in one that finished
    :param path: pathlib.Path of the JSON file to write
    :param facts: dict of what else to tell: the tree, the seed, ...
    :param also: callable that gets a tools.cloud.faults.records.Fault and
        returns a dict of further figures of it
    :param rules: what validate.check() gets
    :returns: list of tools.cloud.faults.validate.Violation, and the figures,
        a list of dicts
    """
    violations = validate.check(run, rules) if run.finished else []
    rows = figures(run, violations)
    for row, fault in zip(rows, run.faults):
        row.update(also(fault))
    write(path, facts, run, rows, violations)
    return violations, rows


def figures(run, violations):
    """Return the figures of a run, a dict for each fault.

    :param run: tools.cloud.faults.records.Run
    :param violations: list of tools.cloud.faults.validate.Violation
    """
    def of(fault, operations):
        return sum(one.fault == fault.name for one in operations)

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
            'before': of(fault, validate.before(run)),
            'by delete': of(fault, validate.by_delete(run)),
            'by fault': of(fault, validate.by_fault(run)),
            'deletes': len(deletes),
            'deletes refused': sum(one.outcome == 'refused'
                                   for one in deletes),
            'lost': of(fault, validate.lost(run)),
            'violations': of(fault, violations),
            'seconds': round(fault.settled - fault.started, 1)
            if fault.settled else None,
        })
    return rows


def print_table(rows, stream=None):
    """Print the figures of all faults.

    :param rows: list of dicts, as conclude() returns it
    :param stream: text stream; default is the standard output
    """
    table = Table()
    table.add_column('fault', no_wrap=True)
    _fault, *names = rows[0]
    for name in names:
        table.add_column(name, justify='right')
    for row in rows:
        table.add_row(row['fault'], *('-' if row[name] is None else
                                      str(row[name])
                                      for name in names))
    table.add_section()
    table.add_row('all', *(str(round(SUMMED_UP.get(name, sum)(
        row[name] or 0 for row in rows), 1)) for name in names))
    Console(file=stream, width=165).print(table)


def print_violations(run, violations):
    """Print each violation with what happened around it.

    :param run: tools.cloud.faults.records.Run
    :param violations: list of tools.cloud.faults.validate.Violation
    """
    for violation in violations:
        print(f'\nviolation of "{violation.rule}": {violation.text}')
        for time, text in timeline.timeline(run, violation):
            print(f'{time - start(run):10.3f} s  {text}')


def print_failures(run, stream=None):
    """Print which creates before a delete failed for another reason.

    :param run: tools.cloud.faults.records.Run
    :param stream: text stream; default is the standard output
    """
    copies = {call.resource_id: call.end for call in run.calls
              if call.operation == 'copy'}
    found = collections.Counter()
    for create in validate.by_fault(run):
        copy = ('no copy' if create.volume_id not in copies else
                'half a copy' if copies[create.volume_id] is None else
                'a whole copy')
        found[f'{create.fault}, host {create.host}, {copy}: '
              + (' '.join(create.messages) or 'no message')] += 1
    for text, number in sorted(found.items()):
        print(f'{number:4} in error by the fault: {text}', file=stream)


def start(run):
    """Return when the first traffic began, as a number."""
    return min((fault.started for fault in run.faults if fault.started),
               default=0)


def write(path, facts, run, rows, violations):
    """Write all to a JSON file, whole or not at all.

    :param path: pathlib.Path of the file
    :param facts: dict of what else to tell: the command, the seed, ...
    :param run: tools.cloud.faults.records.Run
    :param rows: list of dicts, the figures
    :param violations: list of tools.cloud.faults.validate.Violation
    """
    write_whole(path, json.dumps({
        'facts': facts, 'figures': rows,
        'violations': [{**dataclasses.asdict(violation),
                        'timeline': timeline.timeline(run, violation)}
                       for violation in violations],
        'records': dataclasses.asdict(run)}, indent=1) + '\n')
