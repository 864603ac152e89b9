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

"""The locks of the etcd3gw driver.

The key of a lock is the one that an older tooz uses: whoever writes it, if it
does not exist, has the lock. Beside it there are keys of those who share the
lock and of those who wait.

* Who wants the lock exclusively writes the key of the lock.
* Who shares the lock writes a key of its own. The first one also writes the
  key of the lock, with a value that says that it is shared; the others look
  for that value. The last one deletes it in the transaction of its release:
  a comparison of all the keys of those who share tells that there is no other.
* A waiter writes a key of its own, its ticket. With that, it learns which
  tickets came before. No other can come before it later, so it has the first
  turn as soon as none of those exists any more. Those who want to share wait
  only for tickets for the exclusive lock. Who comes without a ticket waits for
  all such tickets.

Each acquire and each release is one transaction. Who is the first of its
process to join others also renews a lease. A waiter waits for the end of
the last ticket before its own, then for that of the lock's key, so each end
wakes one waiter. The watch is a hint: if it fails, the waiter asks again after
its pause, as it does to notice that those who shared have died.

See :mod:`tooz.drivers._etcd3gw_session` for the leases of the keys, for why
the key of a lock stays as long as anybody shares it, and for what becomes of
keys whose request was not answered.

In a process only the first waiter has a ticket. So nobody is overtaken once
it is first in its process; before that, each time the first one of its process
changes, those of other processes that ask in that moment can overtake it.
"""

from __future__ import annotations

import logging
import uuid

import tooz
from tooz import _sharing
from tooz.drivers import _etcd3gw_gateway as etcd
from tooz.drivers._etcd3gw_gateway import Json
from tooz.drivers import _etcd3gw_keys
from tooz.drivers._etcd3gw_keys import SHARED
from tooz.drivers import _etcd3gw_session
from tooz import locking

LOG = logging.getLogger(__name__)

MOST_TICKETS = 50
"""How many tickets in front of its own a waiter looks at. They are compared
twice, and a server takes 128 operations in one transaction."""


