# SPDX-License-Identifier: Apache-2.0

import errno
import os
import signal
import sys
import threading
import unittest
from unittest import mock

from tools.cloud.deployment import Deployment
from tools.cloud.services import service
from tools.common.errors import ToolError


class DeploymentTest(unittest.TestCase):

    def setUp(self):
        self.done = mock.Mock()

    def fake(self, name, **fails):
        """Return a service that fails, or does more, where a test says so.

        :param fails: method -> an exception, or what else is called
        """
        made = mock.Mock(spec=service.Service, **{
            f'{method}.side_effect': effect
            for method, effect in fails.items()})
        made.name = name
        self.done.attach_mock(made, name)
        return made

    def history(self):
        """Return what was done to which service, as 'stop a'."""
        return [' '.join(reversed(name.split('.')))
                for name, _args, _named in self.done.mock_calls]

    def stops(self):
        return [line for line in self.history() if line.startswith('stop')]

    def test_starts_in_order_and_stops_in_the_opposite_order(self):
        with Deployment([[self.fake('a')], [self.fake('b')]]):
            self.done.deployment.use()

        self.assertEqual(
            ['launch a', 'wait a', 'launch b', 'wait b', 'use deployment',
             'stop b', 'stop a'], self.history())

    def test_services_of_one_stage_start_at_the_same_time(self):
        with Deployment([[self.fake('a'), self.fake('b')]]):
            self.assertEqual(['launch a', 'launch b', 'wait a', 'wait b'],
                             self.history())

    def test_services_of_one_stage_stop_at_the_same_time(self):
        both = threading.Barrier(2)
        with Deployment([[self.fake('a', stop=lambda: both.wait(10)),
                          self.fake('b', stop=lambda: both.wait(10))]]):
            pass

        self.assertEqual(['stop a', 'stop b'], sorted(self.stops()))

    def test_what_was_not_launched_is_not_stopped(self):
        broken = self.fake('b', launch=ToolError('no'))
        with self.assertRaises(ToolError), \
                Deployment([[self.fake('a'), broken, self.fake('c')]]):
            self.fail('it is up')

        self.assertEqual(['stop a', 'stop b'], sorted(self.stops()))

    def test_a_failure_half_way_stops_what_has_begun_to_start(self):
        for moment in ('launch', 'wait'):
            self.done.reset_mock()
            broken = self.fake('b', **{moment: ToolError('no')})
            with self.assertRaisesRegex(ToolError, 'no'), \
                    Deployment([[self.fake('a')], [broken],
                                [self.fake('c')]]):
                self.fail('it is up')

            self.assertEqual(['stop b', 'stop a'], self.stops(), moment)

    def test_an_interrupt_stops_all(self):
        slow = self.fake('b', wait=KeyboardInterrupt())
        with self.assertRaises(KeyboardInterrupt), \
                Deployment([[self.fake('a')], [slow]]):
            self.fail('it is up')
        with self.assertRaises(KeyboardInterrupt), \
                Deployment([[self.fake('c')]]):
            raise KeyboardInterrupt

        self.assertEqual(['stop b', 'stop a', 'stop c'], self.stops())

    def test_a_service_that_does_not_stop_keeps_none_running(self):
        stuck = self.fake('b', stop=ToolError('b is stuck'))
        with self.assertRaisesRegex(ToolError, 'b is stuck'), \
                Deployment([[self.fake('a')], [stuck, self.fake('c')],
                            [self.fake('d')]]):
            pass

        self.assertEqual('stop d', self.stops()[0])
        self.assertEqual(['stop b', 'stop c'], sorted(self.stops()[1:3]))
        self.assertEqual('stop a', self.stops()[3])

    def test_no_signal_cuts_the_stop_short(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.signal(number, signal.default_int_handler)
            self.addCleanup(signal.signal, number, handler)
            self.done.reset_mock()
            impatient = self.fake(
                'b', stop=lambda: os.kill(os.getpid(), number))
            with Deployment([[self.fake('a')], [impatient]]):
                pass

            self.assertEqual(['stop b', 'stop a'], self.stops(), number)
            self.assertEqual(signal.default_int_handler,
                             signal.getsignal(number))

    def test_all_stop_when_the_terminal_was_closed(self):
        closed = mock.Mock()
        closed.write.side_effect = OSError(errno.EIO, 'Input/output error')
        with Deployment([[self.fake('a')], [self.fake('b')]]), \
                mock.patch.object(sys, 'stderr', closed):
            pass
        with mock.patch.object(sys, 'stderr', closed), \
                Deployment([[self.fake('c')]]):
            pass

        self.assertEqual(['stop b', 'stop a', 'stop c'], self.stops())

    def test_a_service_has_a_name(self):
        found = self.fake('b')

        self.assertIs(found, Deployment([[self.fake('a')], [found]])['b'])
        with self.assertRaises(KeyError):
            Deployment([[found]])['a']

    def test_a_check_looks_at_all(self):
        broken = self.fake('b', check=ToolError('b is dead'))

        with self.assertRaisesRegex(ToolError, 'b is dead'):
            Deployment([[self.fake('a'), broken]]).check()
        self.assertEqual(['check a', 'check b'], self.history())
