# SPDX-License-Identifier: Apache-2.0

"""From raw facts to figures: the table's rows, and what is wrong with them.

Pure functions of tools.measure.storm.records, so that a made-up storm tests
them.
"""

import dataclasses
from typing import Optional


@dataclasses.dataclass
class Figures:
    """One tree's column; times in seconds.

    :param creates: how many volumes were to be created
    :param available: how many became available
    :param seconds: first request to last available
    :param ideal: the same with as many sources as creates
    :param ratio: seconds to ideal
    :param most_inside: most creates inside the driver at once
    :param unfinished: creates that were not copied yet when the delete of
        the source was sent
    :param delete_after: from the last create's end to the delete's begin, in
        the driver; negative is a violation, None if nothing was deleted
    :param unrelated: the unrelated request's delay, sent to deleted
    :param right: copies whose checksum is the source's
    :param wrong: available copies whose checksum is another
    """
    creates: int
    available: int
    seconds: float
    ideal: float
    ratio: float
    most_inside: int
    unfinished: int
    delete_after: Optional[float]
    unrelated: float
    right: int
    wrong: int


def most_at_once(intervals):
    """Return how many of the intervals overlap at the most.

    :param intervals: iterable of (begin, end) in seconds; one that begins
        when another ends does not overlap it
    """
    steps = sorted([(begin, 1) for begin, _end in intervals] +
                   [(end, -1) for _begin, end in intervals])
    most = inside = 0
    for _time, step in steps:
        inside += step
        most = max(most, inside)
    return most


def figures(run):
    """Return the Figures of a TreeRun."""
    creates = run.storm.creates
    copied = [create for create in creates if create.end is not None]
    available = [create for create in creates if create.status == 'available']
    right = sum(create.checksum == run.checksum for create in available)
    delete_after = None
    if run.delete.begin is not None and copied:
        delete_after = run.delete.begin - max(
            create.end for create in copied)
    return Figures(
        creates=len(creates),
        available=len(available),
        seconds=run.storm.seconds,
        ideal=run.ideal.seconds,
        ratio=run.storm.seconds / run.ideal.seconds,
        most_inside=most_at_once(
            [(create.begin, create.end) for create in copied]),
        unfinished=sum(create.end is None or create.end > run.delete.sent
                       for create in creates),
        delete_after=delete_after,
        unrelated=run.unrelated.gone - run.unrelated.sent,
        right=right,
        wrong=len(available) - right)


def problems(column):
    """Return what a column of Figures breaks, as a list of sentences."""
    found = []
    if column.available < column.creates:
        found.append('%d of %d creates did not become available'
                     % (column.creates - column.available, column.creates))
    if column.wrong:
        found.append('%d of %d copies have a wrong checksum'
                     % (column.wrong, column.available))
    if column.delete_after is None:
        found.append('the source was not deleted')
    elif column.delete_after < 0:
        found.append('the delete of the source began %.3f s before the last '
                     'create had ended' % -column.delete_after)
    if not column.unfinished:
        found.append('all creates had ended before the delete was sent, '
                     'which shows nothing: take a larger --seconds')
    return found


def seconds(value):
    """Return a time for the table: seconds with two digits, or a dash."""
    return '-' if value is None else '%.2f s' % value


def rows(columns):
    """Return the table's rows, each a label and one text per column.

    :param columns: list of Figures
    """
    cells = (
        ('creates that became available',
         lambda c: '%d of %d' % (c.available, c.creates)),
        ('first request to last available', lambda c: seconds(c.seconds)),
        ('the ideal: as many sources as creates', lambda c: seconds(c.ideal)),
        ('ratio to the ideal', lambda c: '%.2f' % c.ratio),
        ('most creates inside the driver at once',
         lambda c: '%d' % c.most_inside),
        ('creates unfinished when the delete was sent',
         lambda c: '%d' % c.unfinished),
        ("delete of the source after the last create's end",
         lambda c: seconds(c.delete_after)),
        ("unrelated request's delay", lambda c: seconds(c.unrelated)),
        ('checksums right', lambda c: '%d' % c.right),
        ('checksums wrong', lambda c: '%d' % c.wrong),
    )
    return [(label, *(cell(column) for column in columns))
            for label, cell in cells]
