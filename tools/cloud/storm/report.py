# SPDX-License-Identifier: Apache-2.0

"""The report on storms: a table, JSON and a chart."""

import dataclasses
import json

from rich.console import Console
from rich.table import Table

from tools.cloud.storm import chart
from tools.common.files import write_whole


def table(results):
    """Return the rich.table.Table of results, upstream beside patched.

    :param results: list of tools.cloud.storm.results.Result
    """
    drawn = Table('backend', 'source', 'creates', 'locks', 'mode', 'tree',
                  'ideal s', 'storm s', 'ratio', 'at once', 'wrong',
                  'left', 'delete s', 'extend s', 'create s')
    for column in drawn.columns[6:]:
        column.justify = 'right'
    for result in results:
        case, cloud = result.case, result.cloud
        ideal, storm = result.ideal, result.storm
        drawn.add_row(
            result.backend, case.source, str(case.creates),
            cloud.coordination, result.mode, result.tree,
            f'{ideal.wave.seconds:.1f}', f'{storm.wave.seconds:.1f}',
            f'{result.ratio:.2f}', f'{ideal.most} / {storm.most}',
            f'{ideal.wrong + storm.wrong} of '
            f'{len(ideal.wave.volumes) + len(storm.wave.volumes)}',
            f'{ideal.wave.unfinished} / {storm.wave.unfinished}',
            *(f'{ideal.wave.delays[name]:.1f} / '
              f'{storm.wave.delays[name]:.1f}'
              for name in ('delete', 'extend', 'create')))
    return drawn


def write(folder, results, facts):
    """Write report.json and chart.svg, each whole or not at all.

    :param folder: pathlib.Path of a directory, which is made
    :param results: list of tools.cloud.storm.results.Result
    :param facts: dict of what else to tell: the command, the machine, ...
    """
    write_whole(folder / 'report.json', json.dumps({
        'facts': facts,
        'storms': [{**dataclasses.asdict(result), 'ratio': result.ratio}
                   for result in results]}, indent=2) + '\n')
    write_whole(folder / 'chart.svg', chart.draw(results))


def show(results):
    """Print the table to the standard output.

    :param results: list of tools.cloud.storm.results.Result
    """
    Console(width=160).print(table(results))
