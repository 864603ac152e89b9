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

"""The session of a process with ZooKeeper.

A session outlives its connections. The server ends it, and deletes its
ephemeral nodes, when it has heard nothing of the client for the session's
timeout; kazoo then starts another one. While there is no connection, requests
wait in kazoo, and those that were under way when it broke fail: the server
may have heard them or not.

So a request is answered, or its failure is known, after the timeout of the
session at the latest, and what must be done at some time, as to delete a
node, is asked for again until it is done or the session has ended.
"""

import collections
import threading
import time
import weakref

from kazoo import exceptions
from kazoo.protocol import states
import tooz
from tooz import coordination

PAUSE = 0.01
"""Seconds before a request is sent again."""


class Session:
    """The session of a coordinator with ZooKeeper.

    :param client: The KazooClient, started.
    :param float timeout: After how many seconds of silence it ends.
    :ivar int number: How many sessions of the client have ended before.
    :ivar float ends: When it can have ended, by ``time.monotonic()``.
    :ivar abandoned: What :class:`Removal` gets of the nodes that nobody holds
        a lock by any more, and that are to be deleted.
    """

    def __init__(self, client, timeout):
        self.client = client
        self.timeout = timeout
        self.number = 0
        self.ends = 0
        self.abandoned = collections.deque()
        self._mutex = threading.RLock()
        self._held = weakref.WeakSet()
        self._is_connected = client.handler.event_object()
        self._is_connected.set()
        client.handler.select = patient(client.handler.select)
        client.add_listener(self._changed)
        client.handler.spawn(self._beat)

    def bound(self, deadline=None):
        """Return when to give up waiting for an answer, as deadlines are."""
        bound = time.monotonic() + self.timeout
        return bound if deadline is None else min(bound, deadline)

    def answer(self, result, bound):
        """Wait for the answer to a request.

        :param result: The AsyncResult of kazoo.
        :param float bound: When the wait ends, by ``time.monotonic()``.
        :returns: The answer.
        :raises kazoo.exceptions.NoNodeError: The server says so.
        :raises ToozConnectionError: The connection or the session has ended
            before the answer came; the server may have heard the request.
        :raises tooz.ToozError: There is no answer in time, or an error.
        """
        try:
            return result.get(timeout=_left(bound))
        except exceptions.NoNodeError:
            raise
        except (exceptions.ConnectionLoss,
                exceptions.SessionExpiredError) as error:
            raise coordination.ToozConnectionError(
                'The connection to ZooKeeper is broken') from error
        except self.client.handler.timeout_exception as error:
            raise coordination.OperationTimedOut(
                'ZooKeeper does not answer') from error
        except exceptions.KazooException as error:
            raise tooz.ToozError(
                'ZooKeeper refuses a request: %r' % error) from error

    def ask(self, request, *args, deadline=None):
        """Send a request, again if the connection breaks, and wait.

        :param request: An asynchronous method of the client that only reads.
        :param deadline: When the wait ends by ``time.monotonic()``, in
            seconds; it ends after the timeout of the session in any case.
        :returns: The answer.
        :raises: As :meth:`answer`.
        """
        asked = time.monotonic()
        bound = self.bound(deadline)
        while True:
            try:
                answer = self.answer(request(*args), bound)
            except coordination.ToozConnectionError:
                if self._is_closed() or not self._is_connected.wait(
                        _left(bound)) or not _left(bound):
                    raise
                # kazoo refuses requests at once while the thread of its
                # connection, a green one perhaps, has yet to catch up.
                time.sleep(PAUSE)
                asked = time.monotonic()
                self.client.sync_async('/')
            else:
                ends = asked + self.timeout
                if time.monotonic() >= ends:
                    raise coordination.OperationTimedOut(
                        'ZooKeeper has answered too late')
                self.ends = max(self.ends, ends)
                return answer

    def is_alive(self, number):
        """Return whether the session of a number cannot have ended yet."""
        return self.number == number and time.monotonic() < self.ends

    def hold(self, lock):
        """Tell a lock when the session has ended, until :meth:`let_go`."""
        with self._mutex:
            self._held.add(lock)

    def let_go(self, lock):
        """Do not tell a lock any more."""
        with self._mutex:
            self._held.discard(lock)

    def _is_closed(self):
        return self.client.client_state == states.KeeperState.CLOSED

    def _beat(self):
        """Hear of the server several times in the time of a lease."""
        while not self._is_closed():
            while self.abandoned:
                Removal(*self.abandoned.popleft())
            try:
                self.ask(self.client.exists_async, '/')
            except tooz.ToozError:
                pass
            time.sleep(self.timeout / 4)

    def _changed(self, state):
        """Take notice of a new state of the connection."""
        if state == states.KazooState.CONNECTED:
            self._is_connected.set()
            return
        self._is_connected.clear()
        if state == states.KazooState.LOST:
            self.number += 1
            with self._mutex:
                lost = list(self._held)
                self._held.clear()
            for lock in lost:
                lock._tell_lost()


class Removal:
    """Deletes a node, however often the connection breaks meanwhile.

    Its requests wait in kazoo for the connection, so nobody else has to. It
    ends with the session at the latest, and so does the node.

    :param client: The KazooClient.
    :param str path: The path of the queue.
    :param str prefix: How the node's name begins.
    :param node: The name of the node, or None if it is not known; then there
        may be none.
    :param created: The AsyncResult of kazoo for the node.
    :ivar outcome: The AsyncResult of kazoo: whether there was a node.
    """

    def __init__(self, client, path, prefix, node, created):
        self.outcome = client.handler.async_result()
        self._client = client
        self._path = path
        self._prefix = prefix
        self._node = node
        self._asked_before = False
        if node is None:
            # kazoo may still be about to create it, after the path.
            created.rawlink(lambda answer: self._find())
        else:
            self._delete()

    def _find(self):
        self._client.sync_async(self._path)
        self._client.get_children_async(self._path).rawlink(self._found)

    def _found(self, answer):
        if isinstance(answer.exception, exceptions.ConnectionLoss):
            self._find()
            return
        for node in answer.value or ():
            if node.startswith(self._prefix):
                self._node = node
                self._delete()
                return
        self.outcome.set(False)

    def _delete(self):
        self._client.delete_async('%s/%s' % (self._path, self._node)).rawlink(
            self._deleted)

    def _deleted(self, answer):
        error = answer.exception
        if isinstance(error, exceptions.ConnectionLoss):
            self._asked_before = True
            self._delete()
        else:
            self.outcome.set(error is None or self._asked_before and
                             isinstance(error, exceptions.NoNodeError))


def patient(select):
    """Return a select that ends when something is ready or the time is up.

    With eventlet it can end earlier, when two sockets were ready at once the
    last time, and kazoo would take that for a server that does not answer.
    """
    def patient_select(rlist, wlist, xlist, timeout=None):
        bound = timeout is not None and time.monotonic() + timeout
        while True:
            ready = select(rlist, wlist, xlist, timeout)
            if timeout is not None:
                timeout = _left(bound)
            if any(ready) or timeout == 0:
                return ready
    return patient_select


def _left(bound):
    return max(0, bound - time.monotonic())
