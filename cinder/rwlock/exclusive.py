#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""Exclusive locks in the place of read and write locks.

For every coordination backend without shared locks of its own. A read lock
and a write lock are the same thing here: tooz's exclusive lock of the name.
What a writer is promised holds; readers wait for each other.

tooz's lock is asked for without waiting, again and again by the first waiter
of this process. Between the waiters of several processes there is no order.
A server that does not answer stretches a bounded wait by the ``timeout`` of
the coordination URL.

Where tooz keeps a lock alive with a heartbeat, as on memcached, the lock has
a lease of ``lock_timeout`` seconds, and is held by the local clock for one
second less, since memcached counts whole seconds. tooz's lock knows itself by
the coordinator that holds it, so two of one coordinator cannot be told apart
on the server: ``_holders`` tells which one it is. A heartbeat asks first
whether the lock is held, and one that was lost is not kept alive any more:
somebody else may have it and die. Neither is one whose release has failed.

What tooz cannot tell is not noticed: that a connection to MySQL has broken,
or that a key of memcached is replaced between the question whose it is and
its removal by the release.
"""

import functools
import time
import weakref

import tooz

from cinder.rwlock import base

TICK = 1
"""Seconds by which a server may end a lease too early."""

_holders = {}
"""Key of a lock -> tooz's lock that this process acquired last."""


def _call(reference):
    method = reference()
    return method is not None and method()


class _ExclusiveLock(base.Lock):
    """What read and write locks do alike, which is all.

    :param coordinator: The started tooz coordinator.
    :param bytes name: The name as tooz gets it.
    :param str purpose: What the lock is held for.
    """

    LONGEST_PAUSE = 0.05

    def __init__(self, coordinator, name, purpose):
        super().__init__(name.decode(), (id(coordinator), name), purpose)
        self._lock = coordinator.get_lock(name)
        self._lease = None
        self._renewed = None
        if hasattr(self._lock, 'heartbeat'):
            self._lease = coordinator.lock_timeout
            self._renew = self._lock.heartbeat
            self._lock.heartbeat = functools.partial(
                _call, weakref.WeakMethod(self._heartbeat))

    def is_still_owner(self):
        if not self._is_last_holder() or self._lease_is_over():
            return False
        return self._has_key() and not self._lease_is_over()

    def _has_key(self):
        try:
            return self._lock.is_still_owner()
        except tooz.NotImplemented:
            return self._lock.acquired

    def _is_last_holder(self):
        return self.acquired and _holders.get(self._key) is self._lock

    def _lease_is_over(self):
        return (self._lease is not None and
                time.monotonic() >= self._renewed + self._lease - TICK)

    def _heartbeat(self):
        began = time.monotonic()
        # Only a sure owner renews: the key may be that of another by now.
        held = (self._is_last_holder() and not self._lease_is_over() and
                self._has_key() and self._renew())
        if held:
            self._renewed = began
        elif self.acquired:
            self._tell_lost()
        return held

    def _try_acquire(self, deadline):
        began = time.monotonic()
        if not self._lock.acquire(blocking=False):
            return False
        self._renewed = began
        if self._lease_is_over():
            # The answer came so late that somebody else may hold it now.
            self._lock.release()
            return False
        _holders[self._key] = self._lock
        return True

    def _give_up(self):
        pass

    def _is_held_by_clock(self):
        return self._is_last_holder() and not self._lease_is_over()

    def _abandon(self):
        if _holders.get(self._key) is self._lock:
            del _holders[self._key]

    def _release(self):
        if _holders.get(self._key) is not self._lock:
            return False
        del _holders[self._key]
        return self._lock.release()


class ReadLock(_ExclusiveLock):
    """The read lock of one name, which excludes other readers."""

    kind = 'read'


class WriteLock(_ExclusiveLock):
    """The write lock of one name."""

    kind = 'write'


class Backend(base.Backend):
    """Locks of one coordinator, all of them exclusive.

    :param str url: The coordination URL, not looked at.
    :param coordinator: The started tooz coordinator.
    """

    READ_LOCK = ReadLock
    WRITE_LOCK = WriteLock

    def __init__(self, url, coordinator):
        self._coordinator = coordinator

    def _lock(self, lock_class, name, purpose):
        return lock_class(self._coordinator, name, purpose)
