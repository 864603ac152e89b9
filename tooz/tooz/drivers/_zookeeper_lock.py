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

"""The locks of the ZooKeeper driver.

All who want a lock, on all hosts, stand in one queue: the children of its
znode. They are ephemeral nodes, and the server numbers them in the order in
which they are made.

* To enter the queue is to make a node: ``<uuid>__lock__<number>``, or
  ``<uuid>__shared__lock__<number>`` for those who share.
* Who shares has the lock when no exclusive node is in front of its own;
  who wants it exclusively, when no node is.
* Who has to wait watches the last of those nodes. The server tells when it
  has gone, and then the waiter looks again.
* To release the lock, or to give up, is to delete the node. If its owner
  dies, the server deletes it when the session ends.

To make the node and to list the queue is one round trip, for the server
answers the requests of a session in their order. Who does not wait enters the
queue as well, so others can see its node for a moment.

These are the nodes of kazoo's ``Lock``, which an older tooz uses. It takes
every name with ``__lock__`` and a number for an exclusive owner, so it waits
for those who share, and they for it. kazoo's ``ReadLock`` and ``WriteLock``
use another name for readers, which ``Lock`` passes by; none of the recipes
bounds its wait while the server is silent, and if the connection is away when
one of them gives up, it leaves its node behind.

The timeout of the session is the lease. The server counts from the last
request that it heard, so every answer extends it. When the server has given
the session up, kazoo tells. While the server is silent, the local clock
decides; if it answers that the node is there, the lock was never lost.

The number in a name is the version of the parent's children, which wraps
around after 2**31 acquires of one lock; then the order is wrong for once, as
it is for kazoo's recipes.

See https://zookeeper.apache.org/doc/current/recipes.html, "Shared Locks".
"""

from __future__ import annotations

import datetime
import functools
import json
import math
import os
import socket
from typing import Any
import uuid

from kazoo import exceptions

import tooz
from tooz import _sharing
from tooz.drivers import _zookeeper_session
from tooz import locking

_LOCK = '__lock__'
_SHARED = '__shared__lock__'
"""What the names of all nodes and of those who share have in them."""


def _place(node: str) -> float:
    """Return the number of a node; the locks of other names have none."""
    number = node.rpartition(_LOCK)[2]
    return int(number) if number.lstrip('-').isdigit() else math.inf


class _ZooKeeperHold(_sharing.Hold):
    """A place in the queue. See the module for the algorithm.

    :ivar node: The name of its node, once it is known.
    """

    def __init__(
        self, lock: ZooKeeperLock, shared: bool, deadline: float | None
    ) -> None:
        super().__init__(lock, shared, deadline)
        self._session = lock.session
        self._client = lock.session.client
        self._path = lock.path
        self._prefix = self.node = ''
        self._created: Any = None
        key = lock.key
        self._look_again = lambda event: _sharing._wake(key)

    def __del__(self) -> None:
        if self._prefix:
            self._session.abandon(self._path, self._prefix, self.node)

    def try_acquire(self) -> bool:
        while True:
            rivals = self._rivals()
            if not rivals:
                return True
            if not self.waits:
                return False
            predecessor = f'{self._path}/{max(rivals, key=_place)}'
            try:
                self._session.ask(
                    lambda: self._client.get_async(
                        predecessor, watch=self._look_again
                    ),
                    self.deadline,
                )
            except exceptions.NoNodeError:
                continue
            return False

    def _rivals(self) -> list[str]:
        """Return whom it waits for in the queue, which it enters first."""
        while True:
            try:
                nodes = self._session.ask(self._enter_and_list, self.deadline)
            except exceptions.NoNodeError:
                nodes = []
                self._session.ask(
                    lambda: self._client.ensure_path_async(self._path),
                    self.deadline,
                )
            ours = [node for node in nodes if node.startswith(self._prefix)]
            if ours and self.lease is self._session.lease:
                (self.node,) = ours
                break
            # Its answer came before that to the list.
            error = self._created.exception
            self.give_up()
            if error and not isinstance(
                error, (*_zookeeper_session.BROKEN, exceptions.NoNodeError)
            ):
                raise tooz.ToozError(
                    f'ZooKeeper refuses a lock: {error!r}'
                ) from error
        place = _place(self.node)
        return [
            node
            for node in nodes
            if _LOCK in node
            and not (self.shared and _SHARED in node)
            and _place(node) < place
        ]

    def _enter_and_list(self) -> Any:
        if not self._prefix:
            self.lease = self._session.lease
            self._prefix = uuid.uuid4().hex + (
                _SHARED if self.shared else _LOCK
            )
            self._created = self._client.create_async(
                f'{self._path}/{self._prefix}',
                json.dumps(
                    [self.pid, socket.gethostname(), self.purpose]
                ).encode(),
                ephemeral=True,
                sequence=True,
            )
        return self._client.get_children_async(self._path)

    def give_up(self) -> None:
        if self._prefix:
            self._session.abandon(self._path, self._prefix, self.node)
            self._prefix = self.node = ''
            self._session.sweep()

    def is_held(self) -> bool:
        assert self.lease is not None  # narrow type
        try:
            return bool(
                self._session.ask(
                    self._find, _sharing.now() + self.lease.bound()
                )
            )
        except tooz.ToozError:
            return self.lease.left() > 0

    def _find(self) -> Any:
        self._client.sync_async(self._path)
        return self._client.exists_async(f'{self._path}/{self.node}')

    def release(self) -> bool:
        assert self.lease is not None  # narrow type
        sent = 0

        def delete() -> Any:
            nonlocal sent
            sent += 1
            return self._client.delete_async(f'{self._path}/{self.node}')

        try:
            self._session.ask(delete, _sharing.now() + self.lease.bound())
            self._prefix = ''
            return True
        except exceptions.NoNodeError:
            # If it was sent twice, the first one has deleted the node.
            self._prefix = ''
            return sent > 1 and self.lease.left() > 0
        finally:
            self.give_up()


