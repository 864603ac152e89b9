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

"""The session of a coordinator with ZooKeeper.

A session outlives its connections. The server ends it, and deletes its
ephemeral nodes, when it has heard nothing of the client for a time that they
have agreed on; kazoo then begins another one. While there is no connection,
requests wait in kazoo, and those that were under way when it broke fail: the
server may have heard them or not. Once a client has come back, the server
takes no more requests from its former connection.

So a request is sent again while its caller waits, and what must be done at
some time, as to delete a node, is asked for again until it is done or the
session has ended.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
import contextlib
import functools
import os
import socket
import time
from typing import Any

from kazoo import client
from kazoo import exceptions

try:
    from kazoo.handlers import eventlet as eventlet_handler
except ImportError:
    eventlet_handler = None
from kazoo.handlers import threading as threading_handler
from kazoo.protocol import states

import tooz
from tooz import _sharing
from tooz import coordination

BROKEN = (exceptions.ConnectionLoss, exceptions.SessionExpiredError)
"""Errors after which nobody knows whether the server got the request."""


class Session:
    """What the locks of a coordinator know of its session with ZooKeeper.

    :param zookeeper: The client, not started yet.
    :param seconds: How long the server keeps a session without a word.
    :ivar lease: For how long the session lives; another one has another lease.
    """

    RETRY_PAUSE = 0.01
    """Seconds before a request is sent again: kazoo refuses requests while
    the thread of its connection has yet to catch up."""

    def __init__(self, zookeeper: client.KazooClient, seconds: float) -> None:
        self.client = zookeeper
        self.lease = _sharing.Lease(seconds, _sharing.now())
        self._is_connected = zookeeper.handler.event_object()
        self._abandoned: collections.deque[tuple[str, str, str]] = (
            collections.deque()
        )
        zookeeper.add_listener(self._changed)

    def ask(
        self, request: Callable[[], Any], deadline: float | None = None
    ) -> Any:
        """Send a request, again if the connection breaks, and wait for it.

        :param request: Sends it and returns the result that kazoo promises.
        :param deadline: When the wait ends, by :func:`tooz._sharing.now`. It
            ends after the time of a lease in any case.
        :raises kazoo.exceptions.NoNodeError: The server says so.
        :raises tooz.coordination.OperationTimedOut: No answer came in time.
        :raises tooz.ToozError: The server refuses, or the client is stopped.
        """
        bound = _sharing.now() + self.lease.seconds
        if deadline is not None:
            bound = min(bound, deadline)
        while True:
            if self.client.client_state == states.KeeperState.CLOSED:
                raise coordination.ToozConnectionError(
                    'The connection to ZooKeeper is closed'
                )
            # kazoo would block a thread that sends to nobody for long.
            self._is_connected.wait(_left(bound))
            lease, sent = self.lease, _sharing.now()
            try:
                if not (self._is_connected.is_set() and _left(bound)):
                    raise self.client.handler.timeout_exception()
                answer = request().get(timeout=_left(bound))
            except exceptions.NoNodeError:
                raise
            except BROKEN:
                time.sleep(self.RETRY_PAUSE)
            except self.client.handler.timeout_exception as error:
                raise coordination.OperationTimedOut(
                    'ZooKeeper does not answer'
                ) from error
            except exceptions.KazooException as error:
                raise tooz.ToozError(
                    f'ZooKeeper refuses a request: {error!r}'
                ) from error
            else:
                lease.extend(sent)
                # It may have come so late that the session has ended since.
                if lease.left():
                    return answer

    def beat(self) -> None:
        """Ask for a sign of life, and delete what was abandoned.

        :raises tooz.ToozError: As :meth:`ask`.
        """
        self.sweep()
        deadline = _sharing.now() + self.lease.seconds / 4
        try:
            self.ask(lambda: self.client.exists_async('/'), deadline)
        except coordination.OperationTimedOut:
            # kazoo looks for a silent connection only when nobody uses it.
            if self.lease.left() < self.lease.seconds / 2:
                self.client.handler.disconnect()
            raise

    def abandon(self, path: str, prefix: str, node: str) -> None:
        """Have a node deleted, at once or when there is a connection.

        :param path: The queue.
        :param prefix: How its name begins.
        :param node: Its name, '' if that, or whether it exists, is not known.
        """
        self._abandoned.append((path, prefix, node))

    def sweep(self) -> None:
        """Delete the nodes that were abandoned, without waiting for it."""
        with contextlib.suppress(IndexError):  # Others sweep as well.
            for _number in range(len(self._abandoned)):
                if self._is_connected.is_set():
                    self._remove(*self._abandoned.popleft())

    def _remove(self, path: str, prefix: str, node: str) -> None:
        place = path, prefix, node
        if node:
            result = self.client.delete_async(f'{path}/{node}')
        else:
            # A member of the ensemble may lag behind.
            self.client.sync_async(path)
            result = self.client.get_children_async(path)
        result.rawlink(functools.partial(self._removed, place))

    def _removed(self, place: tuple[str, str, str], answer: Any) -> None:
        path, prefix, node = place
        if isinstance(answer.exception, BROKEN):
            self._abandoned.append(place)
        elif not node:
            for name in answer.value or ():
                if name.startswith(prefix):
                    self._remove(path, prefix, name)

    def _changed(self, state: str) -> None:
        if state == states.KazooState.CONNECTED:
            self._is_connected.set()
            self.client.handler.spawn(self.sweep)
            return
        self._is_connected.clear()
        if state == states.KazooState.LOST:
            self.lease.lose()
            self.lease = _sharing.Lease(self.lease.seconds, _sharing.now())


def _left(bound: float) -> float:
    return max(bound - _sharing.now(), 0)


class _Handler:
    """What the handlers of kazoo lack."""

    connection: Any = None
    """The socket of the last connection that was made."""

    def create_connection(self, *args: Any, **kwargs: Any) -> Any:
        self.connection = super().create_connection(  # type: ignore[misc]
            *args, **kwargs
        )
        return self.connection

    def disconnect(self) -> None:
        """Break the connection, so that kazoo makes another one."""
        # Through another descriptor: the thread of kazoo uses the socket.
        with (
            contextlib.suppress(OSError),
            socket.socket(fileno=os.dup(self.connection.fileno())) as copy,
        ):
            copy.shutdown(socket.SHUT_RDWR)

    def select(
        self,
        rlist: list[Any],
        wlist: list[Any],
        xlist: list[Any],
        timeout: float | None = None,
    ) -> tuple[list[Any], list[Any], list[Any]]:
        """Wait until something is ready or the time is up.

        What a TLS socket has decrypted already is ready, though the kernel
        has nothing more to read. With eventlet, a select can end too early
        when two sockets were ready at once the last time; kazoo would take
        that for a server that does not answer.
        """
        read = [
            reader
            for reader in rlist
            if hasattr(reader, 'pending') and reader.pending()
        ]
        if read:
            timeout = 0
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            ready = super().select(  # type: ignore[misc]
                rlist, wlist, xlist, timeout
            )
            if end is not None:
                timeout = max(end - time.monotonic(), 0)
            if read or any(ready) or timeout == 0:
                read += [reader for reader in ready[0] if reader not in read]
                return read, ready[1], ready[2]


HANDLERS = {
    kind: type(handler.__name__, (_Handler, handler), {})
    for kind, handler in (
        ('threading', threading_handler.SequentialThreadingHandler),
        (
            'eventlet',
            eventlet_handler and eventlet_handler.SequentialEventletHandler,
        ),
    )
    if handler
}
"""Kind -> class of a handler for kazoo."""
