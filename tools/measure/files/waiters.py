# SPDX-License-Identifier: Apache-2.0

"""Threads that wait for a lock and tell when they got it."""

import threading
import time

from tools.common.errors import ToolError


class Waiters:
    """One thread for each lock, waiting from now on.

    :param locks: list of locks that are not acquired
    """

    def __init__(self, locks):
        self._times = []
        self._threads = [threading.Thread(target=self._wait, args=(lock,))
                         for lock in locks]
        for thread in self._threads:
            thread.start()

    def _wait(self, lock):
        with lock:
            self._times.append(time.monotonic())

    def last(self):
        """Wait for all and return when the last one got its lock.

        :returns: seconds of time.monotonic(), which all processes share
        """
        for thread in self._threads:
            thread.join()
        if len(self._times) < len(self._threads):
            raise ToolError('a waiting thread did not get its lock')
        return max(self._times)
