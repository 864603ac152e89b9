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

"""Another process that takes locks on request, a line of JSON each."""

import gc
import json
import os
import select
import subprocess  # noqa: S404
import sys
import threading
import time

from tooz import coordination


PATIENCE = 60
"""Seconds after which a test that waits for something fails."""


class LockProcess:
    """A process with a coordinator of its own.

    It uses eventlet if this one does.

    :param url: The URL of the coordinator.
    """

    def __init__(self, url):
        self._process = subprocess.Popen(  # noqa: S603
            [
                sys.executable,
                '-W',
                'ignore',
                __file__,
                url,
                'eventlet' * uses_eventlet(),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)),
        )
        assert self._process.stdin and self._process.stdout  # narrow type
        self._requests = self._process.stdin
        self._answers = self._process.stdout
        self.pid = self.do('getpid')

    def ask(self, action, *args):
        """Send a request without waiting for its answer."""
        self._requests.write(json.dumps([action, *args]) + '\n')
        self._requests.flush()

    def answer(self):
        """Wait for the answer to the oldest request without one."""
        ready, _, _ = select.select([self._answers], [], [], PATIENCE)
        if not ready:
            raise AssertionError('The process does not answer')
        return json.loads(self._answers.readline())

    def do(self, action, *args):
        """Send a request and return its answer."""
        self.ask(action, *args)
        return self.answer()

    def signal(self, number):
        self._process.send_signal(number)

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._requests.close()
        self._answers.close()


def uses_eventlet():
    """Return whether eventlet has patched this process."""
    if 'eventlet' not in sys.modules:
        return False
    from eventlet import patcher

    return patcher.is_monkey_patched('thread')


class _Server:
    def __init__(self, url):
        self._coordinator = coordination.get_coordinator(
            url, str(os.getpid()).encode()
        )
        self._coordinator.start(start_heart=True)
        self._locks = {}

    def getpid(self):
        return os.getpid()

    def acquire(self, key, name, shared, blocking):
        """Acquire a lock of a name and remember it under a key."""
        lock = self._coordinator.get_lock(name.encode())
        self._locks[key] = lock
        return lock.acquire(blocking, shared)

    def release(self, key):
        return self._locks[key].release()

    def is_still_owner(self, key):
        return self._locks[key].is_still_owner()

    def forget(self, key):
        """Release a lock and see to it that its object is freed."""
        released = self._locks.pop(key).release()
        gc.collect()
        return released

    def fork(self):
        """Fork a child that lives on; return which locks it thinks it has."""
        reading, writing = os.pipe()
        if os.fork() == 0:
            if uses_eventlet():
                from eventlet import hubs

                hubs.use_hub()
            with os.fdopen(writing, 'w') as stream:
                json.dump(
                    [
                        key
                        for key, lock in self._locks.items()
                        if lock.acquired or lock.release()
                    ],
                    stream,
                )
            os.close(0)
            os.close(1)
            time.sleep(PATIENCE)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as stream:
            return json.load(stream)

    def begin_turns(self, name, shared, threads, seconds):
        """Let threads hold a lock again and again, for so long each time."""
        self._go_on = True
        self._threads = [
            threading.Thread(target=self._turns, args=(name, shared, seconds))
            for _thread in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def _turns(self, name, shared, seconds):
        while self._go_on:
            with self._coordinator.get_lock(name.encode())(shared=shared):
                time.sleep(seconds)

    def end_turns(self):
        """End what :meth:`begin_turns` began."""
        self._go_on = False
        for thread in self._threads:
            thread.join()

    def storm(self, name, path, rounds, share):
        """Take a lock again and again and look for anybody else inside.

        An exclusive holder adds 10000 to the number in a file, in two steps
        that another one would disturb; others see it stand still.

        :param share: One in how many rounds takes the lock exclusively.
        :returns: The number of exclusive rounds; how often somebody who
            shared the lock saw the number change; how often somebody else
            was seen to share it.
        """
        exclusive = met = together = 0
        for turn in range(rounds):
            shared = turn % share > 0
            lock = self._coordinator.get_lock(name.encode())
            lock.acquire(shared=shared)
            with open(path, 'r+') as stream:
                before = int(stream.read())
                time.sleep(0.0002)
                stream.seek(0)
                if shared:
                    met += int(stream.read()) != before
                    together += sum(o.acquired for o in lock.owners()) > 1
                else:
                    exclusive += 1
                    stream.write(str(before + 10000))
            lock.release()
        return exclusive, met, together


def main():
    _name, url, eventlet = sys.argv
    if eventlet:
        from eventlet import patcher

        patcher.monkey_patch()
    server = _Server(url)
    requests = b''
    while True:
        # Greenthreads run while this one waits.
        select.select([sys.stdin], [], [])
        data = os.read(sys.stdin.fileno(), 65536)
        if not data:
            return
        *lines, requests = (requests + data).split(b'\n')
        for line in lines:
            action, *args = json.loads(line)
            print(json.dumps(getattr(server, action)(*args)), flush=True)


if __name__ == '__main__':
    main()
