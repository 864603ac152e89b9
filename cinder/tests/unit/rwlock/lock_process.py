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

"""Another process that takes locks of Cinder's coordinator on request."""

import contextlib
import gc
import json
import os
import signal
import sys
import threading
import time

from eventlet import hubs
from eventlet import patcher
from oslo_config import cfg
import tooz

from cinder import coordination
from cinder.rwlock import turns
from cinder.tests import line_process

CONF = cfg.CONF


class LockProcess(line_process.LineProcess):
    """A process with its own coordinator.

    It uses eventlet if this one does, and native threads otherwise.

    :param str url: The coordination URL.
    """

    def __init__(self, url):
        super().__init__(
            __file__, url, str(int(patcher.is_monkey_patched('thread'))))

    def pause(self):
        """Stop the process with SIGSTOP."""
        self.signal(signal.SIGSTOP)

    def resume(self):
        """Let a paused process go on."""
        self.signal(signal.SIGCONT)


class _Server:

    def __init__(self, url):
        CONF([], project='cinder', default_config_files=[])
        CONF.set_override('backend_url', url, group='coordination')
        self._coordinator = coordination.Coordinator(prefix='cinder-')
        self._coordinator.start()
        self._locks = {}
        self._threads = {}
        self._acquired = {}

    def ready(self):
        return True

    def acquire(self, key, kind, name, blocking):
        """Acquire a lock and remember it under a key.

        :param str kind: ``read``, ``write``, or ``tooz`` for the exclusive
            lock that a Cinder without read and write locks takes.
        :returns: Whether it is acquired.
        """
        get = {'read': 'get_read_lock',
               'write': 'get_write_lock',
               'tooz': 'get_lock'}[kind]
        self._locks[key] = getattr(self._coordinator, get)(name)
        return self._locks[key].acquire(blocking)

    def begin(self, key, kind, name):
        """Let a thread acquire a lock; return once it waits or has ended."""
        lock = getattr(self._coordinator, 'get_%s_lock' % kind)(name)
        self._locks[key] = lock
        thread = threading.Thread(target=self._acquire, args=(key,))
        self._threads[key] = thread
        thread.start()
        while thread.is_alive() and not turns.are_taken(lock._queue):
            time.sleep(0.001)
        return True

    def _acquire(self, key):
        self._acquired[key] = None
        with contextlib.suppress(tooz.ToozError):
            self._locks[key].acquire()
            self._acquired[key] = time.monotonic()

    def end(self, key):
        """Wait until what :meth:`begin` began has ended.

        :returns: When the lock was acquired, in seconds; None after an error.
        """
        self._threads[key].join()
        return self._acquired[key]

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
            if patcher.is_monkey_patched('thread'):
                hubs.use_hub()
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

    def read_again_and_again(self, name, rounds, seconds):
        """Hold the read lock of a name, many times for so long.

        :returns: When the last one was released, in seconds.
        """
        for _round in range(rounds):
            self.acquire('again', 'read', name, True)
            time.sleep(seconds)
            self.release('again')
        return time.monotonic()

    def storm(self, name, counter, rounds, write_every):
        """Take the lock again and again and look for anybody else inside.

        A writer adds 10000 to the number in the file ``counter``, in two
        steps that another writer would disturb; a reader sees it stand still.

        :returns: The number of writes, and (kind, begin, end) of each hold
            by the clock that all processes share.
        """
        # Tests that run meanwhile have leases to keep.
        os.nice(5)
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
    url, uses_eventlet = sys.argv[1:]
    if int(uses_eventlet):
        patcher.monkey_patch()
    line_process.serve(_Server(url))


if __name__ == '__main__':
    main()
