# SPDX-License-Identifier: Apache-2.0

"""What is measured, under which title, and the bound that it must keep."""

import dataclasses

RATIO = 'x'
MILLISECONDS = 'ms'

# A miss of less than this part of the bound may be noise.
MARGIN = 0.1


@dataclasses.dataclass(frozen=True)
class Figure:
    """One line of the table.

    :ivar title: what was measured; of a ratio, both sides of it
    :ivar unit: RATIO or MILLISECONDS
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
        """Return a value with its unit, rounded to digits after the point."""
        return '%.*f %s' % (digits, value, self.unit)


MEASURES = {
    'uncontended': {
        'read_tooz': Figure(
            'read lock / tooz lock', RATIO, 0.3),
        'read_fasteners': Figure(
            'read lock / fasteners read lock', RATIO, 0.5),
        'write_tooz': Figure(
            'write lock / tooz lock', RATIO),
        'made_read_tooz': Figure(
            'new each time: read / tooz', RATIO),
        'made_read_fasteners': Figure(
            'new each time: read / fasteners', RATIO),
        'made_write_tooz': Figure(
            'new each time: write / tooz', RATIO),
    },
    'system_calls': {
        'read_calls': Figure(
            'new read lock / bare system calls', RATIO, 2),
    },
    'crowd': {
        'reader': Figure(
            'reader 901..1000 / reader 1..100', RATIO, 1.5),
        'reader_acquire': Figure(
            '  of that the acquire alone', RATIO),
    },
    'hand_over': {
        'writer_inside': Figure(
            'readers to writer, one process', MILLISECONDS, 20),
        'writer_inside_p95': Figure('  95th percentile', MILLISECONDS),
        'writer_between': Figure(
            'readers to writer, two processes', MILLISECONDS, 20),
        'writer_between_p95': Figure('  95th percentile', MILLISECONDS),
        'readers_inside': Figure(
            'writer to readers, one process', MILLISECONDS),
        'readers_inside_p95': Figure('  95th percentile', MILLISECONDS),
        'readers_between': Figure(
            'writer to readers, two processes', MILLISECONDS),
        'readers_between_p95': Figure('  95th percentile', MILLISECONDS),
    },
}
"""Module of this package -> key of its results -> Figure."""
