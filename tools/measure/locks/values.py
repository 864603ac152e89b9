# SPDX-License-Identifier: Apache-2.0

"""Find the figures of a backend among the lines of all."""

from tools.measure.locks.backends import BACKENDS


class Values:
    """The lines of all measures of all backends.

    :param lines: list of tools.measure.locks.verdict.Line
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
