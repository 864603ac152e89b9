# SPDX-License-Identifier: Apache-2.0

import contextlib
import time
import unittest
from unittest import mock

from tools.measure.locks import backends
from tools.measure.locks import uncontended


def lock(seconds):
    return mock.Mock(acquire=lambda: time.sleep(seconds),
                     release=lambda: None)


class UncontendedTest(unittest.TestCase):

    def test_times_and_ratios(self):
        locks = {'read': lock(0.001), 'write': lock(0.002),
                 'tooz': lock(0.004)}

        @contextlib.contextmanager
        def contenders(url, coordinator):
            yield locks

        with mock.patch.object(uncontended, 'contenders', contenders), \
                mock.patch.object(uncontended, 'ROUNDS', 3):
            values = uncontended.measure(backends.BACKENDS['etcd3'],
                                         'unused', None)

        self.assertEqual(
            set(backends.measures('etcd3')['etcd3.uncontended']), set(values))
        self.assertGreaterEqual(values['read_ms'], 1)
        self.assertLess(values['read_tooz'], values['write_tooz'])
        self.assertLess(values['write_tooz'], 0.9)
