# SPDX-License-Identifier: Apache-2.0

import pathlib
import unittest
from unittest import mock

from tools.cloud.faults.failpoints import HOSTS
from tools.cloud.faults.failpoints import Target
from tools.cloud.upgrade import failpoints


class StepsTest(unittest.TestCase):

    def test_a_host_is_down_while_it_changes(self):
        hosts, told = mock.Mock(), []
        target = Target(
            {f'cinder-volume-{host}': getattr(hosts, host)
             for host in HOSTS}, None, None)
        trees = {'patched': pathlib.Path('/patched'),
                 'upstream': pathlib.Path('/upstream')}
        step = failpoints.Step('swap', (('one', 'patched'),
                                        ('two', 'upstream')))
        with mock.patch('tools.cloud.command.tree_of', trees.get):
            step.failpoint().inject(target, told.append)

        self.assertEqual(
            [step for host, tree in ((mock.call.one, 'patched'),
                                     (mock.call.two, 'upstream'))
             for step in (host.stop(), host.become(trees[tree]),
                          host.start())], hosts.mock_calls)
        self.assertEqual(['restart of one as patched, two as upstream'], told)

    def test_each_host_changes_in_each_order(self):
        """Hosts of both releases meet, whichever of them is the newer."""
        state = dict.fromkeys(HOSTS, 'upstream')
        seen = []
        for step in failpoints.STEPS:
            for host, tree in step.changes:
                self.assertNotEqual(state[host], tree, step.name)
                state[host] = tree
                seen.append(tuple(state.values()))
            if step.parallel:
                self.assertIn('patched', seen[-1], step.name)

        none, one, two, both = (
            ('upstream', 'upstream'), ('patched', 'upstream'),
            ('upstream', 'patched'), ('patched', 'patched'))
        self.assertEqual([one, both, one, both, two, none, one], seen)
