# SPDX-License-Identifier: Apache-2.0

import pathlib
import tempfile
import unittest
from unittest import mock

from tooz.drivers import etcd3gw

from tools.cloud.faults import failpoints
from tools.cloud import journal


class LeaseTest(unittest.TestCase):

    def test_the_lease_is_that_of_tooz(self):
        self.assertEqual(etcd3gw.Etcd3Driver.DEFAULT_TIMEOUT,
                         failpoints.LEASE_SECONDS)


class TargetTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / 'journal'

    def note(self, call, step, operation='copy', host='one@copying'):
        journal.append(self.path, call=call, step=step, operation=operation,
                       resource_id=call, source_id='source', pid=7,
                       host=host)

    def test_who_is_in_mid_call_is_found(self):
        self.note('a', 'begin')
        self.note('b', 'begin', host='two@copying')
        self.note('a', 'end')
        target = failpoints.Target(None, None, self.path)

        self.assertEqual('two', target.wait_for_call('copy'))
        with mock.patch.object(failpoints, 'wait_for',
                               lambda what, look, seconds: look()):
            with self.assertRaises(ValueError):
                target.wait_for_call('copy', ['one'])
            with self.assertRaises(ValueError):
                target.wait_for_call('delete')
