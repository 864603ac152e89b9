# SPDX-License-Identifier: Apache-2.0

"""An etcd cluster of three members, which pifpaf starts.

Each member is also a service of its own, which can be killed, paused and
restarted.
"""

import base64
import contextlib
import logging
import threading

from pifpaf.drivers import etcd
import psutil
import requests

from tools.cloud.services import service
from tools.common.errors import ToolError

# It warns of each member that was killed and started again.
logging.getLogger('pifpaf').setLevel(logging.ERROR)

HOST = 'localhost'
"""The name under which the members of pifpaf's clusters listen."""
MEMBERS = 3
LOCKS = ('/tooz/lock_owners/', '/tooz/locks')
"""The prefixes of the keys of all locks."""


@contextlib.contextmanager
def _thread_errors():
    """Collect the errors of the threads in which pifpaf starts members.

    :returns: list of exceptions, which grows
    """
    errors = []
    before = threading.excepthook
    threading.excepthook = lambda ended: errors.append(ended.exc_value)
    try:
        yield errors
    finally:
        threading.excepthook = before


class Member(service.Daemon):
    """A member of the cluster.

    :param number: which of them, from 1, as an integer
    :param port: where it listens, as an integer
    :param log: pathlib.Path of its log from its second start on
    """

    def __init__(self, number, port, log):
        super().__init__(f'etcd-{number}', [], log, ready=self._read)
        self.port = port

    def adopt(self, process):
        """Take over a running process as this member.

        :param process: the psutil.Process
        """
        self.command = process.cmdline()
        self._environment = process.environ()
        self._process = process

    def ask(self, path, request):
        """Ask the member, not the cluster, and return its answer.

        :param path: text, below ``/v3``
        :param request: a dict
        :returns: a dict
        """
        answer = requests.post(f'http://{HOST}:{self.port}/v3{path}',
                               json=request, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def _read(self):
        self.ask('/kv/range', {'key': 'YQ=='})


class Cluster(service.Service):
    """Three etcd servers.

    :param site: the tools.cloud.site.Site
    """

    def __init__(self, site):
        super().__init__('etcd')
        self._port = site.port(2 * MEMBERS)
        self._folder = site.folder('etcd')
        self.members = [Member(number + 1, self._port + 2 * number,
                               site.log(f'etcd-{number + 1}'))
                        for number in range(MEMBERS)]
        self._driver = None

    def url(self, number):
        """Return the coordination URL of a member.

        :param number: which of them, from 1, as an integer
        """
        return f'etcd3+http://{HOST}:{self.members[number - 1].port}'

    def launch(self):
        driver = etcd.EtcdDriver(port=self._port, cluster=True,
                                 tmp_rootdir=str(self._folder))
        with _thread_errors() as errors:
            try:
                driver.setUp()
            except Exception as error:
                raise ToolError(f'etcd did not start: {[*errors, error][0]}')
        self._driver = driver
        listening = {
            connection.laddr.port: connection.pid
            for connection in psutil.net_connections('tcp')
            if connection.status == psutil.CONN_LISTEN and connection.pid}
        for member in self.members:
            member.adopt(psutil.Process(listening[member.port]))
            member.wait()

    def leader(self):
        """Return the Member that leads the others.

        :raises ToolError: if there is none
        """
        for member in self.members:
            status = member.ask('/maintenance/status', {})
            if status['leader'] == status['header']['member_id']:
                return member
        raise ToolError('etcd has no leader')

    def locks(self):
        """Return the keys of all locks as a list of text."""
        return [key for prefix in LOCKS for key in self._keys(prefix)]

    def _keys(self, prefix):
        first = prefix.encode()
        after = first[:-1] + bytes([first[-1] + 1])
        found = self.members[0].ask('/kv/range', {
            'key': base64.b64encode(first).decode(),
            'range_end': base64.b64encode(after).decode(), 'keys_only': True})
        return [base64.b64decode(one['key']).decode(errors='replace')
                for one in found.get('kvs', ())]

    def check(self):
        for member in self.members:
            member.check()

    def stop(self):
        if self._driver is not None:
            self._driver.cleanUp()
            self._driver = None
        for member in self.members:
            member.kill()
