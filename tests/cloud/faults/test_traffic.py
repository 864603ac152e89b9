# SPDX-License-Identifier: Apache-2.0

import random
import unittest

from tools.cloud.faults import records
from tools.cloud.faults import traffic


class PlanTest(unittest.TestCase):

    def plan(self, seed):
        return traffic.plan(random.Random(seed), 5, 4, 30)

    def test_a_seed_gives_one_plan(self):
        self.assertEqual(self.plan(1), self.plan(1))
        self.assertNotEqual(self.plan(1), self.plan(2))

    def test_each_source_is_deleted_among_its_creates(self):
        requests = self.plan(1)

        self.assertEqual(sorted(requests), requests)
        for source in range(5):
            delete, = [request.offset for request in requests
                       if request[1:] == ('delete', source)]
            creates = [request.offset for request in requests
                       if request[1:] == ('create', source)]
            self.assertEqual(4, len(creates))
            self.assertTrue(all(
                delete - traffic.SPREAD <= offset <= delete + traffic.RACE
                for offset in creates))
            self.assertLessEqual(traffic.EARLIEST, delete)
            self.assertLessEqual(delete, 30)


class Client:
    """Notes what is sent, and by when it has to be answered."""

    def __init__(self):
        self.sent = []

    def create(self, operation, kind):
        self.sent.append(('create', operation.source_id, kind))

    def delete(self, operation, kind):
        self.sent.append(('delete', operation.source_id, kind))


class TrafficTest(unittest.TestCase):

    def test_each_request_goes_to_its_source_before_the_end(self):
        sources = [records.Source('quake', 'a', 'volume', ''),
                   records.Source('quake', 'b', 'snapshot', '')]
        client = Client()
        sent = traffic.Traffic(client, 'quake', [
            traffic.Request(0, 'create', 1), traffic.Request(0, 'delete', 0),
            traffic.Request(0.01, 'create', 0)], sources)
        sent.start()
        sent.join()

        self.assertEqual([('create', 'a', 'volume'),
                          ('create', 'b', 'snapshot'),
                          ('delete', 'a', 'volume')], sorted(client.sent))
        self.assertEqual(
            [('create', 'b', 'quake: 0'), ('delete', 'a', None),
             ('create', 'a', 'quake: 2')],
            [(one.kind, one.source_id, one.name) for one in sent.operations])
