# SPDX-License-Identifier: Apache-2.0

"""Lockers that meet in this process, without any tooz."""

from concurrent import futures
import threading
import types


class Locks:
    """What a server knows.

    :ivar seen: whether an older one sees who reads
    """

    def __init__(self, seen):
        self.seen = seen
        self.changed = threading.Condition()
        self.held = {}

    def is_free(self, name, locker, shared):
        return all(is_shared and (shared or locker.older and not self.seen)
                   for _holder, is_shared in self.held.get(name, ()))


class Locker:
    """Stands for tools.checks.older.processes.Locker."""

    def __init__(self, name, locks, older):
        self.name = name
        self.older = older
        self._locks = locks
        self._pool = futures.ThreadPoolExecutor(1)
        self._dead = False

    def ask(self, action, *args):
        return getattr(self, action)(*args)

    def ask_later(self, action, *args):
        return self._pool.submit(self.ask, action, *args)

    def acquire(self, key, name, shared, blocking):
        with self._locks.changed:
            free = self._locks.changed.wait_for(
                lambda: self._locks.is_free(name, self, shared),
                None if blocking else 0)
            if free:
                self._locks.held.setdefault(name, []).append((self, shared))
        return free

    def is_still_owner(self, name):
        return any(holder is self
                   for holder, _shared in self._locks.held.get(name, ()))

    def release(self, name):
        with self._locks.changed:
            self._locks.held[name] = [
                hold for hold in self._locks.held.get(name, ())
                if hold[0] is not self]
            self._locks.changed.notify_all()

    def kill(self):
        for name in list(self._locks.held):
            self.release(name)

    def pause(self):
        pass

    def resume(self):
        pass

    def storm(self, name, path, rounds, share):
        exclusive = 0
        for turn in range(rounds):
            if turn % share:
                continue
            self.acquire(name, name, False, True)
            with open(path, 'r+') as stream:
                before = int(stream.read())
                stream.seek(0)
                stream.write(str(before + 10000))
            exclusive += 1
            self.release(name)
        return exclusive, 0, 0


def site(seen=True, spoils=False):
    """Return what stands for tools.checks.older.processes.Site.

    :param bool seen: whether an older tooz sees who reads
    :param bool spoils: whether an older tooz counts wrongly in the storm
    """
    locks = Locks(seen)
    olders = {version: Locker(f'tooz {version}', locks, True)
              for version in ('1.0', '2.0')}
    if spoils:
        olders['1.0'].storm = lambda *_: (7, 1, 0)
    return types.SimpleNamespace(
        server=types.SimpleNamespace(name='made-up', lease=None),
        ours=[Locker('tooz with the series', locks, False)
              for _number in range(4)],
        olders=olders)
