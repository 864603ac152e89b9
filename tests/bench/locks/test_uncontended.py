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

import contextlib
import time
import unittest
from unittest import mock

from bench.locks import backends
from bench.locks import uncontended


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
