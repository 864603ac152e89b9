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

"""Real Cinder services in one process, under eventlet and native threads.

The API answers HTTP on the loopback interface, requests travel over
oslo.messaging's in-process driver, and SQLite keeps a file: nothing is
mocked and nothing outside the process is needed. The caller has called
``monkey_patch.patch()``, filled in ``CONF`` and created the database schema.
"""

import socketserver
import threading
from wsgiref import simple_server

from oslo_config import cfg
from oslo_service import wsgi
import sqlalchemy

from cinder.common import constants
from cinder import objects
from cinder import service

CONF = cfg.CONF

SQLITE_BUSY_MILLISECONDS = 60000


def serialize_sqlite(engine):
    """Let many native threads write to one SQLite file.

    A transaction that reads first and writes later can fail with "database
    is locked" at once, whatever the busy timeout, when another one wrote in
    between. So every transaction takes SQLite's write lock as it begins, and
    waits for it for up to a minute.

    :param engine: the sqlalchemy.engine.Engine that oslo.db made
    """
    @sqlalchemy.event.listens_for(engine, 'connect')
    def wait_when_busy(dbapi_connection, connection_record):
        dbapi_connection.execute(
            'PRAGMA busy_timeout = %d' % SQLITE_BUSY_MILLISECONDS)

    # oslo.db sends BEGIN itself, from a listener that none can precede.
    @sqlalchemy.event.listens_for(engine, 'before_cursor_execute',
                                  retval=True)
    def begin_immediate(connection, cursor, statement, parameters, *args):
        if statement == 'BEGIN':
            statement = 'BEGIN IMMEDIATE'
        return statement, parameters


class _RequestHandler(simple_server.WSGIRequestHandler):
    """Answers one request on one connection, which it then closes."""

    def address_string(self):
        return self.client_address[0]

    def log_message(self, format, *args):
        """Log nothing, since Cinder logs its requests itself."""


class _Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True
    request_queue_size = 1024

    def server_bind(self):
        # HTTPServer's own server_bind looks the host's name up in the DNS.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]
        self.setup_environ()


class ApiServer:
    """A WSGI application on a free port of 127.0.0.1.

    Each request has a thread of its own, which is a greenthread under
    eventlet's monkey patching. Cinder's own WSGI server needs eventlet.

    :param app: the WSGI application; default is the ``osapi_volume`` of
        ``CONF.api_paste_config``
    """

    def __init__(self, app=None):
        self._app = app
        self._server = None
        self._thread = None

    @property
    def url(self):
        """The address as text, without a slash at its end."""
        return 'http://%s:%d' % self._server.server_address

    @property
    def port(self):
        """The TCP port as an integer."""
        return self._server.server_port

    def start(self):
        """Listen, and serve until stop() is called."""
        app = self._app or wsgi.Loader(CONF).load_app('osapi_volume')
        self._server = simple_server.make_server(
            '127.0.0.1', 0, app, server_class=_Server,
            handler_class=_RequestHandler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={'poll_interval': 0.05},
            name='api-server', daemon=True)
        self._thread.start()

    def stop(self):
        """Stop to listen; a second call does nothing."""
        if self._server is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None


class Services:
    """The API, one scheduler and one cinder-volume, with real locks.

    Service keeps its id in the class, so both of them report as the
    scheduler, and the volume service looks dead after
    ``CONF.service_down_time``: set that beyond the end of the test.

    :param backend: name of the configuration group of the one backend, as
        in ``enabled_backends``
    :param str cluster: name of the cluster of its cinder-volume, as in
        ``cluster``; default is none
    """

    def __init__(self, backend, cluster=None):
        objects.register_all()
        self.volume = service.Service.create(
            host='%s@%s' % (CONF.host, backend), service_name=backend,
            binary=constants.VOLUME_BINARY, coordination=True,
            cluster=cluster and '%s@%s' % (cluster, backend))
        self.scheduler = service.Service.create(
            binary=constants.SCHEDULER_BINARY)
        self.api = ApiServer()

    def start(self):
        """Start all three, the API last."""
        self.volume.start()
        self.scheduler.start()
        self.api.start()

    def stop(self):
        """Stop all three, in the opposite order."""
        self.api.stop()
        self.scheduler.stop()
        self.volume.stop()