class _Etcd3Hold(_sharing.Hold):
    """One acquire.

    :ivar shared_lease: The lease under which the lock is shared.
    """

    lease: _etcd3gw_session.SessionLease | None

    def __init__(
        self, lock: Etcd3Lock, shared: bool, deadline: float | None
    ) -> None:
        super().__init__(lock, shared, deadline)
        self._session = lock.session
        self.keys = lock.keys
        self.id = uuid.uuid4().hex
        self._value = _etcd3gw_keys.value(self.id, self.owner())
        self._own_key = self.keys.share(self.id) if shared else self.keys.lock
        self._ticket: Json = {}
        self._in_front: list[Json] = []
        self._place = self._revision = 0
        self._has_keys = self._is_unanswered = False
        self.shared_lease = ''

    def __del__(self) -> None:
        self._abandon()

    # Acquire

    def try_acquire(self) -> bool:
        while True:
            lease = self._session.lease(self.deadline)
            if lease is not self.lease:
                # What was written under another one goes with it.
                self.lease = lease
                self._abandon()
                self._place, self._in_front = 0, []
                self._ticket = self.keys.ticket(
                    self.shared, self.id + lease.id
                )
            self._is_unanswered = True
            try:
                path, answers, self._revision = self._session.gateway.transact(
                    self._question(lease), self._session.bound(self.deadline)
                )
            except etcd.LeaseNotFound:
                lease.lose()
                continue
            self._has_keys = self._has_keys or path[-1] or self.waits
            self._is_unanswered = False
            if len(path) == 1:
                self._session.read_guard(lease, answers[0])
                continue
            if not path[-1]:
                self._queue_up(answers[0])
                return False
            if self._is_kept(lease, answers if len(path) > 2 else []):
                return True
            self.give_up()
            if not lease.left():
                return False

    def _question(self, lease: _etcd3gw_session.SessionLease) -> Json:
        """Return the transaction that asks for the lock.

        Comparisons are nested: whether the guard is as it was, whether the
        lock is free, whether it is shared already. If that has been given up
        by the dead, it can be had exclusively.
        """
        keys = self.keys
        in_front = [keys.tickets[self.shared]]
        find_tickets = etcd.get(
            keys.tickets[self.shared],
            keys_only=True,
            max_create_revision=max(self._place - 1, 0),
            sort_target='CREATE',
            sort_order='ASCEND',
            limit=MOST_TICKETS,
        )
        come, go = [], []
        if self._place:
            in_front = self._in_front
            go = [etcd.delete(self._ticket)]
        elif self.waits:
            come = [lease.put(self._ticket, self._value)]
        own = lease.put(self._own_key, self._value)
        is_next = [etcd.compare(key, 'create_revision', 0) for key in in_front]
        is_free = etcd.compare(keys.lock, 'create_revision', 0)
        is_shared = [etcd.compare(keys.lock, 'value', SHARED)]
        if self.shared:
            take = [lease.put(keys.lock, SHARED, shared=True), own]
            join = [
                own,
                etcd.get(keys.lock, keys_only=True),
            ]
        else:
            take = join = [own]
            is_shared.append(etcd.compare(keys.shared, 'create_revision', 0))
        ask = etcd.transaction(
            is_shared + is_next, join + go, [find_tickets, *come]
        )
        ask = etcd.transaction([is_free, *is_next], take + go, [ask])
        guard = etcd.compare(lease.guard, 'mod_revision', lease.revision)
        read_guard = etcd.get(lease.guard, keys_only=True)
        return etcd.transaction([guard], [ask], [read_guard])

    def _queue_up(self, tickets: Json) -> None:
        if self.waits and not self._place:
            self._place = self._revision
        self._in_front = [
            {'key': found['key']}
            for found in tickets['response_range'].get('kvs', ())
        ]

    def _is_kept(
        self, lease: _etcd3gw_session.SessionLease, answers: list[Json]
    ) -> bool:
        """Return whether a lock that the server has given stays ours.

        :param answers: What it says of those who shared the lock before.
        """
        self._place, self._in_front = 0, []
        if self.shared:
            self.shared_lease = lease.shared_id
            if answers:
                (found,) = answers[1]['response_range']['kvs']
                self.shared_lease = found['lease']
            is_kept = self._session.join(self)
            if self.shared_lease != lease.shared_id and not is_kept:
                # Perhaps the others have died, and nobody renews it.
                (kept,) = self._session.keep(
                    [self.shared_lease], self._session.bound(self.deadline)
                )
                if not kept:
                    return False
        return lease.left() > 0

    def pause(self, turn: _sharing._Turn, seconds: float) -> None:
        end = _sharing.now() + seconds
        try:
            # The last one in front, or the holder.
            key = [self.keys.lock, *self._in_front][-1]
            if self._session.gateway.watch(key, self._revision, seconds):
                return
        except Exception as error:
            LOG.debug("No watch for lock %s: %s", self.id, error)
        turn.wait(max(end - _sharing.now(), 0))

    def give_up(self) -> None:
        if self.shared:
            self._session.leave(self)
        if self._has_keys and not self._is_unanswered:
            try:
                self._session.gateway.transact(
                    etcd.transaction([], self._undo(), []),
                    _etcd3gw_session.LEAST_TIMEOUT,
                )
                self._has_keys = False
            except tooz.ToozError as error:
                LOG.debug("What is left goes with the heartbeat: %s", error)
        self._abandon()
        self._place, self._in_front = 0, []

    def _undo(self) -> list[Json]:
        """Return the operations that delete its keys."""
        if self.shared:
            return [etcd.delete(self._own_key), etcd.delete(self._ticket)]
        is_own = etcd.compare(self.keys.lock, 'value', self._value)
        return [
            etcd.transaction([is_own], [etcd.delete(self.keys.lock)], []),
            etcd.delete(self._ticket),
        ]

    def _abandon(self) -> None:
        """Have the heartbeat delete its keys, if there may be any."""
        if self._has_keys or self._is_unanswered:
            self._has_keys = self._is_unanswered = False
            assert self.lease is not None  # narrow type
            self.lease.abandoned.extend(self._undo())

    # Hold and release

    def _is_own(self) -> list[Json]:
        """Return comparisons that are true while it holds the lock."""
        value = SHARED if self.shared else self._value
        return [
            etcd.compare(self.keys.lock, 'value', value),
            etcd.compare(self._own_key, 'mod_revision', self._revision),
        ]

    def is_held(self) -> bool:
        assert self.lease is not None  # narrow type
        if not self.lease.left():
            return False
        try:
            (held,), _, _ = self._session.gateway.transact(
                etcd.transaction(self._is_own(), [], []), self.lease.bound()
            )
        except tooz.ToozError as error:
            LOG.debug("The clock decides on a lock: %s", error)
            held = True
        return held and self.lease.left() > 0

    def release(self) -> bool:
        assert self.lease is not None  # narrow type
        is_own, delete = self._is_own(), etcd.delete(self._own_key)
        operation = etcd.transaction(is_own, [delete], [])
        if self.shared:
            count = etcd.get(self.keys.shared, count_only=True)
            operation = etcd.transaction(is_own, [delete, count], [delete])
            if self._session.leave(self):
                # It may be the last one of all.
                key, revision = self.keys.shared, self._revision
                is_last = etcd.compare(key, 'mod_revision', revision)
                operation = etcd.transaction(
                    [*is_own, is_last],
                    [delete, etcd.delete(self.keys.lock)],
                    [operation],
                )
        try:
            path, answers, _ = self._session.gateway.transact(
                operation, self.lease.bound()
            )
            self._has_keys = False
        finally:
            self._abandon()
        for counted in answers[1:]:
            if 'count' not in counted.get('response_range', {'count': 1}):
                # The others of this process have left at the same time.
                self._session.free_unshared(
                    [self.keys.lock['key']], self.lease.bound()
                )
        return path[-1]


