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

"""A TCP proxy that disturbs the way between a coordinator and its server."""

import asyncio
import threading

from cinder.tests import line_process


class Proxy(line_process.LineProcess):
    """A process that forwards connections to a port of this host.

    :param int server_port: Where the server listens.
    :ivar int port: Where the proxy listens.
    """

    def __init__(self, server_port):
        super().__init__(__file__)
        self.port = self.do('forward', server_port)

    def silence(self):
        """Hold back all data, both ways, as if every packet were lost."""
        self.do('silence')

    def hear(self):
        """Deliver what was held back, and all that follows."""
        self.do('hear')

    def cut(self):
        """Break all connections and refuse new ones."""
        self.do('cut')

    def mend(self):
        """Take new connections again."""
        self.do('mend')

    def lose_answer_to(self, request):
        """Break the connection instead of answering one request.

        :param bytes request: What the request has in it. The server hears
            the request, the client never hears its answer.
        """
        self.do('lose_answer_to', request.hex())

    def delay(self, seconds):
        """Hold back each answer, as a long way to the server would.

        :param float seconds: For how long.
        """
        self.do('delay', seconds)

    def trips(self):
        """Return how many round trips there were since the last call.

        What is sent before the answer to something else arrives belongs to
        the same round trip.
        """
        return self.do('trips')


class _Forwarder:

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._writers = set()
        self._is_cut = False
        self._lost_request = None
        self._delay = 0
        self._trips = 0
        self._port = 0

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(
            coroutine, self._loop).result()

    def forward(self, server_port):
        self._server_port = server_port
        self._run(self._start())
        return self._port

    async def _start(self):
        self._audible = asyncio.Event()
        self._audible.set()
        await self._listen()

    async def _listen(self):
        self._is_cut = False
        self._listener = await asyncio.start_server(
            self._connect, '127.0.0.1', self._port, reuse_address=True)
        self._port = self._listener.sockets[0].getsockname()[1]

    def silence(self):
        self._loop.call_soon_threadsafe(self._audible.clear)

    def hear(self):
        self._loop.call_soon_threadsafe(self._audible.set)

    def cut(self):
        self._run(self._cut())

    async def _cut(self):
        self._is_cut = True
        self._listener.close()
        for writer in list(self._writers):
            writer.transport.abort()

    def mend(self):
        self._run(self._listen())

    def lose_answer_to(self, request):
        self._lost_request = bytes.fromhex(request)

    def delay(self, seconds):
        self._delay = seconds

    def trips(self):
        trips, self._trips = self._trips, 0
        return trips

    async def _connect(self, reader, writer):
        try:
            server_reader, server_writer = await asyncio.open_connection(
                '127.0.0.1', self._server_port)
        except OSError:
            writer.transport.abort()
            return
        writers = {writer, server_writer}
        if self._is_cut:
            for stream in writers:
                stream.transport.abort()
            return
        connection = _Connection()
        self._writers |= writers
        try:
            await asyncio.gather(
                self._ask(connection, reader, server_writer),
                self._answer(connection, server_reader, writer))
        except OSError:
            pass
        finally:
            self._writers -= writers
            for stream in writers:
                stream.transport.abort()

    async def _ask(self, connection, reader, writer):
        while data := await reader.read(65536):
            await self._audible.wait()
            if not connection.is_asking:
                connection.is_asking = True
                self._trips += 1
            if self._lost_request and self._lost_request in data:
                self._lost_request = None
                connection.loses_answer = True
            writer.write(data)
            await writer.drain()
        await self._audible.wait()
        writer.write_eof()

    async def _answer(self, connection, reader, writer):
        while data := await reader.read(65536):
            await self._audible.wait()
            await asyncio.sleep(self._delay)
            connection.is_asking = False
            if connection.loses_answer:
                raise ConnectionAbortedError
            writer.write(data)
            await writer.drain()
        await self._audible.wait()
        writer.write_eof()


class _Connection:

    def __init__(self):
        self.is_asking = False
        self.loses_answer = False


if __name__ == '__main__':
    line_process.serve(_Forwarder())
