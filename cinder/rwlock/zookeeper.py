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

"""Read and write locks in the queue of kazoo's recipes, on ZooKeeper.

All who want the lock of a name, on all hosts, stand in one queue: the
children of the znode of tooz's lock. Each is an ephemeral node that ends in
the number of its place, which the server gives, and has its owner as data.

* To enter the queue is to create a node, ``...__rlock__<number>`` for a
  reader and ``...__lock__<number>`` for a writer.
* A reader holds the lock when no writer is in front of it, a writer when
  nobody is.
* Who has to wait watches the last of those in front that it waits for, and
  looks again when the server tells that this one has gone.
* To release, or to give up, is to delete the node. If the holder or waiter
  dies, the server deletes it when the session ends.

To create the node and to list the queue is one round trip: the server
answers the requests of a session in their order, so both are sent at once. A
list that has our node shows that it was created even if the answer to that
was lost.

These are the nodes and the rules of kazoo's ``ReadLock``, ``WriteLock`` and
``Lock``, and the last is tooz's lock, so an older Cinder's lock and a write
lock exclude each other, and a reader waits for an older Cinder's lock. An
older Cinder does not see readers: it acquires its lock beside them.

The recipes' own ``acquire`` is not called. It has no bound while the server
is silent, and leaves its node behind if the connection breaks when it gives
up. Here every wait for an answer ends with the bound of the caller or after
the timeout of the session, whatever comes first. A node that has to go is
deleted as soon as the connection is back, by requests that wait in kazoo.

The timeout of the session, the option ``timeout`` of the URL, is the lease.
It is asked of the server; one that grants less than that (its
``maxSessionTimeout``) only makes the local clock late, not the server's
answer. A holder has lost its lock when the session has ended, when no
request of this process was answered for the time of the lease, or when its
node is gone. A waiter whose session has ended enters the queue again, at its
end.

As with tooz, the empty znode of a name stays behind, one for every name that
was ever locked. Listing the queue takes the server and the client longer the
more contenders a name has.

See https://zookeeper.apache.org/doc/current/recipes.html, "Shared Locks".
"""

import uuid

from kazoo import exceptions
import tooz
from tooz import coordination

from cinder.rwlock import base
from cinder.rwlock import tooz_internals
from cinder.rwlock import turns
from cinder.rwlock import zookeeper_session

READER = '__rlock__'
WRITER = '__lock__'
ANYBODY = 'lock__'
"""What the names of the nodes of readers, writers and of both have in them."""

GRACE = 0.15
"""Seconds for which a failed acquire waits until its node is deleted."""


def _place(node):
    """Return the number of a node's place in the queue."""
    return int(node.rpartition('__')[2])


