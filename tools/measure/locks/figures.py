# SPDX-License-Identifier: Apache-2.0

"""One figure: its title, its unit, and the bound that it must keep."""

import dataclasses

RATIO = 'x'
MILLISECONDS = 'ms'
SECONDS = 's'
TRIPS = 'trips'
PER_SECOND = '/s'

# A miss of less than this part of the bound may be noise.
MARGIN = 0.1


@dataclasses.dataclass(frozen=True)
class Figure:
    """One line of the table.

    :ivar title: what was measured; of a ratio, both sides of it
    :ivar unit: RATIO, MILLISECONDS, SECONDS, TRIPS or PER_SECOND
    :ivar bound: the most that it may be, None if it is only printed
    """

    title: str
    unit: str
    bound: float | None = None

    def missed(self, value):
        """Return whether a value is not within the bound."""
        return self.bound is not None and not value <= self.bound

    def marginal(self, value):
        """Return whether the bound is missed by as little as noise does."""
        return (self.missed(value) and
                value <= self.bound * (1 + MARGIN))

    def text(self, value, digits=2):
        """Return a value with its unit.

        :param float value: what was measured
        :param int digits: how many stand after the point, unless it is a rate
        """
        if self.unit == PER_SECOND:
            digits = 0
        return f'{value:.{digits}f} {self.unit}'
