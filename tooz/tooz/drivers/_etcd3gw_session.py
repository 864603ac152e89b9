#
# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The leases of the keys of the etcd3gw driver's locks.

The keys of a coordinator's locks belong to a lease that its heartbeat renews.
When the process dies or is cut off, the server deletes them with the lease.

The key of a lock that is shared has to stay until the last of those who share
it leaves or dies, whoever that is. It belongs to a second lease of whoever has
written it, which lasts two and a half times as long. All who share the lock
renew that lease, in one request with their own one and before it. Who joins
renews it at once, unless its process does so already: the keys that it finds
can be those of the dead, or of requests without an answer. Each heartbeat
looks for keys that are left when all have died.

When no answer comes to a request, the server may do what it asked later on,
even after its keys were deleted. So an acquire is refused unless a key of the
coordinator, its guard, has the revision that it had when it was sent. What was
given up without an answer is deleted together with a new revision of the
guard. From then on, the server refuses it.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable
from collections.abc import Sequence
import logging
import os
import random
import threading
from typing import Any
import uuid
import weakref

import etcd3gw
import requests

import tooz
from tooz import _sharing
from tooz import coordination
from tooz.drivers import _etcd3gw_gateway as etcd
from tooz.drivers._etcd3gw_gateway import Json
from tooz.drivers import _etcd3gw_keys
from tooz.drivers._etcd3gw_keys import SHARED

LOG = logging.getLogger(__name__)

LEAST_TIMEOUT = 0.1
"""Seconds that a request may take although its bound has been reached."""

OPERATIONS = 100
"""How many operations every server takes in one transaction."""

GUARD_PREFIX = b'/tooz/lock_guards/'
"""What the guards begin with."""


class SessionLease(_sharing.Lease):
    """The leases of a coordinator.

    :ivar id: The lease of its own keys.
    :ivar shared_id: The lease of the keys of locks that it shares.
    :ivar guard: The key that is compared by each acquire.
    :ivar revision: The revision of the guard.
    :ivar abandoned: Operations that delete what may have been left behind.
    """

    def __init__(
        self, seconds: float, sent: float, id: str, shared_id: str
    ) -> None:
        super().__init__(seconds, sent)
        self.id = id
        self.shared_id = shared_id
        self.guard = etcd.key(GUARD_PREFIX + uuid.uuid4().hex.encode())
        self.revision = 0
        self.abandoned: collections.deque[Json] = collections.deque()

    def put(self, key: Json, value: str, shared: bool = False) -> Json:
        """Return the operation that writes a key under one of the leases."""
        lease = self.shared_id if shared else self.id
        return {'request_put': {**key, 'value': value, 'lease': lease}}


