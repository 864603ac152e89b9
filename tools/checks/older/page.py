# SPDX-License-Identifier: Apache-2.0

"""The report on an older tooz beside the series, in reStructuredText."""

from tools.checks.older import situations
from tools.measure.locks.page import paragraph
from tools.measure.locks.page import table

NAME = 'older-tooz.rst'
NONE = 'none'

INTRODUCTION = '''\
.. SPDX-License-Identifier: Apache-2.0

An older tooz beside shared locks
=================================

While a cloud is upgraded, some hosts have tooz with the series and others an
older one, which takes exclusive locks and knows of no others. This page tells
what they were seen doing when they wanted the same lock, on real servers, with
tooz as released in processes of its own. Each release is one that a supported
release of Cinder is tested with, with the client libraries of its time. To run
it, and to write this page anew::

    build/venv/bin/tox run -e tooz-older
    build/venv/bin/tox run -e tooz-older -- --page reports
'''

TABLE = '''
"Refused" is how often somebody asked for the lock in vain, of all releases
together: the older tooz beside a reader or writer of ours, or ours beside the
older tooz. It counts also who was seen waiting, and all questions in the
seconds after a death, until the leases of the dead were long over. "Had it
after" is the longest time until who was entitled to the lock had it: from the
release of the last holder, from the death of the only one, or, on files, from
when the paused one went on. A sentence in bold is a violation.

Where three read, those who stay leave at the end one by one; the older tooz
has the lock after the last one, and no sooner. Who was paused beyond its lease
must know that it has lost the lock, and its release must free no other's. On
files there are no leases: who is paused goes on holding.

In the storm, an older tooz and two processes of ours add to a number in a
file, in two steps that anybody else would spoil, while ours also read it. Two
older ones are never brought together: tooz 9.0 changed the key of a lock on
Redis, so those before and those since do not exclude each other there. The
series takes both keys.
'''


def page(rows, facts):
    """Return the page as text.

    :param rows: list of tools.checks.older.situations.Row
    :param facts: dict as tools.measure.machine.facts() returns it
    """
    servers = list(dict.fromkeys(row.server for row in rows))
    versions = list(dict.fromkeys(row.version for row in rows))
    wrong = sum(bool(row.wrong) for row in rows)
    return '\n'.join([
        INTRODUCTION,
        paragraph(
            f'Seen on {facts["date"]} with {facts["cores"]} cores, Python '
            f'{facts["python"]}: tooz {", ".join(versions)}, on '
            f'{", ".join(servers)}. In {len(rows)} cases there were {wrong} '
            f'violations.'),
        TABLE,
        table(['Situation', *servers],
              [[title, *(cell([row for row in rows
                               if (row.server, row.situation) ==
                               (server, situation)])
                         for server in servers)]
               for situation, title in situations.TITLES.items()])])


def cell(rows):
    """Say what was seen in a situation on a server.

    :param rows: its list of tools.checks.older.situations.Row, one for each
        older tooz
    """
    wrong = [f'**tooz {row.version}: {sentence}**'
             for row in rows for sentence in row.wrong]
    return '; '.join(wrong or [seen(rows)])


def seen(rows):
    """Say how often who was refused, and when somebody got the lock.

    :param rows: list of tools.checks.older.situations.Row
    """
    if not rows:
        return NONE
    written = sum(row.written for row in rows)
    if written:
        return f'written {written} times, no violation'
    seconds = [row.seconds for row in rows if row.seconds is not None]
    had = f', had it after {max(seconds):.2f} s' if seconds else ''
    return f'{sum(row.refused for row in rows)} refused{had}'
