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

"""Requests to a Redis server that end in time.

A request that finds no answer is tried again on a new connection, and all
connections that are older than that are dropped: whatever has made one of them
silent, such as an address that moved, has done so with the others.
"""

from __future__ import annotations

import hashlib
import os
import time
from typing import Any, NamedTuple
import weakref

import redis
from redis import exceptions

import tooz
from tooz import _sharing
from tooz import coordination

_CONNECTIONS = 50
"""How many requests can be under way, more or less. Others wait."""

_BUSY_PAUSE = 0.01
"""Seconds after which a request that waits looks whether there are less."""

_RETRY_PAUSE = 0.2
"""Seconds between a request that failed and the next, from the third on."""


class Script:
    """A Lua script.

    :param text: What it does.
    :param keys: How many of its arguments are keys.
    """

    def __init__(self, text: str, keys: int) -> None:
        self.text = text.encode()
        self.keys = b'%d' % keys
        self.sha = (
            hashlib.sha1(self.text, usedforsecurity=False).hexdigest().encode()
        )


class Request(NamedTuple):
    """A script and its arguments, or the words of a command."""

    script: Script | None
    arguments: tuple[bytes, ...]


class Reply(NamedTuple):
    """What came of some requests."""

    answers: list[Any]
    """For each one what the server returned, or a RedisError."""

    sent: float
    """When they were sent, by :func:`tooz._sharing.now`."""

    is_first: bool
    """Whether no earlier try may have done the same."""


class Connections:
    """Connections to a Redis server.

    :param client: What knows how to connect. Its own connections are not
        used. A request is tried again after its ``socket_timeout``.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._make: Any = client.connection_pool.connection_class
        self._options = client.connection_pool.connection_kwargs
        self._bound: float = self._options['socket_timeout']
        self._pid = 0
        self._check_process()

    def _check_process(self) -> None:
        """Leave the connections to the parent, in a child that was forked."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._idle: list[Any] = []
            # Whatever exception ends a request, it does not count any more.
            self._busy: weakref.WeakSet[Any] = weakref.WeakSet()

    def ask(
        self, script: Script, arguments: tuple[bytes, ...], seconds: float
    ) -> Reply:
        """Run a script on the server, once there are not too many others.

        :param seconds: How long it may take.
        :raises tooz.coordination.ToozConnectionError: There was no answer.
        :raises tooz.ToozError: The server refuses to.
        """
        end = _sharing.now() + seconds
        self._check_process()
        while len(self._busy) >= _CONNECTIONS:
            if _sharing.now() >= end:
                raise coordination.ToozConnectionError(
                    'All connections to the Redis server are in use'
                )
            time.sleep(_BUSY_PAUSE)
        reply = self.ask_all(
            [Request(script, arguments)], end - _sharing.now()
        )
        check(reply)
        return reply

    def ask_all(self, requests: list[Request], seconds: float) -> Reply:
        """Send requests to the server, in one round trip.

        :param seconds: How long it may take.
        :raises tooz.coordination.ToozConnectionError: There was no answer.
        """
        end = _sharing.now() + seconds
        is_first = True
        while True:
            sent = _sharing.now()
            bound = max(min(end - sent, self._bound), 0.01)
            try:
                return Reply(self._try(requests, bound), sent, is_first)
            except exceptions.AuthenticationError as error:
                raise _tooz_error(error) from error
            except exceptions.RedisError as error:
                left = end - _sharing.now()
                if left <= 0:
                    raise _tooz_error(error) from error
            time.sleep(0 if is_first else min(left, _RETRY_PAUSE))
            is_first = False

    def _try(self, requests: list[Request], bound: float) -> list[Any]:
        self._check_process()
        idle, busy = self._idle, self._busy
        try:
            connection = idle.pop()
        except IndexError:
            connection = self._make(**self._options)
        busy.add(connection)
        try:
            answers = _exchange(connection, requests, bound)
        except BaseException:
            idle.clear()
            connection.disconnect()
            raise
        finally:
            busy.discard(connection)
        idle.append(connection)
        return answers


def check(reply: Reply) -> None:
    """Raise an error if the server has refused one of the requests."""
    for answer in reply.answers:
        if isinstance(answer, exceptions.RedisError):
            raise _tooz_error(answer)


def _exchange(
    connection: Any, requests: list[Request], bound: float
) -> list[Any]:
    end = _sharing.now() + bound
    connection.socket_timeout = connection.socket_connect_timeout = bound
    connection.connect()
    answers: list[Any] = []
    for verb in (b'EVALSHA', b'EVAL'):
        commands = [_command(verb, *request) for request in requests]
        connection.send_packed_command(connection.pack_commands(commands))
        answers = []
        while len(answers) < len(commands):
            if not connection.can_read(max(end - _sharing.now(), 0)):
                raise exceptions.TimeoutError('There is no answer')
            answers.append(_answer(connection))
        if not any(isinstance(a, exceptions.NoScriptError) for a in answers):
            break
    return answers


def _command(
    verb: bytes, script: Script | None, arguments: tuple[bytes, ...]
) -> tuple[bytes, ...]:
    if script is None:
        return arguments
    what = script.sha if verb == b'EVALSHA' else script.text
    return (verb, what, script.keys, *arguments)


def _answer(connection: Any) -> Any:
    try:
        return connection.read_response()
    except exceptions.ResponseError as error:
        # A server that is no master any more, or has lost its replicas, is
        # about to be replaced.
        if any(word in str(error) for word in ('READONLY', 'NOREPLICAS')):
            raise exceptions.ConnectionError(str(error)) from error
        return error


def _tooz_error(error: exceptions.RedisError) -> tooz.ToozError:
    if isinstance(
        error, (exceptions.ConnectionError, exceptions.TimeoutError)
    ):
        return coordination.ToozConnectionError(str(error), error)
    return tooz.ToozError(str(error), error)
