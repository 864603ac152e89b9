# SPDX-License-Identifier: Apache-2.0

"""What is noted after a fault, with an etcd that is made up."""

import base64
import unittest
from unittest import mock

from tests.cloud.faults.histories import create
from tests.cloud.faults.histories import history
from tools.cloud.faults import client
from tools.cloud.faults import records
from tools.cloud.faults import remains
from tools.cloud.services import etcd

KEY = '/tooz/lock_owners/source-delete_volume/shared/1'


class Etcd(etcd.Cluster):
    """Answers each question for keys with the next of some lists."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self.members = [self]

    def ask(self, path, request):
        first, after = (base64.b64decode(request[name])
                        for name in ('key', 'range_end'))
        found = self._answers.pop(0) if len(self._answers) > 1 else (
            self._answers[0])
        return {'kvs': [{'key': base64.b64encode(key.encode()).decode()}
                        for key in found if first <= key.encode() < after]}


class ReasonsTest(unittest.TestCase):

    def test_what_ended_in_error_gets_its_host_and_its_messages(self):
        api = client.Client(mock.Mock(), (OSError,))
        run = history(create(), create(volume_id='a', seen=[[4, 'error']]),
                      create(volume_id='b', seen=[[4, 'error']]))
        with mock.patch.multiple(
                api, hosts=lambda: {'copy': 'one', 'a': 'two', 'b': None},
                messages=lambda: {'a': ['why'], 'copy': ['other']}):
            remains.note_reasons(api, run)

        self.assertEqual([(None, []), ('two', ['why']), (None, [])],
                         [(one.host, one.messages)
                          for one in run.operations])


class LocksTest(unittest.TestCase):

    def note(self, etcd, seconds=0.3):
        fault = records.Fault('quake')
        with mock.patch.object(remains.failpoints, 'LEASE_SECONDS', seconds), \
                mock.patch.object(remains, 'MARGIN', 0):
            remains.note_locks(etcd, fault)
        return fault.locks

    def test_a_lock_that_goes_is_none_that_stays(self):
        self.assertEqual([], self.note(Etcd([KEY], [KEY], [], []), 20))

    def test_a_lock_and_its_owners_that_stay_are_noted(self):
        lock = '/tooz/lockssource-delete_volume'

        self.assertEqual([KEY, lock],
                         self.note(Etcd([KEY, lock, '/tooz/groups/x'])))
