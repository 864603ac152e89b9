# SPDX-License-Identifier: Apache-2.0

"""The chart: costs, hand-overs and throughput of all backends, as SVG.

All in the mode that is Cinder's default.
"""

import matplotlib
from matplotlib import lines as artists
from matplotlib import patches
from matplotlib import pyplot

from tools.measure.locks.backends import HAND_OVERS
from tools.measure.locks.backends import KINDS
from tools.measure.locks.backends import MOST_HAND_OVER
from tools.measure.locks.verdict import Values
from tools.measure.process import MODES
from tools.measure.storm.chart import INK
from tools.measure.storm.chart import STYLE
from tools.measure.storm.chart import svg

MODE = MODES[0]
SHARED = '#2f6fb3'
EXCLUSIVE = '#c8452d'
PEER = '#b4bcc8'
COLOURS = (SHARED, EXCLUSIVE, '#3d8f5f', '#8e24aa')
CROWDS = (1, 8, 64)
COSTS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)


def draw(lines):
    """Draw the chart.

    :param lines: list of tools.measure.locks.verdict.Line
    :returns: an SVG document as text that refers to nothing outside it
    """
    matplotlib.use('svg')
    values = Values(lines)
    with pyplot.rc_context(STYLE):
        figure, parts = pyplot.subplot_mosaic(
            [['costs', 'costs'], ['hand-overs', 'crowds']],
            layout='constrained', figsize=(9, 8), height_ratios=(3, 2))
        _draw_costs(parts['costs'], values)
        _draw_hand_overs(parts['hand-overs'], values)
        _draw_crowds(parts['crowds'], values)
        for axes in parts.values():
            axes.set_axisbelow(True)
            for side in ('top', 'right'):
                axes.spines[side].set_visible(False)
        return svg(figure)


def _value(values, name, key):
    return values.line(name, key).values[MODE]


def _head(axes, title):
    axes.set_title(title, loc='left', fontsize=10.5, fontweight='bold')


def _draw_costs(axes, values):
    """Draw a dot for every lock, as a part of released tooz's exclusive lock.

    That of ours is judged, so it is the ratio of the table.
    """
    row, ticks = 0, {}
    for name, backend in values.backends():
        tooz = _value(values, name, 'tooz_ms')
        titles = backend.titles
        del titles['tooz']
        for lock, title in titles.items():
            if lock in KINDS:
                part = _value(values, name, lock + '_tooz')
            else:
                part = _value(values, name, lock + '_ms') / tooz
            axes.axhline(row, color=INK, alpha=0.12, linewidth=0.6)
            axes.plot(part, row, 'o', markersize=6, color={
                'shared': SHARED, 'exclusive': EXCLUSIVE}.get(lock, PEER))
            axes.annotate('%.2f' % part, (part, row), (6, 0),
                          textcoords='offset points', va='center',
                          fontsize=7.5)
            ticks[row] = '%s: %s' % (backend.title, title)
            row += 1
        row += 0.6
    axes.set_yticks(list(ticks), list(ticks.values()), fontsize=7.5)
    axes.invert_yaxis()
    axes.axvline(1, color=INK, linewidth=1, linestyle='--')
    axes.set_xscale('log')
    low, high = axes.get_xlim()
    ticks = [tick for tick in COSTS if low <= tick <= high]
    axes.set_xticks(ticks, ['%g' % tick for tick in ticks])
    axes.minorticks_off()
    axes.tick_params(axis='y', length=0)
    _head(axes, "Acquire + release, released tooz's exclusive lock = 1")


def _draw_hand_overs(axes, values):
    """Draw a group of bars for every backend, below the bound."""
    hatches = {'inside': '....', 'short': None, 'long': '////'}
    names = []
    for group, (name, backend) in enumerate(values.backends()):
        names.append(backend.title)
        for place, key in enumerate(HAND_OVERS):
            part, _, wait = key.partition('_')
            axes.bar(group + (place - 2.5) * 0.14, _value(values, name, key),
                     width=0.14, linewidth=0, edgecolor='white',
                     hatch=hatches[wait],
                     color=EXCLUSIVE if part == 'writer' else SHARED)
    axes.set_xticks(range(len(names)), names, fontsize=7.5, rotation=20)
    axes.axhline(MOST_HAND_OVER, color=INK, linewidth=1, linestyle='--')
    axes.set_ylabel('ms')
    axes.set_ylim(0, 1.4 * max(MOST_HAND_OVER, axes.get_ylim()[1]))
    axes.legend(handles=[
        patches.Patch(color=EXCLUSIVE, label='to a writer'),
        patches.Patch(color=SHARED, label='to 3 readers'),
        *(patches.Patch(facecolor=PEER, edgecolor='white', hatch=hatches[wait],
                        label=label)
          for wait, label in (('inside', 'within a process'),
                              ('long', 'after 3 s, not 0.2 s'))),
        artists.Line2D([], [], color=INK, linewidth=1, linestyle='--',
                       label='goal'),
    ], frameon=False, fontsize=7.5, ncols=2, loc='upper left')
    _head(axes, 'Hand-over')


def _draw_crowds(axes, values):
    """Draw two lines for every backend: one name, and as many names."""
    for colour, (name, backend) in zip(COLOURS, values.backends()):
        def rates(key):
            return [_value(values, name, '%s_%d' % (
                'one' if number == 1 else key, number)) for number in CROWDS]

        axes.plot(CROWDS, rates('one'), color=colour, marker='o',
                  markersize=3, label=backend.title)
        axes.plot(CROWDS, rates('names'), color=colour, linewidth=1,
                  linestyle=':')
    axes.set_xscale('log', base=2)
    axes.set_yscale('log')
    axes.set_xticks(CROWDS, [str(number) for number in CROWDS])
    axes.minorticks_off()
    axes.set_ylim(top=10 * axes.get_ylim()[1])
    axes.set_xlabel('readers of one name; dotted: of as many names')
    axes.set_ylabel('acquires a second')
    axes.legend(frameon=False, fontsize=7.5, ncols=2, loc='upper left')
    _head(axes, 'Readers at once')
