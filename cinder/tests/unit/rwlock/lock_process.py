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
        self._can_tell = True
        self._unanswered = 0

    @property
    def pid(self):
        return self._process.pid

    def ask(self, *request):
        self._unanswered += 1
        super().ask(*request)

    def answer(self):
        line = super().answer()
        self._unanswered -= 1
        return line

    def has_lost(self):
        """Return whether the process says that it has lost a lock.

        One that is stopped or busy cannot say, and one that was stopped has
        lost its locks because the test wanted it to.
        """
        return (self._can_tell and not self._unanswered and
                self._process.poll() is None and self.do('has_lost'))

    def pause(self):
        """Stop the process with SIGSTOP."""
        self._can_tell = False
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
        self._has_lost = False

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
        released = self._locks[key].release()
        self._has_lost |= not released
        return released

    def is_still_owner(self, key):
        return self._locks[key].is_still_owner()

    def has_lost(self):
        """Return whether a lock was lost, by its own word."""
        for lock in self._locks.values():
            with contextlib.suppress(tooz.ToozError, tooz.NotImplemented):
                self._has_lost |= lock.acquired and not lock.is_still_owner()
        return self._has_lost

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

    def begin_reading(self, name, seconds):
        """Let a thread hold a read lock again and again, for so long."""
        self._reads = True
        self._reader = threading.Thread(target=self._read,
                                        args=(name, seconds))
        self._reader.start()

    def _read(self, name, seconds):
        while self._reads:
            # A reader whose server is late for once goes on.
            with contextlib.suppress(tooz.ToozError):
                with self._coordinator.get_read_lock(name):
                    time.sleep(seconds)

    def end_reading(self):
        """End what :meth:`begin_reading` began."""
        self._reads = False
        self._reader.join()

    def storm(self, name, counter, rounds, write_every):
        """Take the lock again and again and look for anybody else inside.

        A writer adds 10000 to the number in the file ``counter``, in two
        steps that another writer would disturb; a reader sees it stand still.

        :returns: The number of writes; (kind, begin, end) of each hold by the
            clock that all processes share; how many readers met a writer.
        """
        # Tests that run meanwhile have leases to keep.
        os.nice(5)
        holds = []
        writes = met = 0
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
                else:
                    met += int(stream.read()) != before
            holds.append((kind, begin, time.monotonic()))
            self.release('storm')
        return writes, holds, met


def main():
    url, uses_eventlet = sys.argv[1:]
    if int(uses_eventlet):
        patcher.monkey_patch()
    line_process.serve(_Server(url))


if __name__ == '__main__':
    main()
