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
        trees = {'patched': pathlib.Path('/patched')}
        with mock.patch('tools.cloud.command.tree_of', trees.get):
            failpoints.STEPS[2].failpoint().inject(target, told.append)

        self.assertEqual(
            [step for host in (mock.call.one, mock.call.two) for step in (
                host.stop(), host.become(trees['patched'], ()),
                host.start())], hosts.mock_calls)
        self.assertEqual(['restart of one as patched with no option, '
                          'two as patched with no option'], told)

    def test_each_host_is_where_the_next_step_begins(self):
        """The last step leaves one host of each tree, and the option off."""
        state = dict.fromkeys(HOSTS, ('upstream', ()))
        for step in failpoints.STEPS:
            for host, *how in step.changes:
                self.assertNotEqual(state[host], tuple(how), step.name)
                state[host] = tuple(how)
            # Only where nothing is as released, or by mistake.
            trees = {tree for tree, _options in state.values()}
            reads = any(tree == 'patched' and not options
                        for tree, options in state.values())
            self.assertEqual('upstream' in trees and reads,
                             bool(step.unsafe), step.name)

        self.assertEqual({'one': ('patched', ()), 'two': ('upstream', ())},
                         state)
