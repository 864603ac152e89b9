# SPDX-License-Identifier: Apache-2.0

import resource
import unittest
from unittest import mock

import ddt

from tools.common import errors
from tools.measure.locks import crowd


class Locks:
    """Locks that take 100 ns, and more the more are held, on its clock."""

    def __init__(self, growth):
        self.now = 0
        self.held = 0
        self.most_held = 0
        self._growth = growth

    def read_lock(self, name):
        return self

    def acquire(self):
        self.now += 100 + self.held * self._growth
        self.held += 1
        self.most_held = max(self.held, self.most_held)

    def release(self):
        self.held -= 1
        self.now += 100 + self.held * self._growth


@ddt.ddt
class CrowdTest(unittest.TestCase):

    def measure(self, growth):
        locks = Locks(growth)
        rounds = [crowd.hold(locks, lambda: locks.now) for _round in range(3)]
        return locks, crowd.growth(rounds)

    def test_all_hold_at_once(self):
        locks, _values = self.measure(0)

        self.assertEqual((1000, 0), (locks.most_held, locks.held))

    def test_readers_that_all_cost_the_same(self):
        _locks, values = self.measure(0)

        self.assertEqual({'reader': 1, 'reader_acquire': 1}, values)

    def test_readers_that_cost_more_and_more(self):
        _locks, values = self.measure(1)

        # Reader k costs 99 + k each way.
        expected = (99 + 950.5) / (99 + 50.5)
        self.assertAlmostEqual(expected, values['reader'])
        self.assertAlmostEqual(expected, values['reader_acquire'])

    @ddt.data(((1024, 4096), []), ((1024, resource.RLIM_INFINITY), []),
              ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), None),
              ((5000, 5000), None))
    @ddt.unpack
    def test_the_soft_limit_is_raised_if_needed(self, limits, raised):
        with mock.patch('resource.getrlimit', return_value=limits), \
                mock.patch('resource.setrlimit') as setrlimit:
            crowd.allow_open_files(1100)

        if raised is None:
            setrlimit.assert_not_called()
        else:
            setrlimit.assert_called_once_with(resource.RLIMIT_NOFILE,
                                              (1100, limits[1]))

    def test_a_hard_limit_too_low_is_one_sentence(self):
        with mock.patch('resource.getrlimit', return_value=(512, 1024)), \
                self.assertRaisesRegex(errors.ToolError,
                                       '1100 open files.* is 1024'):
            crowd.allow_open_files(1100)
