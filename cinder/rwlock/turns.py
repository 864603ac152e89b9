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

"""The waiters of this process, first come first served.

The waiters for one lock stand in a queue in the order of their arrival. Only
the first one asks the backend for the lock, so a hundred waiters cost as much
as one, and when it has got the lock or gives up, it wakes the next.
"""

import collections
import threading

_mutex = threading.RLock()
"""Guards the queues. Garbage collection can free a lock, which wakes a waiter,
in a thread that has the mutex already."""

_queues = {}
"""Key of a lock -> its waiters, first come first."""


def forget_all():
    """Forget the waiters, in a forked child that has none of them."""
    global _mutex
    _mutex = threading.RLock()
    _queues.clear()


def are_taken(key):
    """Return whether anybody waits for a lock in this process."""
    return key in _queues


def wake_first(key):
    """Let the first waiter, if there is one, ask for its lock now."""
    if key in _queues:
        with _mutex:
            if key in _queues:
                _queues[key][0].set()


class Turn:
    """A place at the end of the queue for a lock, until the context ends.

    :param key: The key of the lock.
    """

    def __init__(self, key):
        self._key = key
        self._event = threading.Event()

    def __enter__(self):
        with _mutex:
            self._queue = _queues.setdefault(self._key, collections.deque())
            self._queue.append(self._event)
        return self

    def __exit__(self, *exception):
        with _mutex:
            self._queue.remove(self._event)
            if not self._queue:
                del _queues[self._key]
        wake_first(self._key)

    def is_first(self):
        """Return whether all who came before have left the queue."""
        if self._queue[0] is not self._event:
            return False
        self._event.clear()
        return True

    def wait(self, seconds):
        """Sleep until the waiter is woken, or for so long.

        :param seconds: The bound in seconds, or None for no bound.
        """
        self._event.wait(seconds)
