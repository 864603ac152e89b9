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

"""What is left for the reader: a table, and a JSON file with the same."""

import datetime
import json
import os
import platform

from rich import box
from rich.console import Console
from rich.table import Table

from bench.process import MODES
from bench import verdict

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

    :param lines: list of bench.verdict.Line
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
    :param lines: list of bench.verdict.Line
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


def write_whole(path, text):
    """Write a text file, so that no reader ever sees a part of it.

    :param path: pathlib.Path of the file, which is replaced
    """
    part = path.with_name(path.name + '.part')
    try:
        part.write_text(text, encoding='utf-8')
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
