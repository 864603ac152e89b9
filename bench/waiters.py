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

"""Threads that wait for a lock and tell when they got it."""

import threading
import time

from bench.errors import BenchError


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
            raise BenchError('a waiting thread did not get its lock')
        return max(self._times)
