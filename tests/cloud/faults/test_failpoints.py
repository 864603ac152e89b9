# SPDX-License-Identifier: Apache-2.0

import unittest
from unittest import mock

from tooz.drivers import etcd3gw

from tests.cloud import made_up
from tools.cloud.faults import failpoints


class LeaseTest(unittest.TestCase):

    def test_the_lease_is_that_of_tooz(self):
        self.assertEqual(etcd3gw.Etcd3Driver.DEFAULT_TIMEOUT,
                         failpoints.LEASE_SECONDS)


class TargetTest(unittest.TestCase):

    def setUp(self):
        self.path = made_up.folder(self) / 'journal'

    def test_who_is_in_mid_call_is_found(self):
        made_up.note_call(self.path, 'a', 'begin')
        made_up.note_call(self.path, 'b', 'begin', host='two@copying')
        made_up.note_call(self.path, 'a', 'end')
        target = failpoints.Target(None, None, self.path)

        self.assertEqual('two', target.wait_for_call('copy'))
        with mock.patch.object(failpoints, 'wait_for',
                               lambda what, look, seconds: look()):
            with self.assertRaises(ValueError):
                target.wait_for_call('copy', ['one'])
            with self.assertRaises(ValueError):
                target.wait_for_call('delete')
