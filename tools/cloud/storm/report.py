# SPDX-License-Identifier: Apache-2.0

"""What is left for the reader: a table, JSON and a chart."""

import dataclasses
import json

import matplotlib
from matplotlib import pyplot
from rich.console import Console
from rich.table import Table

from tools.common.files import write_whole
from tools.measure.storm import chart

COLOURS = {'upstream': '#c8452d', 'patched': '#2f6fb3'}
IDEAL = '#26303b'
LIMIT = 1.5
"""What ratio to the ideal is an error; 1.1 is the goal on a quiet machine."""


@dataclasses.dataclass
class Outcome:
    """What is known of one wave of creates.

    :param wave: the tools.cloud.storm.wave.Wave
    :param wrong: how many volumes have not the data of their source
    :param most: how many creates the storage did at once, at the most
    :param spent: dict of a service to the processor's seconds it had
    """

    wave: object
    wrong: int
    most: int
    spent: dict


@dataclasses.dataclass
class Result:
    """One storm on one tree, beside its ideal.

    :param cloud: the tools.cloud.deployment.Settings
    :param case: the tools.cloud.storm.cases.Case
    :param tree: 'upstream' or 'patched'
    :param ideal: the Outcome of creates from as many sources
    :param storm: that of creates from one source
    """

    cloud: object
    case: object
    tree: str
    ideal: Outcome
    storm: Outcome

    @property
    def ratio(self):
        """The storm's time as a multiple of the ideal's."""
        return self.storm.wave.seconds / self.ideal.wave.seconds


def problems(results):
    """Say what is wrong with the patched tree, as a list of sentences.

    :param results: list of Result
    """
    found = []
    for result in results:
        if result.tree != 'patched':
            continue
        errors = result.storm.wave.errors + result.ideal.wave.errors
        wrong = result.storm.wrong + result.ideal.wrong
        if errors:
            found.append(f'{result.case}: {errors} creates ended in error')
        if wrong:
            found.append(f'{result.case}: {wrong} volumes have not the data '
                         'of their source')
        if result.ratio > LIMIT and not result.case.serial:
            found.append(f'{result.case}: it took {result.ratio:.2f} times '
                         f'the ideal, expected at most {LIMIT}')
    return found


def _backend(result):
    if result.case.backend == 'rbd':
        return 'rbd, copied' if result.cloud.latency else 'rbd, cloned'
    return result.case.backend


def _mode(settings):
    return 'threads' if settings.threads else 'eventlet'


def table(results):
    """Return the rich.table.Table of results, upstream beside patched.

    :param results: list of Result
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
            _backend(result), case.source, str(case.creates),
            cloud.coordination, _mode(cloud), result.tree,
            f'{ideal.wave.seconds:.1f}', f'{storm.wave.seconds:.1f}',
            f'{result.ratio:.2f}', f'{ideal.most} / {storm.most}',
            f'{ideal.wrong + storm.wrong} of '
            f'{len(ideal.wave.volumes) + len(storm.wave.volumes)}',
            f'{ideal.wave.unfinished} / {storm.wave.unfinished}',
            *(f'{ideal.wave.delays[name]:.1f} / '
              f'{storm.wave.delays[name]:.1f}'
              for name in ('delete', 'extend', 'create')))
    return drawn


def draw(results):
    """Return the chart of results as an SVG document.

    :param results: list of Result
    """
    matplotlib.use('svg')
    labels = list(dict.fromkeys(_label(result) for result in results))
    with pyplot.rc_context(chart.STYLE):
        figure, axes = pyplot.subplots(
            layout='constrained', figsize=(9, 0.6 * len(labels) + 1.2))
        for number, (tree, colour) in enumerate(COLOURS.items()):
            mine = [result for result in results if result.tree == tree]
            rows = [labels.index(_label(result)) + 0.4 * number - 0.2
                    for result in mine]
            axes.barh(rows, [result.storm.wave.seconds for result in mine],
                      height=0.36, color=colour, label=tree)
            axes.scatter([result.ideal.wave.seconds for result in mine], rows,
                         marker='|', s=140, color=IDEAL, zorder=3,
                         label='its ideal' if number else None)
        axes.set_yticks(range(len(labels)), labels)
        axes.invert_yaxis()
        axes.set_xlabel('seconds from the first request to the last volume')
        figure.legend(loc='outside lower center', ncols=3, frameon=False)
        return chart.svg(figure)


def _label(result):
    return (f'{result.case.creates} from one {result.case.source} on '
            f'{_backend(result)}\n{result.cloud.coordination}, '
            f'{_mode(result.cloud)}')


def write(folder, results, facts):
    """Write report.json and chart.svg, each whole or not at all.

    :param folder: pathlib.Path of a directory, which is made
    :param results: list of Result
    :param facts: dict of what else to tell: the command, the machine, ...
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / 'report.json', json.dumps({
        'facts': facts,
        'storms': [{**dataclasses.asdict(result), 'ratio': result.ratio}
                   for result in results]}, indent=2) + '\n')
    write_whole(folder / 'chart.svg', draw(results))


def show(results):
    """Print the table to the standard output.

    :param results: list of Result
    """
    Console(width=160).print(table(results))
