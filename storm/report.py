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

"""What is left for the reader: a table, one HTML file, JSON, and the chart.

Each file appears whole or not at all, and the HTML refers to nothing outside
itself.
"""

import dataclasses
import json
import os
import pathlib

import jinja2
import markupsafe
from rich.console import Console
from rich.table import Table

from storm import chart
from storm import figures

HERE = pathlib.Path(__file__).resolve().parent


def write_whole(path, text):
    """Write a file so that no reader ever sees a part of it.

    :param path: pathlib.Path of the file, which is replaced
    :param text: its content
    """
    part = path.with_name(path.name + '.part')
    try:
        part.write_text(text, encoding='utf-8')
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def print_table(runs, columns, stream=None):
    """Print the figures of all trees side by side.

    :param runs: list of storm.records.TreeRun
    :param columns: list of storm.figures.Figures in the same order
    :param stream: text stream; default is the standard output
    """
    table = Table('', *(run.name for run in runs))
    for column in table.columns[1:]:
        column.justify = 'right'
    for row in figures.rows(columns):
        table.add_row(*row)
    Console(file=stream).print(table)


def as_html(runs, columns, facts, svg):
    """Return the report as an HTML document.

    :param facts: dict of what else to tell about the run
    :param svg: the chart as an SVG document
    """
    template = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined
    ).from_string((HERE / 'report.html.j2').read_text(encoding='utf-8'))
    return template.render(
        names=[run.name for run in runs], rows=figures.rows(columns),
        problems=[(run.name, figures.problems(column))
                  for run, column in zip(runs, columns)],
        facts=facts, versions=[run.versions for run in runs],
        svg=markupsafe.Markup(svg[svg.index('<svg'):]))


def as_json(runs, columns, facts):
    """Return all figures and raw times as a JSON document."""
    return json.dumps({
        'facts': facts,
        'trees': {run.name: {'figures': dataclasses.asdict(column),
                             'raw': dataclasses.asdict(run)}
                  for run, column in zip(runs, columns)},
    }, indent=2) + '\n'


def write(directory, runs, columns, facts):
    """Write chart.svg, report.html and report.json.

    :param directory: pathlib.Path of a directory that exists
    :param runs: list of storm.records.TreeRun
    :param columns: list of storm.figures.Figures in the same order
    :param facts: dict of what else to tell: the command, the machine, ...
    """
    svg = chart.draw(runs)
    documents = {
        'chart.svg': svg,
        'report.html': as_html(runs, columns, facts, svg),
        'report.json': as_json(runs, columns, facts),
    }
    for name, document in documents.items():
        write_whole(directory / name, document)