class _ZooKeeperLock(base.Lock):
    """What read and write locks do alike.

    :param session: The :class:`zookeeper_session.Session`.
    :param bytes name: The name as tooz gets it.
    :param str path: The path of the queue.
    :param str purpose: What the lock is held for.
    """

    FIRST_PAUSE = LONGEST_PAUSE = 10

    _mark = None
    """What the names of these locks' nodes have in them."""

    _rivals = None
    """What the names of the nodes that these locks wait for have in them."""

    def __init__(self, session, name, path, purpose):
        super().__init__(name.decode(), (id(session), name), purpose)
        self._queue = object()
        self._session = session
        self._client = session.client
        self._path = path
        self._deadline = None
        self._number = None
        self._prefix = None
        self._node = None
        self._created = None
        self._predecessor = None

    def is_still_owner(self):
        session = self._session
        if not (self.acquired and session.is_alive(self._number)):
            return False
        self._client.sync_async(self._path)
        try:
            node = session.ask(self._client.exists_async,
                               '%s/%s' % (self._path, self._node),
                               deadline=session.ends)
        except tooz.ToozError:
            return False
        return node is not None and session.is_alive(self._number)

    def _try_acquire(self, deadline):
        self._deadline = deadline
        nodes = self._queue_nodes()
        place = _place(self._node)
        in_front = [node for node in nodes
                    if self._rivals in node and _place(node) < place]
        if in_front:
            self._predecessor = max(in_front, key=_place)
            return False
        self._session.hold(self)
        return True

    def _queue_nodes(self):
        """Return the nodes of the queue with ours, which is made if needed.

        :raises tooz.ToozError: The server does not answer, or with an error.
        """
        while True:
            created = None if self._prefix else self._enter()
            try:
                nodes = self._list()
            except exceptions.NoNodeError:
                nodes = []
            if self._number == self._session.number:
                for node in nodes:
                    if node.startswith(self._prefix):
                        self._node = node
                        return nodes
            if created is None or not self._is_created(created):
                self._leave()

    def _enter(self):
        self._number = self._session.number
        self._prefix = uuid.uuid4().hex + self._mark
        self._created = self._client.create_async(
            '%s/%s' % (self._path, self._prefix), self.owner().encode(),
            ephemeral=True, sequence=True, makepath=True)
        return self._created

    def _is_created(self, created):
        """Return whether our node was made after the queue was listed."""
        try:
            self._session.answer(created, self._session.bound(self._deadline))
        except coordination.ToozConnectionError:
            return False
        return self._number == self._session.number

    def _list(self):
        return self._session.ask(self._client.get_children_async, self._path,
                                 deadline=self._deadline)

    def _pause(self, turn, seconds):
        self._client.get_async(
            '%s/%s' % (self._path, self._predecessor),
            watch=self._look_again).rawlink(self._look_again_unless_there)
        turn.wait(seconds)

    def _look_again(self, event):
        turns.wake_first(self._queue)

    def _look_again_unless_there(self, answer):
        if isinstance(answer.exception, (exceptions.NoNodeError,
                                         exceptions.ConnectionLoss,
                                         exceptions.SessionExpiredError)):
            turns.wake_first(self._queue)

    def _holders(self):
        try:
            nodes = sorted(self._list(), key=_place)
        except exceptions.NoNodeError:
            return []
        writers = [node for node in nodes if WRITER in node]
        if writers:
            nodes = nodes[:nodes.index(writers[0])] or writers[:1]
        answers = [self._client.get_async('%s/%s' % (self._path, node))
                   for node in nodes]
        bound = self._session.bound(self._deadline)
        owners = []
        for answer in answers:
            try:
                data, _status = self._session.answer(answer, bound)
            except exceptions.NoNodeError:
                continue
            owners.append(data.decode())
        return owners

    def _leave(self):
        """Leave the queue; return the AsyncResult: whether we were in it."""
        removal = zookeeper_session.Removal(
            self._client, self._path, self._prefix, self._node, self._created)
        self._prefix = self._node = None
        return removal.outcome

    def _give_up(self):
        if self._prefix:
            self._leave().wait(GRACE)

    def _is_held_by_clock(self):
        return self._session.is_alive(self._number)

    def _abandon(self):
        self._session.abandoned.append(
            (self._client, self._path, self._prefix, self._node,
             self._created))

    def _release(self):
        self._session.let_go(self)
        left = self._leave()
        if self._number != self._session.number:
            return False
        return self._session.answer(left, self._session.bound())


class ReadLock(_ZooKeeperLock):
    """The read lock of one name. See the module for the algorithm."""

    kind = 'read'
    _mark = READER
    _rivals = WRITER


class WriteLock(_ZooKeeperLock):
    """The write lock of one name. See the module for the algorithm."""

    kind = 'write'
    _mark = WRITER
    _rivals = ANYBODY


class Backend(base.Backend):
    """Locks in the session of a coordinator with ZooKeeper.

    :param str url: The coordination URL, not looked at.
    :param coordinator: The started tooz coordinator.
    :raises tooz.NotImplemented: This tooz is not known.
    """

    READ_LOCK = ReadLock
    WRITE_LOCK = WriteLock

    def __init__(self, url, coordinator):
        tooz_internals.zookeeper_path(coordinator, b'any')
        self._coordinator = coordinator
        self._session = zookeeper_session.Session(
            tooz_internals.zookeeper_client(coordinator),
            tooz_internals.zookeeper_timeout(coordinator))

    def _lock(self, lock_class, name, purpose):
        path = tooz_internals.zookeeper_path(self._coordinator, name)
        return lock_class(self._session, name, path, purpose)
