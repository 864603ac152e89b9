# SPDX-License-Identifier: Apache-2.0

"""What is tried with every older tooz on a server.

All older ones are tried at the same time, each with locks of its own: on
Redis, those before tooz 9 and those since do not exclude each other.
"""

from concurrent import futures
import dataclasses
import itertools
import tempfile
import time

from tools.common.errors import ToolError

TITLES = {
    'older, we read': 'An older tooz has it; we ask to read',
    'older, we write': 'An older tooz has it; we ask to write',
    'we read': 'We read; an older tooz asks',
    'we write': 'We write; an older tooz asks',
    'killed first': 'Three read; the first one is killed',
    'killed second': 'Three read; the one in between is killed',
    'killed last': 'Three read; the last one is killed',
    'killed alone': 'One reads and is killed',
    'paused first': 'Three read; the first one is paused beyond its lease',
    'paused second': 'Three read; the one in between is paused beyond it',
    'paused last': 'Three read; the last one is paused beyond it',
    'paused alone': 'One reads and is paused beyond its lease',
    'restart': 'Two read; the server is killed and started again',
    'storm': 'A storm of both kinds',
}
"""Situation -> what it is, in the order of the table."""

PATIENCE = 30
"""Seconds after which who is waited for does not come any more."""
PAUSE = 0.3
"""Seconds between two questions, and for which a waiter is seen waiting."""
LEASES = 3
"""How many leases the dead are watched for. What readers share on etcd lives
two and a half."""
MARGIN = 2
"""Seconds for which they are watched besides."""
ROUNDS = 5
"""How often an older tooz has the lock in its storm."""
ADDED = 10000
"""What :mod:`tooz.tests.lock_process` adds in a storm each time."""


@dataclasses.dataclass
class Row:
    """A situation with an older tooz on a server, and what was seen.

    :ivar refused: how often a lock was refused, as it must be
    :ivar seconds: the longest time in which who had to get it got it; None if
        nobody had to
    :ivar written: how often somebody had it exclusively in a storm
    :ivar wrong: sentences on what must not be
    """

    server: str
    version: str
    situation: str
    refused: int = 0
    seconds: float | None = None
    written: int = 0
    wrong: list = dataclasses.field(default_factory=list)

    @property
    def name(self):
        """The name of its lock."""
        return f'{self.situation} {self.version}'

    def hold(self, locker, shared=True):
        """Have a process take the lock, which it must get at once."""
        if not self._ask(locker, shared):
            self._note(f'{locker.name} does not get a free lock')

    def refuse(self, locker, shared=False):
        """Have a process ask for the lock, which it must not get."""
        if self._ask(locker, shared):
            self._note(f'{locker.name} gets it beside a holder')
            self.leave(locker)
        else:
            self.refused += 1

    def takes(self, locker, since):
        """Have a process ask for a lock that has to get free; tell if it is.

        :param float since: when it could be free
        """
        taken = self._ask(locker, False)
        if taken:
            self._took(since)
        else:
            self.refused += 1
        return taken

    def _ask(self, locker, shared):
        return locker.ask('acquire', self.name, self.name, shared, False)

    def wait(self, locker, shared=False):
        """Have a process wait for the lock.

        :rtype: concurrent.futures.Future
        """
        return locker.ask_later('acquire', self.name, self.name, shared, True)

    def refuse_waiting(self, waits):
        """See a process wait for the lock in vain."""
        if waits.done():
            self._note('who waits gets it beside a holder')
        else:
            self.refused += 1

    def give(self, waits, since):
        """See a process that waits get the lock.

        :param float since: when it got free
        :raises ToolError: if it does not
        """
        try:
            waits.result(PATIENCE)
        except futures.TimeoutError:
            raise ToolError(
                f'{self.server}, {self.situation}: tooz {self.version} or who '
                f'waits for it did not get the lock within {PATIENCE} s')
        self._took(since)

    def _note(self, sentence):
        if sentence not in self.wrong:
            self.wrong.append(sentence)

    def _took(self, since):
        self.seconds = max(self.seconds or 0, time.monotonic() - since)

    def is_held(self, locker, held=True):
        """Have a process say whether it has the lock.

        :param bool held: what it must say
        """
        if locker.ask('is_still_owner', self.name) != held:
            self._note(
                f'{locker.name} {"has lost" if held else "believes in"} it')

    def leave(self, locker):
        """Have a process release the lock."""
        locker.ask('release', self.name)


def run(site):
    """Try all situations on a server.

    :param tools.checks.older.processes.Site site: the server and the processes
    :returns: an iterator of lists of :class:`Row`, as soon as they are done
    :raises ToolError: if somebody who has to get a lock does not
    """
    for shared in (True, False):
        yield _older_holds(site, shared)
    for shared in (True, False):
        yield _we_hold(site, shared)
    yield _readers_die(site)
    if site.server.lease:
        yield _server_restarts(site)
    yield _storm(site)


