# SPDX-License-Identifier: Apache-2.0

"""Results of measures of the locks that nobody took."""

from tools.measure.files import verdict
from tools.measure.locks import backends


def lines(told=None, names=tuple(backends.BACKENDS)):
    """Return the lines of a run in which every goal is met but what is told.

    :param told: (mode, backend, key) -> value
    """
    def run(mode, measure):
        return result(mode, measure, told)

    return [line for name in names
            for line in verdict.measure_all(run, backends.measures(name))]


def result(mode, measure, told=None):
    """Return the result of one measure."""
    name = measure.partition('.')[0]
    values = {key: (told or {}).get((mode, name, key), figure.bound or 1)
              for key, figure in backends.measures(name)[measure].items()}
    return {'rounds': dict.fromkeys(values, 7), 'values': values}
