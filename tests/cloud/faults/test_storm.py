# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import pathlib
import random
import socket
import tempfile
import threading
import unittest
from unittest import mock

from tooz.drivers import etcd3gw

from tools.cloud.faults import __main__ as main
from tools.cloud.faults import journal
from tools.cloud.faults import kinds
from tools.cloud.faults import records
from tools.cloud.faults import relay
from tools.cloud.faults import schedule
from tools.cloud.faults import statuses
from tools.cloud.services import etcd
from tools.cloud import site as sites


class ScheduleTest(unittest.TestCase):

    def plan(self, seed):
        return schedule.plan(random.Random(seed), 5, 4, 30)

    def test_a_seed_gives_one_storm(self):
        self.assertEqual(self.plan(1), self.plan(1))
        self.assertNotEqual(self.plan(1), self.plan(2))

    def test_each_source_is_deleted_among_its_creates(self):
        steps = self.plan(1)

        self.assertEqual(sorted(steps), steps)
        for source in range(5):
            delete, = [step.offset for step in steps
                       if step[1:] == ('delete', source)]
            creates = [step.offset for step in steps
                       if step[1:] == ('create', source)]
            self.assertEqual(4, len(creates))
            self.assertTrue(all(
                delete - schedule.SPREAD <= offset <= delete + schedule.RACE
                for offset in creates))
            self.assertLessEqual(schedule.EARLIEST, delete)
            self.assertLessEqual(delete, 30)


class FormsTest(unittest.TestCase):

    def count(self, form):
        names, sources, creates = main.FORMS[form]
        self.assertLessEqual(set(names), {kind.name for kind in kinds.KINDS})
        return len(names) * sources * creates, len(names) * sources

    def test_the_full_form_is_large(self):
        creates, deletes = self.count('full')
        self.assertGreaterEqual(creates, 500)
        self.assertGreaterEqual(deletes, 100)

    def test_the_short_form_is_small(self):
        self.assertEqual((60, 15), self.count('short'))

    def test_a_seed_is_fixed_or_given_or_random(self):
        def seed(*arguments):
            return main.parse(arguments).seed

        self.assertEqual(schedule.SEED, seed())
        self.assertEqual(5, seed('--seed', '5'))
        self.assertNotEqual(seed('--seed', 'random'), seed('--seed', 'random'))
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit):
            seed('--seed', 'any')
        self.assertIn("invalid seed value: 'any'", said.getvalue())

    def test_the_lease_is_that_of_tooz(self):
        self.assertEqual(etcd3gw.Etcd3Driver.DEFAULT_TIMEOUT,
                         kinds.LEASE_SECONDS)


class StatusesTest(unittest.TestCase):

    def setUp(self):
        self.create = records.Operation(
            'quake', 'create', 'source', 'copy', 1, 2, 'accepted',
            volume_id='a')
        self.lost = records.Operation(
            'quake', 'create', 'source', 'lost', 1, 2)
        self.delete = records.Operation(
            'quake', 'delete', 'source', None, 1, 2, 'accepted')
        self.all = [self.create, self.lost, self.delete]

    def note(self, asked=3, **found):
        return statuses.note(self.all, found, asked)

    def test_each_status_is_written_down_once(self):
        self.assertTrue(self.note(a=('copy', 'creating'),
                                  source=('', 'deleting')))
        self.assertFalse(self.note(a=('copy', 'creating'),
                                   source=('', 'deleting')))
        self.assertEqual(self.all[::2], statuses.under_way(self.all))
        self.assertTrue(self.note(a=('copy', 'available')))

        self.assertEqual(['creating', 'available'],
                         [status for _time, status in self.create.seen])
        self.assertEqual(['deleting', 'gone'],
                         [status for _time, status in self.delete.seen])
        self.assertEqual([], statuses.under_way(self.all))
        self.assertEqual('1 creates available, 1 creates failed, '
                         '1 deletes gone', statuses.counts(self.all))

    def test_a_volume_whose_create_was_not_answered_is_found(self):
        self.note(a=('copy', 'creating'), b=('lost', 'available'))

        self.assertEqual('b', self.lost.volume_id)
        self.assertEqual('available', self.lost.status)

    def test_an_answer_after_the_question_is_not_judged_by_it(self):
        self.assertFalse(self.note(asked=1.5))
        self.assertEqual([], self.create.seen)

    def test_what_is_not_answered_is_under_way(self):
        self.create.answered = None

        self.assertEqual([self.create], statuses.under_way(self.all))


class JournalTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / journal.NAME

    def note(self, call, step, operation='copy', host='one@copying'):
        journal.append(self.path, call=call, step=step, operation=operation,
                       resource_id=call, source_id='source', pid=7,
                       host=host)

    def test_no_journal_is_an_empty_one(self):
        self.assertEqual([], journal.read(self.path))

    def test_events_of_many_writers_are_whole_and_in_order(self):
        threads = [threading.Thread(target=lambda: [
            journal.append(self.path, text='x' * 200) for _ in range(50)])
            for _thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        self.assertEqual(200, len(journal.read(self.path)))

    def test_begin_and_end_of_a_call_are_put_together(self):
        for event in (('a', 'begin'), ('b', 'begin'), ('a', 'end')):
            self.note(*event)
        first, second = records.calls(journal.read(self.path))

        self.assertEqual('a', first.resource_id)
        self.assertLessEqual(first.begin, second.begin)
        self.assertLessEqual(second.begin, first.end)
        self.assertIsNone(second.end)

    def test_who_is_in_mid_call_is_found(self):
        self.note('a', 'begin')
        self.note('b', 'begin', host='two@copying')
        self.note('a', 'end')
        target = kinds.Target(None, None, self.path)

        self.assertEqual('two', target.wait_for_call('copy'))
        with mock.patch.object(kinds.service, 'wait_for',
                               lambda what, look, seconds: look()):
            with self.assertRaises(ValueError):
                target.wait_for_call('copy', ['one'])
            with self.assertRaises(ValueError):
                target.wait_for_call('delete')


class RelayTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.site = sites.Site(pathlib.Path(folder.name))
        self.site.make()
        self.server = socket.create_server((etcd.HOST, 0))
        self.addCleanup(self.server.close)
        self.server.settimeout(20)
        self.relay = relay.Relay(self.site, self.server.getsockname()[1])
        self.relay.start()
        self.addCleanup(self.relay.kill)
        # That of the relay's start.
        self.server.accept()[0].close()

    def test_a_paused_relay_is_a_partition(self):
        client = socket.create_connection((sites.ADDRESS, self.relay.port), 20)
        self.addCleanup(client.close)
        server = self.server.accept()[0]
        self.addCleanup(server.close)
        server.settimeout(20)
        client.sendall(b'heard')
        self.assertEqual(b'heard', server.recv(5))
        self.relay.pause()
        client.sendall(b'later')
        server.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            server.recv(5)
        server.settimeout(20)
        self.relay.resume()
        self.assertEqual(b'later', server.recv(5))
        server.close()
        self.assertEqual(b'', client.recv(5))

    def test_one_host_alone_asks_through_it(self):
        cluster = relay.RelayedCluster(self.site)
        urls = [cluster.url(number) for number in (1, 2, 3)]

        self.assertEqual(
            [number == relay.MEMBER for number in (1, 2, 3)],
            [url.endswith(f':{cluster.relay.port}') for url in urls])