def _rows(site, situation):
    """Return a row and the locker for each older tooz."""
    return [(Row(site.server.name, version, situation), older)
            for version, older in site.olders.items()]


def _older_holds(site, shared):
    rows = _rows(site, f'older, we {"read" if shared else "write"}')
    for (row, older), ours in zip(rows, itertools.cycle(site.ours)):
        row.hold(older, False)
        row.refuse(ours, shared)
        waits = row.wait(ours, shared)
        time.sleep(PAUSE)
        row.refuse_waiting(waits)
        since = time.monotonic()
        row.leave(older)
        row.give(waits, since)
        row.leave(ours)
    return [row for row, _older in rows]


def _we_hold(site, shared):
    rows = _rows(site, f'we {"read" if shared else "write"}')
    waiting = []
    for row, older in rows:
        row.hold(site.ours[0], shared)
        row.refuse(older)
        waiting.append(row.wait(older))
    time.sleep(PAUSE)
    for (row, older), waits in zip(rows, waiting):
        row.refuse_waiting(waits)
        _end_with_older(row, older, site.ours[:1], waits)
    return [row for row, _older in rows]


def _end_with_older(row, older, readers, waits=None):
    """Have all leave, one by one, until an older tooz gets the lock."""
    *others, last = readers
    for reader in others:
        row.is_held(reader)
        row.leave(reader)
        row.refuse(older)
    row.is_held(last)
    since = time.monotonic()
    row.leave(last)
    row.give(waits or row.wait(older), since)
    row.leave(older)


def _readers_die(site):
    killed, paused, *living = site.ours
    among, alone = [], []
    for end, dying in (('killed', killed), ('paused', paused)):
        for place, which in enumerate(('first', 'second', 'last')):
            readers = [*living[:place], dying, *living[place:]]
            for row, older in _rows(site, f'{end} {which}'):
                among.append((row, older))
                for reader in readers:
                    row.hold(reader)
        for row, older in _rows(site, f'{end} alone'):
            alone.append((row, older))
            row.hold(dying)
    killed.kill()
    paused.pause()
    since = time.monotonic()
    taken = _watch(since, site.server.lease, among, alone)
    woke = time.monotonic()
    paused.resume()
    _wake(site.server.lease, paused, among, alone)
    for row, older in alone:
        if row.name not in taken:
            row.give(row.wait(older), woke)
        # Whoever believed in it until then has not freed it.
        row.refuse(living[0], True)
        row.leave(older)
    for row, older in among:
        _end_with_older(row, older, living)
    return [row for row, _older in among + alone]


def _watch(since, lease, among, alone):
    """Have the older ones ask until the locks of the dead are free.

    :returns: the names of the locks that they got
    """
    taken = set()
    until = since + LEASES * (lease or 0) + MARGIN
    while time.monotonic() < until:
        for row, older in among:
            row.refuse(older)
        for row, older in alone:
            if not lease and row.situation.startswith('paused'):
                # The kernel knows that it lives.
                row.refuse(older)
            elif row.name not in taken and row.takes(older, since):
                taken.add(row.name)
        time.sleep(PAUSE)
    return taken


def _wake(lease, paused, among, alone):
    """Have the reader that was paused look at its locks and release them."""
    for row, older in among + alone:
        if row.situation.startswith('paused'):
            row.is_held(paused, not lease)
            row.leave(paused)


def _server_restarts(site):
    readers = site.ours[2:]
    rows = _rows(site, 'restart')
    for row, older in rows:
        for reader in readers:
            row.hold(reader)
        row.refuse(older)
    site.restart()
    rows = [(row, site.olders[row.version]) for row, _stopped in rows]
    until = time.monotonic() + 2 * site.server.lease
    while time.monotonic() < until:
        for row, older in rows:
            row.refuse(older)
        time.sleep(PAUSE)
    for row, older in rows:
        _end_with_older(row, older, readers)
    return [row for row, _older in rows]


def _storm(site):
    return [_meet(row, older, site.ours[2:]) for row, older in _rows(
        site, 'storm')]


def _meet(row, older, ours):
    """Let an older tooz and two of ours meet at a lock.

    Ours go on until the older one has had it often enough.
    """
    with tempfile.NamedTemporaryFile('w+') as counter:
        counter.write('0')
        counter.flush()
        storm = 'storm', row.name, counter.name, ROUNDS
        begun, told = time.monotonic(), []
        writes = older.ask_later(*storm, 1)
        while not writes.done() and time.monotonic() < begun + PATIENCE:
            told += [one.result() for one in [
                one.ask_later(*storm, 3) for one in ours]]
        told.append(writes.result())
        row.seconds = time.monotonic() - begun
        counter.seek(0)
        counted = int(counter.read())
    row.written = sum(exclusive for exclusive, _met, _together in told)
    met = sum(met for _exclusive, met, _together in told)
    if counted != ADDED * row.written:
        row.wrong.append(f'expected {ADDED * row.written} after {row.written} '
                         f'writers, found {counted}')
    if met:
        row.wrong.append(f'{met} readers saw somebody write')
    return row
