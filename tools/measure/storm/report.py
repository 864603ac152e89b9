# SPDX-License-Identifier: Apache-2.0

"""What is left for the reader: a table, one HTML file, JSON, and the chart.

Each file appears whole or not at all, and the HTML refers to nothing outside
itself.
"""

import dataclasses
import json
import pathlib

import jinja2
import markupsafe
from rich.console import Console
from rich.table import Table

from tools.common.files import write_whole
from tools.measure.storm import chart
from tools.measure.storm import figures

HERE = pathlib.Path(__file__).resolve().parent


def print_table(runs, columns, stream=None):
    """Print the figures of all trees side by side.

    :param runs: list of tools.measure.storm.records.TreeRun
    :param columns: list of tools.measure.storm.figures.Figures in that order
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
    :param runs: list of tools.measure.storm.records.TreeRun
    :param columns: list of tools.measure.storm.figures.Figures in that order
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
