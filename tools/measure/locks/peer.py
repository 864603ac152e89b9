# SPDX-License-Identifier: Apache-2.0

"""The process of the waiters, a program for cinder.tests.line_process."""

import sys  # noqa: I100,I202

from cinder.tests import line_process
from tools.measure.files import patched
from tools.measure.files.waiters import Waiters


class Peer:
    """Has threads that wait for locks.

    :param coordinator: Cinder's coordinator, started
    """

    def __init__(self, coordinator):
        self._coordinator = coordinator
        self._waiters = {}

    def wait(self, name, kind, number):
        """Let so many threads wait for the lock of a name."""
        get_lock = getattr(self._coordinator, 'get_%s_lock' % kind)
        self._waiters[name] = Waiters([get_lock(name)
                                       for _waiter in range(number)])

    def last(self, name):
        """Wait for them and return when the last one got its lock."""
        return self._waiters.pop(name).last()


if __name__ == '__main__':
    line_process.serve(Peer(patched.coordinator(sys.argv[1])))
