#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""What is left for the reader: the table, the violations, and JSON."""

import dataclasses
import json

from rich.console import Console
from rich.table import Table

from cloud.faults import checker
from storm.report import write_whole


SUMMED_UP = {'at once': max}
"""How the last row sums up a column; the others are added up."""


def conclude(run, path, facts, also=lambda fault: {}):
    """Check a run and write its records, even if it has not come to its end.

    :param run: the cloud.faults.records.Run; one that has not ended
        shows no violations
    :param path: pathlib.Path of the JSON file to write
    :param facts: dict of what else to tell: the tree, the seed, ...
    :param also: a callable that gets a cloud.faults.records.Fault and returns
        a dict of what else the figures tell of it
    :returns: list of cloud.faults.checker.Violation, and the figures, a list
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

    :param rows: what cloud.faults.checker.figures() returned, perhaps with
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

    :param run: cloud.faults.records.Run
    :param violations: list of cloud.faults.checker.Violation
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
    :param run: cloud.faults.records.Run
    :param rows: what cloud.faults.checker.figures() returned
    :param violations: list of cloud.faults.checker.Violation
    """
    write_whole(path, json.dumps({
        'facts': facts, 'figures': rows,
        'violations': [{**dataclasses.asdict(violation),
                        'timeline': checker.timeline(run, violation)}
                       for violation in violations],
        'records': dataclasses.asdict(run)}, indent=1) + '\n')
