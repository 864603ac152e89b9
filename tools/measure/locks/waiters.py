# SPDX-License-Identifier: Apache-2.0

"""Threads that wait for locks and tell when they got them."""

import threading
import time

from tools.common.errors import ToolError


class Waiters:
    """Lets threads of this process wait.

    :param coordinator: Cinder's coordinator, started
    """

    def __init__(self, coordinator):
        self._coordinator = coordinator
        self._waiting = {}

    def wait(self, name, kind, number):
        """Let so many threads wait for the lock of a name.

        :param str name: the lock's name
        :param str kind: 'read' or 'write'
        :param int number: how many threads
        """
        get_lock = getattr(self._coordinator, f'get_{kind}_lock')
        times = []
        threads = [threading.Thread(target=_wait, args=(get_lock(name), times))
                   for _waiter in range(number)]
        self._waiting[name] = threads, times
        for thread in threads:
            thread.start()

    def last(self, name):
        """Wait for them and return when the last one got its lock.

        :returns: seconds of time.monotonic(), which all processes share
        :raises ToolError: if one did not get it
        """
        threads, times = self._waiting.pop(name)
        for thread in threads:
            thread.join()
        if len(times) < len(threads):
            raise ToolError('a waiting thread did not get its lock')
        return max(times)


def _wait(lock, times):
    with lock:
        times.append(time.monotonic())
