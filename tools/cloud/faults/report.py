# SPDX-License-Identifier: Apache-2.0

"""What is left for the reader: the table, the violations, and JSON."""

import dataclasses
import json

from rich.console import Console
from rich.table import Table

from tools.cloud.faults import checker
from tools.common.files import write_whole

SUMMED_UP = {'at once': max}
"""How the last row sums up a column; the others are added up."""


def conclude(run, path, facts, also=lambda fault: {}):
    """Check a run and write its records, even if it has not come to its end.

    :param run: the tools.cloud.faults.records.Run; one that has not ended
        shows no violations
    :param path: pathlib.Path of the JSON file to write
    :param facts: dict of what else to tell: the tree, the seed, ...
    :param also: a callable that gets a tools.cloud.faults.records.Fault and returns
        a dict of what else the figures tell of it
    :returns: list of tools.cloud.faults.checker.Violation, and the figures, a list
        of dicts
    """
    violations = checker.check(run) if run.finished else []
    rows = checker.figures(run, violations)
    for row, fault in zip(rows, run.faults):
        row.update(also(fault))
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, facts, run, rows, violations)
    return violations, rows


def print_table(rows, stream=None):
    """Print the figures of all faults.

    :param rows: what tools.cloud.faults.checker.figures() returned, perhaps with
        more of each
    :param stream: text stream; default is the standard output
    """
    table = Table()
    table.add_column('fault')
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
    Console(file=stream, width=140).print(table)


def print_violations(run, violations):
    """Print each violation with what happened around it.

    :param run: tools.cloud.faults.records.Run
    :param violations: list of tools.cloud.faults.checker.Violation
    """
    for violation in violations:
        print(f'\nviolation of "{violation.rule}": {violation.text}')
        for time, text in checker.timeline(run, violation):
            print(f'{time - start(run):10.3f} s  {text}')


def start(run):
    """Return when the first storm began, as a number."""
    return min((fault.storm for fault in run.faults if fault.storm),
               default=0)


def write(path, facts, run, rows, violations):
    """Write all to a JSON file, whole or not at all.

    :param path: pathlib.Path of the file
    :param facts: dict of what else to tell: the command, the seed, ...
    :param run: tools.cloud.faults.records.Run
    :param rows: what tools.cloud.faults.checker.figures() returned
    :param violations: list of tools.cloud.faults.checker.Violation
    """
    write_whole(path, json.dumps({
        'facts': facts, 'figures': rows,
        'violations': [{**dataclasses.asdict(violation),
                        'timeline': checker.timeline(run, violation)}
                       for violation in violations],
        'records': dataclasses.asdict(run)}, indent=1) + '\n')
