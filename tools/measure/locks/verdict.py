# SPDX-License-Identifier: Apache-2.0

"""Bring the results of all measures together and judge them.

A bound that was missed by so little that it may be noise gets one more run of
its measure, whose value then counts, whatever it is. The output says so.
"""

import dataclasses

from tools.measure.locks.backends import BACKENDS
from tools.measure.locks import figures
from tools.measure.process import MODES


@dataclasses.dataclass
class Line:
    """One figure with its values.

    :ivar measure: what was measured, 'backend.measure'
    :ivar key: the key of the figure there
    :ivar figure: the Figure
    :ivar rounds: how many rounds each value is the median of
    :ivar values: dict of mode -> the value that counts
    :ivar repeated: dict of mode -> the first value, where there was a second
    """

    measure: str
    key: str
    figure: figures.Figure
    rounds: int
    values: dict
    repeated: dict

    @property
    def backend(self):
        """The backend on which it was measured, as text."""
        return self.measure.partition('.')[0]

    def failed(self):
        """Return the list of the modes in which the bound was missed."""
        return [mode for mode, value in self.values.items()
                if self.figure.missed(value)]

    def word(self):
        """Return 'ok' or 'FAILED', or nothing if there is no bound."""
        if self.figure.bound is None:
            return ''
        return 'FAILED' if self.failed() else 'ok'


class Values:
    """The lines of all measures of all backends.

    :param lines: list of Line
    """

    def __init__(self, lines):
        self._lines = {(line.backend, line.key): line for line in lines}

    def backends(self):
        """Return the names and Backends that were measured."""
        measured = {name for name, _key in self._lines}
        return [(name, backend) for name, backend in BACKENDS.items()
                if name in measured]

    def line(self, name, key):
        """Return the line of a figure, None if it was not measured."""
        return self._lines.get((name, key))


def measure_all(run, measures):
    """Take measures in all modes and return the list of lines.

    :param run: function of a mode and a measure that returns its result, as
        the functions of tools.measure.locks.measures do
    :param measures: measure -> key of its results -> Figure
    """
    lines = []
    for measure, keys in measures.items():
        results, again = {}, {}
        for mode in MODES:
            results[mode] = run(mode, measure)
            if any(figure.marginal(results[mode]['values'][key])
                   for key, figure in keys.items()):
                again[mode] = run(mode, measure)
        for key, figure in keys.items():
            lines.append(_line(measure, key, figure, results, again))
    return lines


def _line(measure, key, figure, results, again):
    values = {mode: result['values'][key]
              for mode, result in results.items()}
    repeated = {mode: values[mode] for mode in again
                if figure.marginal(values[mode])}
    for mode in repeated:
        values[mode] = again[mode]['values'][key]
    rounds = results[MODES[0]]['rounds']
    if isinstance(rounds, dict):
        rounds = rounds[key]
    return Line(measure, key, figure, rounds, values, repeated)


def sentences(lines):
    """Return the list of what there is to say besides the table."""
    said = []
    for line in lines:
        title = '%s: %s' % (line.backend, line.figure.title)
        bound = line.figure.bound
        for mode, first in line.repeated.items():
            said.append('%s on %s was %s at first, little above the bound '
                        '%g, and was measured once more.'
                        % (title, mode, line.figure.text(first, 3), bound))
        for mode in line.failed():
            said.append('FAILED: %s on %s is %s, the bound is %g.'
                        % (title, mode,
                           line.figure.text(line.values[mode], 3), bound))
    return said


def count(lines):
    """Return how many bounds were kept and how many missed, over all modes."""
    bounds = sum(len(line.values) for line in lines
                 if line.figure.bound is not None)
    failed = sum(len(line.failed()) for line in lines)
    return bounds - failed, failed
