# SPDX-License-Identifier: Apache-2.0

"""The chart: every create, the delete and the unrelated request, as SVG.

Upstream stands above patched on the same time axis, which begins at the
first request of each storm.
"""

import io
import re

import matplotlib
from matplotlib import lines
from matplotlib import patches
from matplotlib import pyplot

from tools.measure.storm import figures

WAITING = '#d5dbe3'
COPYING = '#2f6fb3'
DELETING = '#c8452d'
UNRELATED = '#3d8f5f'
WRONG = '#8e24aa'
FAILED = '#eeb4a8'
INK = '#26303b'
BAR_HEIGHT = 0.72
# A driver deletes within milliseconds: what is shown is at least this wide.
LEAST_WIDTH = 0.006
# Beyond so many creates their rows get thin, and the deletes' rows do not.
FULL_ROWS = 24
STYLE = {
    'font.family': 'sans-serif', 'font.size': 9, 'text.color': INK,
    'axes.edgecolor': INK, 'axes.labelcolor': INK, 'xtick.color': INK,
    'ytick.color': INK, 'svg.hashsalt': 'storm',
}


def _colour(create, checksum):
    if create.checksum is not None and create.checksum != checksum:
        return WRONG
    return COPYING


def _draw(axes, run, width):
    """Draw one tree's storm.

    :param axes: a matplotlib Axes
    :param run: tools.measure.storm.records.TreeRun
    :param width: length of the time axis in seconds
    """
    zero = min(create.sent for create in run.storm.creates)
    least = LEAST_WIDTH * width

    def bar(row, begin, end, colour, rows=1):
        axes.barh(row, max(end - begin, least), left=begin - zero,
                  height=BAR_HEIGHT * rows, color=colour, linewidth=0)

    creates = sorted(run.storm.creates,
                     key=lambda create: create.begin or float('inf'))
    for row, create in enumerate(creates):
        if create.begin is None:
            bar(row, create.sent, run.storm.settled, FAILED)
        else:
            bar(row, create.sent, create.begin, WAITING)
            bar(row, create.begin, create.end,
                _colour(create, run.checksum))
    last = len(creates) - 1
    thick = max(1, len(creates) / FULL_ROWS)
    first_delete = last + 0.5 + thick / 2
    second_delete = first_delete + thick
    delete = run.delete
    if delete.begin is not None:
        bar(first_delete, delete.sent, delete.begin, WAITING, thick)
        bar(first_delete, delete.begin, delete.end, DELETING, thick)
    bar(second_delete, run.unrelated.sent, run.unrelated.gone, UNRELATED,
        thick)
    axes.set_ylim(second_delete + 0.7 * thick, -0.7)
    ticks = {0: 'create 1', last: 'create %d' % len(creates),
             first_delete: 'delete of the source',
             second_delete: 'unrelated delete'}
    axes.set_yticks(list(ticks), list(ticks.values()))
    axes.axvline(run.ideal.seconds, color=INK, linewidth=1, linestyle='--')
    axes.axhline(last + 0.5, color=INK, linewidth=0.4, alpha=0.5)
    axes.set_xlim(0, width)
    axes.grid(axis='x', color=INK, alpha=0.12, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis='y', length=0)
    for side in ('top', 'right', 'left'):
        axes.spines[side].set_visible(False)


def _title(run):
    column = figures.figures(run)
    return '%s: %d of %d creates in %.1f s, %.1f times the ideal' % (
        run.name, column.available, column.creates, column.seconds,
        column.ratio)


def draw(runs):
    """Draw the storms one above the other.

    :param runs: list of tools.measure.storm.records.TreeRun
    :returns: an SVG document as text that refers to nothing outside it
    """
    matplotlib.use('svg')
    width = 1.05 * max(
        max(run.storm.settled, run.delete.gone or 0, run.unrelated.gone) -
        min(create.sent for create in run.storm.creates) for run in runs)
    rows = len(runs[0].storm.creates) + 2
    height = min(max(0.17 * rows, 1.2), 8)
    with pyplot.rc_context(STYLE):
        figure, all_axes = pyplot.subplots(
            len(runs), sharex=True, layout='constrained',
            figsize=(9, len(runs) * (height + 0.35) + 0.8))
        for axes, run in zip(all_axes, runs):
            _draw(axes, run, width)
            axes.set_title(_title(run), loc='left', fontsize=10.5,
                           fontweight='bold')
        all_axes[-1].set_xlabel('seconds since the first request')
        legend = [('waiting', WAITING), ('in the driver', COPYING),
                  ('delete of the source', DELETING),
                  ('unrelated delete', UNRELATED)]
        if any(create.begin is None for run in runs
               for create in run.storm.creates):
            legend.append(('create in error', FAILED))
        if any(column.wrong for column in map(figures.figures, runs)):
            legend.append(('wrong checksum', WRONG))
        handles = [patches.Patch(color=colour, label=label)
                   for label, colour in legend]
        handles.append(lines.Line2D([], [], color=INK, linewidth=1,
                                    linestyle='--', label='the ideal'))
        figure.legend(handles=handles, loc='outside lower center',
                      ncols=len(handles), frameon=False)
        return svg(figure)


def svg(figure):
    """Return a matplotlib figure as an SVG document, and close it.

    :returns: text that refers to nothing outside it and has no white space
        at the end of its lines
    """
    drawn = io.StringIO()
    figure.savefig(drawn, format='svg', facecolor='white',
                   metadata={key: None for key in (
                       'Creator', 'Date', 'Format', 'Type')})
    pyplot.close(figure)
    document = re.sub(r'[ \t]+$', '', drawn.getvalue(), flags=re.MULTILINE)
    # matplotlib names a DTD on the web, which a browser might want to load.
    return re.sub(r'<!DOCTYPE.*?>\s*', '', document, flags=re.DOTALL)
