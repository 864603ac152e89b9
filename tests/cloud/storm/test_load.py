# SPDX-License-Identifier: Apache-2.0

import unittest
from unittest import mock

from tools.cloud.services import service
from tools.cloud.storm import load


class LoadTest(unittest.TestCase):

    def test_what_each_service_has_spent_since_is_told(self):
        def process(seconds):
            return mock.Mock(cpu_times=lambda: mock.Mock(
                user=seconds / 2, system=seconds / 2))
        busy, idle, member = (
            service.Daemon(name, [], None)
            for name in ('busy', 'idle', 'member'))
        cluster = service.Service('etcd')
        cluster.members = [member]
        deployment = mock.Mock(services=[idle, busy, cluster])
        for daemon, seconds in ((busy, 2), (idle, 1), (member, 5)):
            daemon.processes = lambda seconds=seconds: [process(seconds)]
        before = load.seconds(deployment)
        busy.processes = lambda: [process(3), process(3)]
        member.processes = lambda: [process(6)]

        self.assertEqual([('busy', 4), ('member', 1)],
                         list(load.since(before, deployment).items()))
