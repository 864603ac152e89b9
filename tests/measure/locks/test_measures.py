# SPDX-License-Identifier: Apache-2.0

import itertools
import unittest
from unittest import mock

import ddt

from tests.measure.locks import made_up
from tools.common import errors
from tools.measure.locks import backends
from tools.measure.locks import measures

SECONDS = {'shared': 1, 'exclusive': 2, 'tooz': 4, 'kazoo_read': 8,
           'kazoo_write': 10, 'redis_py': 5}


@ddt.ddt
class MeasuresTest(unittest.TestCase):

    def setUp(self):
        self.enterContext(mock.patch.object(measures, 'SPREAD', 0))
        self.enterContext(mock.patch('time.sleep'))

    def measure(self, measure, name='redis', **answers):
        site = made_up.Site(name, answers)
        return measures.MEASURES[measure](site), site

    def answers(self):
        """Return answers to all that the measures ask."""
        return {'seconds': lambda lock, uses: SECONDS[lock],
                'trips': lambda: 1, 'acquire': lambda lock: None,
                'release': lambda: None,
                'hold': lambda *args: None, 'wait': lambda *args: None,
                'let_go': lambda name: 7, 'last': lambda name: 7.5,
                'read': lambda names, uses: 0.01,
                'crowd': lambda names: 2 * [len(names) * [1]]}

    @ddt.data(*backends.BACKENDS)
    def test_each_has_a_value_for_each_figure(self, name):
        for measure, figures in backends.measures(name).items():
            answers = self.answers()
            answers['seconds'] = lambda lock, uses: 1
            result, _site = self.measure(measure.partition('.')[2], name,
                                         **answers)
            self.assertEqual(set(figures), set(result['values']), measure)
            if isinstance(result['rounds'], dict):
                self.assertEqual(set(figures), set(result['rounds']))

    def test_uncontended_times_and_ratios(self):
        result, site = self.measure('uncontended', 'zookeeper',
                                    **self.answers())

        self.assertEqual(
            {'shared_ms': 1000, 'exclusive_ms': 2000, 'tooz_ms': 4000,
             'kazoo_read_ms': 8000, 'kazoo_write_ms': 10000,
             'shared_tooz': 0.25, 'shared_kazoo_read': 0.125,
             'exclusive_tooz': 0.5, 'exclusive_kazoo_write': 0.2},
            result['values'])
        # Both toozes take turns within each round.
        timed = [lock for _worker, action, lock, *_uses in site.asked][2:12]
        self.assertEqual(timed[:5], timed[:4:-1])

    def test_round_trips_of_acquire_and_release_but_the_first(self):
        # Asked before each acquire, after it, and after the release.
        answers = self.answers()
        answers['trips'] = itertools.cycle(
            [99, 7, 7] + 9 * [99, 2, 1]).__next__
        result, site = self.measure('trips', **answers)

        self.assertEqual({2}, {value for key, value in result['values'].items()
                               if key.endswith('acquire')})
        self.assertEqual({1}, {value for key, value in result['values'].items()
                               if key.endswith('release')})
        self.assertEqual({site.PROXY_PORT}, set(site.ports))

    def test_hand_overs_of_all_parts(self):
        result, site = self.measure('hand_over', **self.answers())

        self.assertEqual({500}, set(result['values'].values()))
        self.assertEqual(30, result['rounds']['writer_short'])
        self.assertEqual(5, result['rounds']['readers_long_p95'])

    def test_waiters_stand_within_the_process_and_in_another(self):
        _result, site = self.measure('hand_over', **self.answers())
        waited = [worker for worker, action, *_args in site.asked
                  if action == 'wait']
        held = {worker for worker, action, *_args in site.asked
                if action == 'hold'}

        self.assertEqual(1, len(held))
        self.assertEqual(6 * 10, sum(worker in held for worker in waited))
        self.assertEqual(7 * 10, sum(worker not in held for worker in waited))

    def test_all_are_held_and_waited_for_at_once(self):
        _result, site = self.measure('hand_over', **self.answers())
        first = [(action, *args) for _worker, action, *args in site.asked][:20]

        self.assertEqual({'hold', 'wait'}, {action for action, *_ in first})
        self.assertEqual(10, len({name for _action, name, *_ in first}))
        self.assertEqual(
            {('hold', True, 3), ('wait', False, 1), ('hold', False, 1),
             ('wait', True, 3)},
            {(action, *args) for action, _name, *args in first})

    def test_a_lock_got_too_early_is_an_error(self):
        answers = self.answers()
        answers['last'] = lambda name: 6

        with self.assertRaisesRegex(errors.ToolError, 'before its last'):
            self.measure('hand_over', **answers)

    def test_readers_of_one_name_against_as_many_names(self):
        answers = self.answers()
        answers['read'] = lambda names, uses: len(names) / len(set(names))
        result, _site = self.measure('throughput', **answers)

        self.assertEqual((8, 64), (result['values']['readers_8'],
                                   result['values']['readers_64']))
        self.assertEqual(1 / 64, result['values']['one_64'])

    def test_every_crowd_does_as_much(self):
        answers = self.answers()
        answers['read'] = lambda names, uses: 0.00001
        _result, site = self.measure('throughput', **answers)

        uses = {len(names) * each for _worker, _action, names, each
                in site.asked[2:]}
        self.assertLess(max(uses) - min(uses), 0.01 * max(uses))

    def test_the_sums_of_a_crowd_and_the_growth_of_its_readers(self):
        answers = self.answers()
        answers['crowd'] = lambda names: (
            [1 if number < 100 else 2 for number in range(len(names))],
            len(names) * [1])
        result, site = self.measure('crowd', **answers)

        self.assertEqual(
            {'reader': 1.5, 'readers_s': 200 + 900 * 3,
             'names_s': 200 + 4900 * 3}, result['values'])
        self.assertEqual(
            {(1000, 1), (5000, 5000)},
            {(len(names), len(set(names))) for *_, names in site.asked})