class ZooKeeperLock(_sharing.SharedLock[_ZooKeeperHold]):
    """A lock on ZooKeeper.

    :param name: The name of the lock.
    :param session: The session of its coordinator.
    :param path: The znode whose children want the lock.
    """

    FIRST_PAUSE = 1
    LONGEST_PAUSE = 10

    def __init__(
        self, name: bytes, session: _zookeeper_session.Session, path: str
    ) -> None:
        super().__init__(name, (session, path))
        self.session = session
        self.path = path

    def owners(self) -> list[locking.Owner]:
        nodes = self._queue()
        client = self.session.client
        owners = []
        for node in nodes:
            try:
                data, status = self.session.ask(
                    functools.partial(client.get_async, f'{self.path}/{node}')
                )
            except exceptions.NoNodeError:
                continue
            owners.append(
                _owner(node, node in _holders(nodes), data, status.ctime)
            )
        # In a process, only the first waiter has a node.
        return owners + [
            hold.owner()
            for hold in _sharing._all_holds()
            if isinstance(hold, _ZooKeeperHold)
            and hold.key == self.key
            and hold.waits
            and not hold.acquired
            and not hold.node
            and hold.pid == os.getpid()
        ]

    def break_(self) -> bool:
        """Delete the nodes of those who hold the lock."""
        broken = False
        for node in _holders(self._queue()):
            try:
                self.session.ask(
                    functools.partial(
                        self.session.client.delete_async, f'{self.path}/{node}'
                    )
                )
                broken = True
            except exceptions.NoNodeError:
                continue
        return broken

    def _queue(self) -> list[str]:
        try:
            nodes = self.session.ask(
                lambda: self.session.client.get_children_async(self.path)
            )
        except exceptions.NoNodeError:
            return []
        return sorted((node for node in nodes if _LOCK in node), key=_place)

    def _new_hold(
        self, shared: bool, deadline: float | None
    ) -> _ZooKeeperHold:
        return _ZooKeeperHold(self, shared, deadline)


def _holders(queue: list[str]) -> list[str]:
    """Return those in front of a queue who hold the lock."""
    for number, node in enumerate(queue):
        if _SHARED not in node:
            return queue[: number or 1]
    return queue


def _owner(
    node: str, acquired: bool, data: bytes, created: int
) -> locking.Owner:
    """Tell of whom a node is.

    :param created: When it was made, in milliseconds since the epoch.
    """
    try:
        process, host, purpose = json.loads(data)
    except (ValueError, TypeError):
        # An older tooz has the identifier of its member there.
        process, host = None, ''
        purpose = f'member {data.decode(errors="replace")}'
    since = datetime.datetime.fromtimestamp(created / 1000, datetime.UTC)
    return locking.Owner(
        acquired, _SHARED in node, process, host, since, purpose
    )
