# SPDX-License-Identifier: Apache-2.0

"""The chart: the seconds of each storm, and of its ideal, as SVG."""

import matplotlib
from matplotlib import pyplot

from tools.measure.storm import chart

COLOURS = {'upstream': '#c8452d', 'patched': '#2f6fb3'}
IDEAL = '#26303b'


def draw(results):
    """Return the chart of results as an SVG document.

    :param results: list of tools.cloud.storm.results.Result
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
            f'{result.backend}\n{result.cloud.coordination}, '
            f'{result.mode}')
