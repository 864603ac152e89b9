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

"""Another process that takes locks of Cinder's coordinator on request.

Run as a program, this module answers requests, a line of JSON each, with the
locks of a coordinator of its own. :class:`LockProcess` is the test's end.
"""

import gc
import json
import os
import subprocess
import sys
import time

from oslo_config import cfg

from cinder import coordination

CONF = cfg.CONF


class LockProcess:
    """A process with its own coordinator, driven line by line.

    :param str url: The coordination URL.
    """

    def __init__(self, url):
        self._process = subprocess.Popen(
            [sys.executable, '-W', 'ignore', os.path.abspath(__file__), url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)))

    def ask(self, action, *args):
        """Send a request without waiting for its answer."""
        self._process.stdin.write(json.dumps([action, *args]) + '\n')
        self._process.stdin.flush()

    def answer(self):
        """Wait for the answer to the oldest request without one."""
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError('The lock process has ended with status %s' %
                               self._process.wait())
        return json.loads(line)

    def do(self, action, *args):
        """Send a request and return its answer.

        :param str action: A method of :class:`_Server`.
        """
        self.ask(action, *args)
        return self.answer()

    def kill(self):
        """End the process with SIGKILL and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


class _Server:

    def __init__(self, url):
        CONF([], project='cinder', default_config_files=[])
        CONF.set_override('backend_url', url, group='coordination')
        self._coordinator = coordination.Coordinator(prefix='cinder-')
        self._coordinator.start()
        self._locks = {}

    def ready(self):
        return True

    def acquire(self, key, kind, name, blocking):
        """Acquire a lock and remember it under a key.

        :param str kind: ``read``, ``write``, or ``tooz`` for the exclusive
            lock that a Cinder without read and write locks takes.
        """
        get = {'read': 'get_read_lock',
               'write': 'get_write_lock',
               'tooz': 'get_lock'}[kind]
        self._locks[key] = getattr(self._coordinator, get)(name)
        return self._locks[key].acquire(blocking)

    def release(self, key):
        return self._locks[key].release()

    def forget(self, key):
        """Release a lock and see to it that its object is freed."""
        released = self._locks.pop(key).release()
        gc.collect()
        return released

    def fork(self):
        """Fork a child that lives on; return which locks it thinks it has."""
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.close(0)
            os.close(1)
            with os.fdopen(writing, 'w') as stream:
                json.dump([key for key, lock in self._locks.items()
                           if lock.acquired or lock.release()], stream)
            time.sleep(60)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as stream:
            return json.load(stream)

    def storm(self, name, counter, rounds, write_every):
        """Take the lock again and again and look for anybody else inside.

        A writer adds 10000 to the number in the file ``counter``, in two
        steps that another writer would disturb; a reader sees it stand still.

        :returns: The number of writes, and (kind, begin, end) of each hold
            by the clock that all processes share.
        """
        holds = []
        writes = 0
        for turn in range(rounds):
            kind = 'read' if turn % write_every else 'write'
            self.acquire('storm', kind, name, True)
            begin = time.monotonic()
            with open(counter, 'r+') as stream:
                before = int(stream.read())
                time.sleep(0.0001)
                stream.seek(0)
                if kind == 'write':
                    writes += 1
                    stream.write(str(before + 10000))
                elif int(stream.read()) != before:
                    raise RuntimeError('A writer was inside with a reader')
            holds.append((kind, begin, time.monotonic()))
            self.release('storm')
        return writes, holds


def main():
    server = _Server(sys.argv[1])
    for line in sys.stdin:
        action, *args = json.loads(line)
        json.dump(getattr(server, action)(*args), sys.stdout)
        sys.stdout.write('\n')
        sys.stdout.flush()


if __name__ == '__main__':
    main()
