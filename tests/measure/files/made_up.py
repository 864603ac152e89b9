# SPDX-License-Identifier: Apache-2.0

"""Results of measures that nobody took."""

from tools.measure.files import figures


def result(measure, **values):
    """Return a result in which every bound is kept, but for the values."""
    kept = {key: 0.1 for key in figures.MEASURES[measure]}
    return {'rounds': 7, 'values': {**kept, **values}}


class Run:
    """Stands for tools.measure.files.process.run; what it is not told keeps its bound.

    :param told: (mode, measure) -> list of dicts of values, one a run
    """

    def __init__(self, told=None):
        self._told = {key: list(runs) for key, runs in (told or {}).items()}
        self.asked = []

    def __call__(self, mode, measure):
        self.asked.append((mode, measure))
        runs = self._told.get((mode, measure))
        return result(measure, **(runs.pop(0) if runs else {}))
