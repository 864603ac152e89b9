# SPDX-License-Identifier: Apache-2.0

"""The report on what the locks cost, in reStructuredText."""

import textwrap

from tools.measure.locks.backends import HAND_OVERS
from tools.measure.locks.backends import KINDS
from tools.measure.locks import verdict
from tools.measure.locks.verdict import Values
from tools.measure.process import MODES

NAME = 'locks.rst'
CHART = 'locks.svg'
NONE = 'none'

INTRODUCTION = '''\
.. SPDX-License-Identifier: Apache-2.0

What shared and exclusive locks cost
====================================

Creates from a snapshot or volume share its lock, and its deletion takes it
exclusively. This page tells what these locks of tooz cost on each coordination
backend. All of it was measured in one run, on one machine, with a real server
for each backend on the same machine. A reader is who shares a lock, a writer
who has it exclusively. "Released tooz" is the exclusive lock of tooz as
released, which ran beside it in a process of its own.

Every figure is a median. Whatever is compared was timed on the same server,
turn by turn, and a ratio is the median of the ratios of the turns, so it says
more than the milliseconds, which are those of the machine. Where a cell has
two figures, the first is on eventlet and the second on native threads. A
figure that misses a goal is bold.

.. figure:: %s
   :alt: Cost of the locks, hand-over times and throughput

   On eventlet.
''' % CHART

UNCONTENDED = '''
A lock that nobody else wants
-----------------------------

The acquire and the release together. The lock object is made anew for each,
as Cinder does, on connections that are used again and again. "Round trips"
were counted on the wire: those of the acquire and those of the release.
'''

HAND_OVER = '''
Hand-over
---------

How long a lock lies free, in milliseconds: from the release of the last of
three readers until a writer has the lock, and from the release of a writer
until the last of three readers has it. In one process they had waited for
0.2 s, in another process than the holders for 0.2 s or for 3 s. Goal: at most
20 ms.
'''

THROUGHPUT = '''
Many readers
------------

Acquires in a second of so many readers of one name, which are threads of one
process, and what the same work takes compared with as many readers of as many
names. Goal: at most 1.1 times as long.
'''

CROWD = '''
Many locks at once
------------------

How long one process takes, in seconds, until it holds so many locks and has
released them all, one after the other; and what the last hundred readers of
one name cost against the first hundred. Goal: on files at most 1.5 times as
much.
'''


def page(lines, facts):
    """Return the page as text.

    :param lines: list of tools.measure.locks.verdict.Line
    :param facts: dict as tools.measure.machine.facts() returns it, and
        ``tooz``, the version of released tooz
    """
    values = Values(lines)
    return '\n'.join([
        INTRODUCTION,
        paragraph('Measured on %(date)s with %(cores)d cores, Python '
                  '%(python)s, beside tooz %(tooz)s.' % facts),
        _verdict(lines),
        UNCONTENDED, _uncontended(values),
        HAND_OVER, _hand_over(values),
        THROUGHPUT, _throughput(values),
        CROWD, _crowd(values)])


def paragraph(text):
    """Return a text, wrapped, as a paragraph."""
    return textwrap.fill(text, 79) + '\n'


def _verdict(lines):
    passed, failed = verdict.count(lines)
    said = verdict.sentences(lines)
    return '\n'.join([
        'Of %d goals, counted in both modes, %d are met.%s\n' % (
            passed + failed, passed, ' In detail:' if said else ''),
        *(textwrap.fill(sentence, 79, initial_indent='* ',
                        subsequent_indent='  ') for sentence in said)])


def table(heading, rows):
    """Return a list-table.

    :param heading: list of text
    :param rows: list of lists of text
    """
    text = ['.. list-table::', '   :header-rows: 1', '']
    for row in [heading, *rows]:
        text += ['   %s - %s' % (' ' if column else '*', cell)
                 for column, cell in enumerate(row)]
    return '\n'.join(text) + '\n'


def _cell(line, shape='%.2f'):
    """Return the values of a line in both modes."""
    if line is None:
        return NONE
    return ' / '.join(
        ('**%s**' if mode in line.failed() else '%s')
        % (shape % line.values[mode]) for mode in MODES)


def _trips(values, name, lock):
    acquire = values.line(name, lock + '_acquire')
    release = values.line(name, lock + '_release')
    if acquire is None:
        return NONE
    texts = ['%g + %g' % (acquire.values[mode], release.values[mode])
             for mode in MODES]
    text = texts[0] if len(set(texts)) == 1 else ' / '.join(texts)
    return '**%s**' % text if acquire.failed() or release.failed() else text


def _uncontended(values):
    rows = []
    for name, backend in values.backends():
        for lock, title in backend.titles.items():
            ratios = [
                '%s of %s' % (_cell(values.line(name, '%s_%s' % pair)),
                              backend.peers[pair[1]])
                for pair in backend.ratios if pair[0] == lock]
            goals = ['%g of %s' % (bound, backend.peers[peer])
                     for (kind, peer), bound in backend.ratios.items()
                     if kind == lock and bound is not None]
            if lock in KINDS and backend.trips:
                goals.append('%d + %d' % (2 * (backend.trips,)))
            rows.append([
                backend.title, title,
                _cell(values.line(name, lock + '_ms'), '%.3f'),
                _trips(values, name, lock),
                '; '.join(ratios) or NONE, '; '.join(goals) or NONE])
    return table(['Backend', 'Lock', 'Milliseconds', 'Round trips',
                  'Ratio', 'Goal'], rows)


def _hand_over(values):
    return table(
        ['Backend', *(title[0].upper() + title[1:]
                      for title in HAND_OVERS.values())],
        [[backend.title, *(_cell(values.line(name, key), '%.1f')
                           for key in HAND_OVERS)]
         for name, backend in values.backends()])


def _throughput(values):
    return table(
        ['Backend', '1 reader', '8 readers', '64 readers',
         '8, against 8 names', '64, against 64 names'],
        [[backend.title,
          *(_cell(values.line(name, key), '%.0f')
            for key in ('one_1', 'one_8', 'one_64')),
          *(_cell(values.line(name, key))
            for key in ('readers_8', 'readers_64'))]
         for name, backend in values.backends()])


def _crowd(values):
    return table(
        ['Backend', '1,000 readers of one name', '5,000 names',
         'Last against first readers'],
        [[backend.title,
          _cell(values.line(name, 'readers_s'), '%.3f'),
          _cell(values.line(name, 'names_s')),
          _cell(values.line(name, 'reader'))]
         for name, backend in values.backends()])