class Etcd3Lock(_sharing.SharedLock[_Etcd3Hold]):
    """A lock on an etcd server.

    :param session: What asks the server.
    """

    LOCK_PREFIX = _etcd3gw_keys.LOCK_PREFIX

    FIRST_PAUSE = 0.1
    LONGEST_PAUSE = 1

    def __init__(self, session: _etcd3gw_session.Session, name: bytes) -> None:
        self.session = session
        self.keys = _etcd3gw_keys.Keys(name)
        super().__init__(name, (session.url, self.keys.lock['key']))

    def heartbeat(self) -> bool:
        """Renew the lease of the lock, and of all others."""
        return self.acquired and self.session.heartbeat()

    def break_(self) -> bool:
        delete = [etcd.delete(self.keys.lock), etcd.delete(self.keys.shared)]
        _, answers, _ = self.session.gateway.transact(
            etcd.transaction([], delete, []), self.session.bound()
        )
        return 'deleted' in answers[0]['response_delete_range']

    def owners(self) -> list[locking.Owner]:
        # Those who are not first in their process have no ticket.
        owners = {
            hold.id: hold.owner()
            for hold in _sharing._all_holds()
            if isinstance(hold, _Etcd3Hold)
            and hold.key == self.key
            and hold.waits
            and not hold.acquired
        }
        find = [etcd.get(self.keys.lock), etcd.get(self.keys.owners)]
        _, answers, _ = self.session.gateway.transact(
            etcd.transaction([], find, []), self.session.bound()
        )
        for answer in answers:
            for found in answer['response_range'].get('kvs', ()):
                if found['value'] != SHARED:
                    id, owner = _etcd3gw_keys.read(found)
                    owners[id] = owner
        return list(owners.values())

    def _new_hold(self, shared: bool, deadline: float | None) -> _Etcd3Hold:
        return _Etcd3Hold(self, shared, deadline)
