# SPDX-License-Identifier: Apache-2.0

import threading
import time
import unittest

from tools.measure.locks import worker


class Lock:

    def __init__(self, coordinator, name):
        self._coordinator = coordinator
        self._name = name

    def acquire(self, shared):
        self._coordinator.acquire(self._name, shared)

    def release(self):
        self._coordinator.release(self._name)


class Coordinator:
    """Counts who holds the locks of a name; waits while it is closed.

    :ivar most: the most holders of one name at once
    :ivar all: the most holders of all names at once
    :ivar seconds: how long an acquire takes for each who holds the name
    """

    def __init__(self):
        self._mutex = threading.Lock()
        self.open = threading.Event()
        self.open.set()
        self.held = []
        self.log = []
        self.most = self.all = 0
        self.seconds = 0

    def get_lock(self, name):
        return Lock(self, name)

    def acquire(self, name, shared):
        self.open.wait(10)
        with self._mutex:
            self.held.append(name)
            self.log.append((name, shared))
            self.most = max(self.most, self.held.count(name))
            self.all = max(self.all, len(self.held))
        time.sleep(0.0002 + self.seconds * (self.held.count(name) - 1))

    def release(self, name):
        with self._mutex:
            self.held.remove(name)


class WorkerTest(unittest.TestCase):

    def setUp(self):
        self.coordinator = Coordinator()
        self.steps = []
        self.worker = worker.Worker(self.coordinator, {'a': self.use})

    def use(self):
        self.steps.append('made and acquired')
        yield
        self.steps.append('released')

    def test_a_lock_is_made_for_each_use(self):
        self.worker.seconds('a', 3)

        self.assertEqual(3 * ['made and acquired', 'released'], self.steps)

    def test_the_seconds_are_those_of_one_use(self):
        self.use = lambda: iter([time.sleep(0.01)])
        self.worker = worker.Worker(self.coordinator, {'a': self.use})
        begin = time.perf_counter()
        seconds = self.worker.seconds('a', 5)
        end = time.perf_counter()

        self.assertGreaterEqual(seconds, 0.01)
        self.assertLessEqual(5 * seconds, end - begin)

    def test_acquire_and_release_by_themselves(self):
        self.worker.acquire('a')
        self.assertEqual(['made and acquired'], self.steps)

        self.worker.release()
        self.assertEqual(['made and acquired', 'released'], self.steps)

    def test_holders_let_go_together(self):
        self.worker.hold('name', True, 3)
        self.assertEqual(3 * [b'name'], self.coordinator.held)
        self.assertEqual({(b'name', True)}, set(self.coordinator.log))

        before = time.monotonic()
        self.assertGreaterEqual(self.worker.let_go('name'), before)
        self.assertEqual([], self.coordinator.held)

    def test_the_last_waiter_gets_its_lock_after_the_release(self):
        self.coordinator.open.clear()
        self.worker.wait('name', False, 3)
        released = time.monotonic()
        self.coordinator.open.set()

        self.assertGreater(self.worker.last('name'), released)
        self.assertEqual(3 * [(b'name', False)], self.coordinator.log)

    def test_a_waiter_without_its_lock_is_an_error(self):
        def acquire(name, shared):
            raise SystemExit

        self.coordinator.acquire = acquire
        self.worker.wait('name', True, 1)
        with self.assertRaisesRegex(RuntimeError, 'did not get'):
            self.worker.last('name')

    def test_all_readers_read_at_once(self):
        seconds = self.worker.read(8 * ['one'], 25)

        self.assertEqual(200, len(self.coordinator.log))
        self.assertGreater(self.coordinator.most, 1)
        self.assertGreater(seconds, 25 * 0.0002 / 200)

    def test_readers_that_disturb_each_other_take_longer(self):
        self.coordinator.seconds = 0.002

        self.assertGreater(self.worker.read(8 * ['one'], 10),
                           self.worker.read(list('abcdefgh'), 10))

    def test_a_crowd_holds_all_at_once(self):
        acquires, releases = self.worker.crowd(['a', 'b', 'b'])

        self.assertEqual((3, 3), (len(acquires), len(releases)))
        self.assertEqual((3, []), (self.coordinator.all,
                                   self.coordinator.held))

    def test_the_releases_of_a_crowd_are_in_the_order_of_its_names(self):
        def release(name):
            if name == b'a':
                time.sleep(0.1)

        self.coordinator.release = release
        _acquires, releases = self.worker.crowd(['a', 'b', 'c'])

        self.assertEqual(max(releases), releases[0])
