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

"""A program that answers requests, a line of JSON each, and its client.

The program calls :func:`serve` with an object whose methods do the work; a
test drives it with :class:`LineProcess`.
"""

import json
import os
import select
import subprocess
import sys


class LineProcess:
    """Another process that answers requests.

    :param str program: The path of a Python program that serves them.
    :param args: Its arguments.
    """

    def __init__(self, program, *args):
        self._process = subprocess.Popen(
            [sys.executable, '-W', 'ignore', os.path.abspath(program), *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)))

    def ask(self, action, *args):
        """Send a request without waiting for its answer.

        :param str action: A method of the object that is served.
        """
        self._process.stdin.write(json.dumps([action, *args]) + '\n')
        self._process.stdin.flush()

    def answer(self):
        """Wait for the answer to the oldest request without one."""
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError('The process has ended with status %s' %
                               self._process.wait())
        return json.loads(line)

    def do(self, action, *args):
        """Send a request and return its answer."""
        self.ask(action, *args)
        return self.answer()

    def signal(self, number):
        """Send a signal to the process."""
        self._process.send_signal(number)

    def kill(self):
        """End the process with SIGKILL and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


def serve(server):
    """Answer the requests of the standard input until it ends.

    Waiting for a request lets greenthreads run.

    :param server: The object whose methods are called.
    """
    requests = b''
    while True:
        select.select([sys.stdin], [], [])
        data = os.read(sys.stdin.fileno(), 65536)
        if not data:
            return
        *lines, requests = (requests + data).split(b'\n')
        for line in lines:
            action, *args = json.loads(line)
            json.dump(getattr(server, action)(*args), sys.stdout)
            sys.stdout.write('\n')
            sys.stdout.flush()