class Session:
    """What the locks of a coordinator have on the server.

    :param client: The client of the coordinator.
    :param seconds: After how many seconds a dead holder's lock is free.
    :ivar gateway: For the requests of locks.
    :ivar url: Of the server.
    """

    def __init__(self, client: etcd3gw.Etcd3Client, seconds: int) -> None:
        self.gateway = etcd.Gateway(client)
        self.url = client.base_url
        # After a failure, the next request goes by a new connection, unless
        # somebody else has taken that and left one that is dead as well.
        self._heart = etcd.Gateway(client, requests.Session())
        self._timeout = client.timeout or seconds
        self._seconds = seconds
        # By process: a child that was forked has none of its parent's.
        self._leases: dict[int, SessionLease] = {}
        self._grants = threading.Lock()
        self._sharing: dict[Any, weakref.WeakSet[Any]] = {}
        self._mutex = threading.Lock()

    def bound(self, deadline: float | None = None) -> float:
        """Return how long a request may take, in seconds.

        :param deadline: When the wait for a lock ends, or None.
        """
        if deadline is None:
            return self._timeout
        left = deadline - _sharing.now()
        return min(max(left, LEAST_TIMEOUT), self._timeout)

    # Leases and guards

    def lease(self, deadline: float | None = None) -> SessionLease:
        """Return the lease of this process, a new one if need be.

        :raises tooz.ToozError: The server does not give one in time.
        """
        lease = self._leases.get(os.getpid())
        if lease is not None and lease.left():
            return lease
        if not self._grants.acquire(timeout=self.bound(deadline)):
            raise coordination.OperationTimedOut('No lease from etcd yet')
        try:
            lease = self._leases.get(os.getpid())
            if lease is None or not lease.left():
                lease = self._leases[os.getpid()] = self._grant(deadline)
            return lease
        finally:
            self._grants.release()

    def _grant(self, deadline: float | None) -> SessionLease:
        def grant(seconds: int) -> Json:
            request = {'TTL': seconds, 'ID': 0}
            timeout = self.bound(deadline)
            return self._heart.ask('/lease/grant', request, timeout=timeout)[0]

        sent = _sharing.now()
        own = grant(self._seconds)
        # The server gives no less than its election takes.
        seconds = int(own['TTL'])
        shared = grant(5 * seconds // 2)
        lease = SessionLease(seconds, sent, own['ID'], shared['ID'])
        self._write_guard(lease, [], self.bound(deadline))
        return lease

    def _write_guard(
        self, lease: SessionLease, operations: Sequence[Json], timeout: float
    ) -> None:
        """Have the server refuse all acquires that were sent until now.

        :param operations: What to do in the same transaction.
        """
        put = lease.put(lease.guard, '')
        _, _, lease.revision = self._heart.transact(
            etcd.transaction([], [put, *operations], []), timeout
        )

    def read_guard(self, lease: SessionLease, answer: Json) -> None:
        """Take note of why the server has refused to look at an acquire.

        :param answer: The answer to a request for the guard.
        """
        for found in answer['response_range'].get('kvs', ()):
            lease.revision = max(lease.revision, int(found['mod_revision']))
            return
        lease.lose()

    # Those who share

    def join(self, hold: Any) -> bool:
        """Renew the lease under which a hold shares its lock.

        :returns: Whether it is renewed already, for a holder of this process.
        """
        with self._mutex:
            holds = self._sharing.setdefault(hold.key, weakref.WeakSet())
            is_kept = any(
                other.acquired and other.shared_lease == hold.shared_lease
                for other in holds
            )
            holds.add(hold)
            return is_kept

    def leave(self, hold: Any) -> bool:
        """Renew it for that hold no more.

        :returns: Whether nobody else of this process shares the lock.
        """
        with self._mutex:
            holds = self._sharing.get(hold.key, weakref.WeakSet())
            holds.discard(hold)
            if not holds:
                self._sharing.pop(hold.key, None)
            return not holds

    def free_unshared(self, keys: Iterable[str], timeout: float) -> None:
        """Free those of some locks that nobody shares though their keys stand.

        :param keys: The keys of the locks.
        """
        operations = []
        for key in keys:
            others = _etcd3gw_keys.Keys.of(key).shared
            is_shared = etcd.compare({'key': key}, 'value', SHARED)
            by_nobody = etcd.compare(others, 'create_revision', 0)
            free = etcd.delete({'key': key})
            operations.append(
                etcd.transaction([is_shared, by_nobody], [free], [])
            )
        self._heart.transact(etcd.transaction([], operations, []), timeout)

    # The heartbeat

    def keep(self, ids: Sequence[str], timeout: float) -> list[bool]:
        """Renew leases, in one request.

        :returns: For each whether the server still had it.
        :raises tooz.ToozError: It failed.
        """
        answers = self._heart.ask(
            '/lease/keepalive', *({'ID': id} for id in ids), timeout=timeout
        )
        return [int(each['result'].get('TTL', 0)) > 0 for each in answers]

    def heartbeat(self) -> bool:
        """Renew the leases and remove what was left behind.

        :returns: Whether there was a lease and it was renewed.
        """
        lease = self._leases.get(os.getpid())
        if lease is None:
            return False
        with self._mutex:
            holds = [hold for each in self._sharing.values() for hold in each]
        shared_ids = {hold.shared_lease for hold in holds} | {lease.shared_id}
        ids = [*shared_ids, lease.id]
        if not lease.renew(lambda bound: self.keep(ids, bound)[-1]):
            return False
        try:
            self._delete_abandoned(lease)
            held = {hold.keys.lock['key'] for hold in holds}
            for id in shared_ids:
                self._free_those_of_the_dead(id, held, lease.bound())
        except tooz.ToozError as error:
            LOG.warning("What was left on the server stays there: %s", error)
        return True

    def _delete_abandoned(self, lease: SessionLease) -> None:
        while number := min(len(lease.abandoned), OPERATIONS - 10):
            operations = [lease.abandoned.popleft() for _ in range(number)]
            try:
                self._write_guard(lease, operations, lease.bound())
            except BaseException:
                lease.abandoned.extend(operations)
                raise

    def _free_those_of_the_dead(
        self, id: str, held: set[str], timeout: float
    ) -> None:
        """Free locks whose keys are under a lease though nobody shares them.

        :param held: The keys of locks that this process shares.
        """
        request = {'ID': id, 'keys': True}
        (answer,) = self._heart.ask(
            '/lease/timetolive', request, timeout=timeout
        )
        keys = [key for key in answer.get('keys', ()) if key not in held]
        if keys:
            # Of more than that, each heartbeat looks at some others.
            chosen = random.sample(keys, min(len(keys), OPERATIONS - 10))
            self.free_unshared(chosen, timeout)
