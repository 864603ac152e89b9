# SPDX-License-Identifier: Apache-2.0

"""What is left for the reader: tables, and a JSON file with the same."""

import itertools
import json

from rich import box
from rich.console import Console
from rich.table import Table

from tools.common.files import write_whole
from tools.measure.locks import verdict
from tools.measure.process import MODES

WIDTH = 79


def tell(lines):
    """Print the tables and the verdict.

    :param lines: list of tools.measure.locks.verdict.Line
    :returns: how many bounds were missed
    """
    print_tables(lines)
    for sentence in verdict.sentences(lines):
        print(sentence)
    passed, failed = verdict.count(lines)
    print('%d passed, %d failed' % (passed, failed))
    return failed


def print_tables(lines, stream=None):
    """Print a table of WIDTH columns at most for each backend.

    :param lines: list of tools.measure.locks.verdict.Line
    :param stream: text stream; default is the standard output
    """
    console = Console(file=stream, width=WIDTH, highlight=False)
    for backend, its_lines in itertools.groupby(
            lines, lambda line: line.backend):
        table = Table(backend, box=box.SIMPLE_HEAD, show_edge=False,
                      pad_edge=False, padding=(0, 1, 0, 0))
        for heading in (*MODES, 'bound', 'rounds'):
            table.add_column(heading, justify='right')
        table.add_column('')
        for line in its_lines:
            bound = line.figure.bound
            table.add_row(
                line.figure.title,
                *(line.figure.text(line.values[mode]) for mode in MODES),
                '' if bound is None else '<= %g' % bound,
                str(line.rounds), line.word())
        console.print(table)


def write(path, lines, facts):
    """Write the JSON file.

    :param path: pathlib.Path of the file, which is replaced
    :param lines: list of tools.measure.locks.verdict.Line
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
