# SPDX-License-Identifier: Apache-2.0

"""What is left for the reader: a table, and a JSON file with the same."""

import datetime
import json
import os
import platform

from rich import box
from rich.console import Console
from rich.table import Table

from tools.common.files import write_whole
from tools.measure.files.process import MODES
from tools.measure.files import verdict

WIDTH = 79


def facts():
    """Return what else there is to tell about the run, a dict."""
    return {
        'cores': len(os.sched_getaffinity(0)),
        'machine': platform.platform(),
        'python': platform.python_version(),
        'date': datetime.datetime.now(datetime.timezone.utc).strftime(
            '%Y-%m-%d %H:%M UTC'),
    }


def tell(lines):
    """Print the table and the verdict, and return the exit status."""
    print_table(lines)
    for sentence in verdict.sentences(lines):
        print(sentence)
    passed, failed = verdict.count(lines)
    print('%d passed, %d failed' % (passed, failed))
    return 1 if failed else 0


def print_table(lines, stream=None):
    """Print the lines as a table of WIDTH columns at most.

    :param lines: list of tools.measure.files.verdict.Line
    :param stream: text stream; default is the standard output
    """
    table = Table('acquire + release', box=box.SIMPLE_HEAD, show_edge=False,
                  pad_edge=False, padding=(0, 1, 0, 0))
    for heading in (*MODES, 'bound', 'rounds'):
        table.add_column(heading, justify='right')
    table.add_column('')
    for line in lines:
        bound = line.figure.bound
        table.add_row(
            line.figure.title,
            *(line.figure.text(line.values[mode]) for mode in MODES),
            '' if bound is None else '<= %g' % bound,
            str(line.rounds), line.word())
    Console(file=stream, width=WIDTH, highlight=False).print(table)


def write(path, lines, facts):
    """Write the JSON file.

    :param path: pathlib.Path of the file, which is replaced
    :param lines: list of tools.measure.files.verdict.Line
    :param facts: dict of what else to tell about the run
    """
    write_whole(path, json.dumps({
        'facts': facts,
        'figures': [{'measure': line.measure, 'key': line.key,
                     'title': line.figure.title.strip(),
                     'unit': line.figure.unit, 'bound': line.figure.bound,
                     'rounds': line.rounds, 'values': line.values,
                     'repeated': line.repeated, 'failed': line.failed()}
                    for line in lines],
    }, indent=2) + '\n')
