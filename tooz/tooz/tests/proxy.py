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

"""A TCP proxy that disturbs the way between a coordinator and its server."""

import asyncio
import json
import subprocess  # noqa: S404
import sys


class Proxy:
    """A process that forwards connections to a port of this host.

    It is a process of its own, so it works on while a test waits in the
    kernel, and whether eventlet has patched the test or not.

    :param server_port: Where the server listens.
    :ivar port: Where the proxy listens.
    """

    def __init__(self, server_port):
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, __file__, str(server_port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = self._answer()

    def _do(self, action, *args):
        assert self._process.stdin is not None  # narrow type
        self._process.stdin.write(json.dumps([action, *args]) + '\n')
        self._process.stdin.flush()
        return self._answer()

    def _answer(self):
        assert self._process.stdout is not None  # narrow type
        return json.loads(self._process.stdout.readline())

    def kill(self):
        self._process.kill()
        self._process.__exit__(None, None, None)

    def silence(self):
        """Hold back all data, both ways, as if every packet were lost."""
        self._do('silence')

    def silence_old_connections(self):
        """Hold back the data of the connections that there are now."""
        self._do('silence_old_connections')

    def hear(self):
        """Deliver what was held back, and all that follows."""
        self._do('hear')

    def cut(self):
        """Break all connections and refuse new ones."""
        self._do('cut')

    def mend(self):
        """Take new connections again."""
        self._do('mend')

    def lose_answer_to(self, request):
        """Break the connection instead of answering one request.

        :param request: Bytes that the request has in it. The server hears
            it, the client never hears its answer.
        """
        self._do('lose_answer_to', request.hex())

    def keep(self, request):
        """Keep one request until :meth:`deliver` is called.

        :param request: Bytes that the request has in it. The server gets it
            even if the client has closed its connection by then.
        """
        self._do('keep', request.hex())

    def kept(self):
        """Return whether a request that :meth:`keep` waits for has come."""
        return self._do('kept')

    def deliver(self):
        """Let the server hear what was kept, and wait for its answer."""
        self._do('deliver')

    def delay(self, seconds):
        """Hold back each answer for so long, as a long way would."""
        self._do('delay', seconds)

    def trips(self):
        """Return how many round trips there were since the last call.

        What is sent before the answer to something else arrives belongs to
        the same round trip.
        """
        return self._do('trips')


class _Connection:
    def __init__(self, streams):
        self.writers = streams[1], streams[3]
        self.audible = asyncio.Event()
        self.audible.set()
        self.delivered = asyncio.Event()
        self.answered = asyncio.Event()
        self.is_asking = self.loses_answer = False


class _Forwarder:
    """What runs in the process of a :class:`Proxy`."""

    def __init__(self, server_port):
        self._server_port = server_port
        self._connections = set()
        self._port = self._trips = self._delay = 0
        self._lost = self._wanted = b''
        self._kept = None
        self._is_silent = self._is_cut = False

    async def serve(self):
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        await self.mend()
        print(self._port, flush=True)
        while line := await reader.readline():
            action, *args = json.loads(line)
            print(json.dumps(await getattr(self, action)(*args)), flush=True)

    async def silence(self):
        self._is_silent = True
        await self.silence_old_connections()

    async def silence_old_connections(self):
        for connection in self._connections:
            connection.audible.clear()

    async def hear(self):
        self._is_silent = False
        for connection in self._connections:
            connection.audible.set()

    async def cut(self):
        self._is_cut = True
        self._listener.close()
        for connection in self._connections:
            self._break(connection)

    async def mend(self):
        self._listener = await asyncio.start_server(
            self._connect, '127.0.0.1', self._port, reuse_address=True
        )
        self._is_cut = False
        self._port = self._listener.sockets[0].getsockname()[1]

    async def lose_answer_to(self, request):
        self._lost = bytes.fromhex(request)

    async def keep(self, request):
        self._wanted = bytes.fromhex(request)

    async def kept(self):
        return self._kept is not None

    async def deliver(self):
        kept, self._kept = self._kept, None
        assert kept is not None  # narrow type
        kept.delivered.set()
        await kept.answered.wait()

    async def delay(self, seconds):
        self._delay = seconds

    async def trips(self):
        trips, self._trips = self._trips, 0
        return trips

    @staticmethod
    def _break(connection):
        for writer in connection.writers:
            writer.transport.abort()

    async def _connect(self, reader, writer):
        try:
            server = await asyncio.open_connection(
                '127.0.0.1', self._server_port
            )
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection((reader, writer, *server))
        if self._is_cut:
            self._break(connection)
            return
        if self._is_silent:
            connection.audible.clear()
        self._connections.add(connection)
        try:
            await asyncio.gather(
                self._ask(connection, reader, server[1]),
                self._answer(connection, server[0], writer),
            )
        except OSError:
            pass
        finally:
            self._connections.discard(connection)
            self._break(connection)

    async def _ask(self, connection, reader, writer):
        while data := await reader.read(65536):
            await connection.audible.wait()
            if not connection.is_asking:
                connection.is_asking = True
                self._trips += 1
            if self._lost and self._lost in data:
                self._lost = b''
                connection.loses_answer = True
            if self._wanted and self._wanted in data:
                self._wanted, self._kept = b'', connection
                await connection.delivered.wait()
            writer.write(data)
            await writer.drain()
        await connection.audible.wait()
        writer.write_eof()

    async def _answer(self, connection, reader, writer):
        while data := await reader.read(65536):
            await connection.audible.wait()
            await asyncio.sleep(self._delay)
            connection.is_asking = False
            connection.answered.set()
            if connection.loses_answer:
                raise ConnectionAbortedError
            writer.write(data)
            await writer.drain()
        await connection.audible.wait()
        writer.write_eof()


if __name__ == '__main__':
    asyncio.run(_Forwarder(int(sys.argv[1])).serve())
