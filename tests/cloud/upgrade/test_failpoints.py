# SPDX-License-Identifier: Apache-2.0

import pathlib
import unittest
from unittest import mock

from tools.cloud.faults.failpoints import HOSTS
from tools.cloud.faults.failpoints import Target
from tools.cloud.upgrade import failpoints


class Agent:
    """A cinder-volume that writes down what is done with it."""

    def __init__(self, host, done):
        self._host = host
        self._done = done

    def stop(self):
        self._done.append(('stop', self._host))

    def become(self, tree, options):
        self._done.append(('become', self._host, tree, options))

    def start(self):
        self._done.append(('start', self._host))


class StepsTest(unittest.TestCase):

    def test_a_host_is_down_while_it_changes(self):
        done, told = [], []
        target = Target(
            {f'cinder-volume-{host}': Agent(host, done)
             for host in HOSTS}, None, None)
        trees = {'patched': pathlib.Path('/patched')}
        with mock.patch('tools.cloud.command.tree_of', trees.get):
            failpoints.STEPS[2].failpoint().inject(target, told.append)

        self.assertEqual(
            [('stop', 'one'), ('become', 'one', trees['patched'], ()),
             ('start', 'one'),
             ('stop', 'two'), ('become', 'two', trees['patched'], ()),
             ('start', 'two')], done)
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
