# SPDX-License-Identifier: Apache-2.0

import threading
import time
import unittest
from unittest import mock

from tools.measure.locks import throughput


class Coordinator:
    """Read locks that cost a while if others of their name are held.

    :param seconds: what each holder of a name costs the next one
    """

    def __init__(self, seconds):
        self._seconds = seconds
        self._holders = {}
        self._mutex = threading.Lock()
        self.uses = 0
        self.most_holders = 0

    def get_read_lock(self, name):
        return Lock(self, name)

    def hold(self, name, change):
        with self._mutex:
            self._holders[name] = self._holders.get(name, 0) + change
            holders = self._holders[name]
            self.most_holders = max(self.most_holders, holders)
            self.uses += change > 0
        if change > 0:
            time.sleep(0.0002 + self._seconds * (holders - 1))


class Lock:

    def __init__(self, coordinator, name):
        self._coordinator = coordinator
        self._name = name

    def acquire(self):
        self._coordinator.hold(self._name, 1)

    def release(self):
        self._coordinator.hold(self._name, -1)


class ThroughputTest(unittest.TestCase):

    def test_readers_that_disturb_each_other(self):
        with mock.patch.object(throughput, 'ROUNDS', 3):
            values = throughput.measure(None, 'unused', Coordinator(0.0005))

        self.assertGreater(values['readers_8'], 1.5)
        self.assertLess(values['one_8'], values['names_8'])

    def test_all_readers_of_a_crowd_read_at_once(self):
        coordinator = Coordinator(0)
        locks = [coordinator.get_read_lock('one') for _reader in range(8)]

        seconds = throughput.seconds_of_all(locks, 25)

        self.assertEqual(200, coordinator.uses)
        self.assertGreater(coordinator.most_holders, 1)
        self.assertGreater(seconds, 25 * 0.0002)
