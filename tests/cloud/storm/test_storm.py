# SPDX-License-Identifier: Apache-2.0

import contextlib
import hashlib
import io
import itertools
import json
import os
import pathlib
import tempfile
import threading
import unittest
from unittest import mock

from tools.cloud.deployment import Settings
from tools.cloud.services import service
from tools.cloud.storm import __main__ as main
from tools.cloud.storm import cases
from tools.cloud.storm import contents
from tools.cloud.storm import creates
from tools.cloud.storm import load
from tools.cloud.storm import report
from tools.cloud.storm import wave
from tools.common.errors import ToolError

CASE = cases.Case('copying', 'snapshot', 4)


def result(tree='patched', ideal=2, storm=2, errors=0, wrong=0):
    delays = {'delete': 0.1, 'extend': 0.1, 'create': 0.1}

    def outcome(errors, seconds, wrong):
        volumes = {f'id-{number}': 'source' for number in range(4 - errors)}
        return report.Outcome(wave.Wave(volumes, errors, seconds, 3, delays),
                              wrong, 2, {'cinder-api': 1.5})
    return report.Result(Settings(), CASE, tree, outcome(0, ideal, 0),
                         outcome(errors, storm, wrong))


class Volume:
    def __init__(self, number, status='creating'):
        self.id = f'volume-{number}'
        self.status = status


class BlockStorage:
    """An API whose creates from a source all end when all have begun.

    :param creates: how many creates from a source it waits for
    :param status: the status in which they end
    :param deleted: the status in which a delete ends; None for gone
    """

    def __init__(self, creates, status='available', deleted=None):
        self._creates = creates
        self._status = status
        self._deleted = deleted
        self._mutex = threading.Lock()
        self._found = {}
        self._began = 0
        self._numbers = itertools.count()
        self.asked = []
        self.slow = []

    def create_volume(self, size, volume_type, **source):
        with self._mutex:
            volume = Volume(next(self._numbers))
            self._found[volume.id] = volume
            if not source:
                volume.status = 'available'
                return volume
            self._began += 1
            if self._began == self._creates:
                for found in self._found.values():
                    if found.status == 'creating':
                        found.status = self._status
        return volume

    def volumes(self, details, status=None):
        with self._mutex:
            self.asked.append(status)
            listed = [found for found in self._found.values()
                      if status in (None, found.status)]
            for finish in self.slow:
                finish()
            self.slow = []
            return listed

    def extend_volume(self, volume, size):
        self._found[volume].status = 'extending'
        self.slow.append(lambda: setattr(self._found[volume], 'status',
                                         'available'))

    def delete_volume(self, volume):
        self._found[volume].status = 'deleting'

        def finish():
            self._found[volume].status = self._deleted
            if not self._deleted:
                del self._found[volume]
        self.slow.append(finish)


class WaveTest(unittest.TestCase):

    def test_all_creates_are_sent_at_once(self):
        requests = wave.Requests(BlockStorage(8), 'copying', 8)

        found = requests.wave([{'snapshot_id': 'one'}] * 8)

        self.assertEqual(['one'] * 8, list(found.volumes.values()))
        self.assertEqual((0, 0), (found.errors, found.unfinished))
        self.assertEqual({'delete', 'extend', 'create'}, set(found.delays))

    def test_each_volume_has_its_own_source(self):
        storage = BlockStorage(8)
        copied = {}
        create = storage.create_volume

        def note(size, volume_type, **source):
            volume = create(size, volume_type, **source)
            copied[volume.id] = source.get('source_volume_id')
            return volume
        storage.create_volume = note

        found = wave.Requests(storage, 'copying', 8).wave(
            [{'source_volume_id': f'source-{number}'}
             for number in range(8)])

        self.assertEqual({volume: source for volume, source in copied.items()
                          if source}, found.volumes)

    def test_creates_in_error_are_counted(self):
        found = wave.Requests(BlockStorage(8, 'error'), 'copying', 8).wave(
            [{'snapshot_id': 'one'}] * 8)

        self.assertEqual(({}, 8), (found.volumes, found.errors))

    def test_what_is_left_when_others_come_is_counted(self):
        storage = BlockStorage(9)
        delete = storage.delete_volume

        def finish(volume):
            for found in storage._found.values():
                found.status = 'available'
            delete(volume)
        storage.delete_volume = finish

        found = wave.Requests(storage, 'copying', 8).wave(
            [{'snapshot_id': 'one'}] * 8)

        self.assertEqual(8, found.unfinished)

    def test_one_question_is_for_all_of_a_status(self):
        storage = BlockStorage(8)
        found = wave.Requests(storage, 'copying', 8)
        left = {f'volume-{number}': 'creating' for number in range(8)}

        ended = found._watch(left, storage.volumes)

        self.assertEqual(['creating'], storage.asked)
        self.assertEqual(set(left), set(ended))

    def test_a_source_in_error_ends_the_storm(self):
        storage = BlockStorage(8)
        requests = wave.Requests(storage, 'copying', 8)
        storage.create_volume = mock.Mock(return_value=Volume(0, 'error'))
        storage._found['volume-0'] = Volume(0, 'error')

        with self.assertRaisesRegex(ToolError, 'found error'):
            requests.create_volumes(1)

    def test_an_unrelated_delete_that_fails_ends_the_storm(self):
        requests = wave.Requests(
            BlockStorage(8, deleted='error_deleting'), 'copying', 8)

        with self.assertRaisesRegex(ToolError, 'found them error_deleting'):
            requests.wave([{'snapshot_id': 'one'}] * 8)

    def test_creates_that_never_end_are_given_up(self):
        with mock.patch.object(wave, 'START_SECONDS', 0.1), \
                mock.patch.object(wave, 'SECONDS_EACH', 0):
            with self.assertRaisesRegex(
                    ToolError, r'8 of \d+ are still creating'):
                wave.Requests(BlockStorage(9), 'copying', 8).wave(
                    [{'snapshot_id': 'one'}] * 8)


class CasesTest(unittest.TestCase):

    def test_the_usual_and_the_long_form_have_every_combination(self):
        for settings in (cases.ETCD, cases.ETCD_THREADS, cases.FILE,
                         cases.FILE_THREADS):
            self.assertEqual(
                sorted(itertools.product(('snapshot', 'volume'),
                                         (16, 64, 128))),
                sorted((case.source, case.creates)
                       for form in ('usual', 'long')
                       for case in cases.FORMS[form].get(settings, ())
                       if case.backend == 'copying'))

    def test_no_form_has_a_storm_twice(self):
        for form in cases.FORMS.values():
            for storms in form.values():
                self.assertEqual(len(set(storms)), len(storms))

    def test_every_backend_can_be_looked_into(self):
        self.assertEqual(
            {case.backend for form in cases.FORMS.values()
             for storms in form.values() for case in storms},
            set(contents.OF) & set(cases.DRIVERS))


class ContentsTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.site = mock.Mock()
        self.site.folder.side_effect = self.make

    def make(self, *names):
        path = self.folder.joinpath(*names)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def test_data_that_differs_has_another_checksum(self):
        held = contents.NFS(self.site, 2)
        for volume in ('a', 'b'):
            with open(held._folder / f'volume-{volume}', 'wb') as stored:
                stored.truncate(3 * contents.MIB)
            held.fill(volume)

        written = (held._folder / 'volume-a').read_bytes()
        self.assertEqual(bytes(contents.MIB), written[2 * contents.MIB:])
        self.assertEqual(
            hashlib.sha256(written[:2 * contents.MIB]).hexdigest(),
            held.checksum('a'))
        self.assertNotEqual(held.checksum('a'), held.checksum('b'))

    def test_what_is_dropped_is_gone(self):
        for held, path in (
                (contents.NFS(self.site, 1), 'volume-a'),
                (contents.Copying(self.site, 0), 'a')):
            path = held._folder / path
            path.touch()
            held.drop('a')
            self.assertFalse(path.exists())

    def test_the_copying_drivers_files_are_found(self):
        held = contents.Copying(self.site, 0)
        data = os.urandom(100)
        (self.folder / 'storage/copying/a').write_bytes(data)

        self.assertEqual(hashlib.sha256(data).hexdigest(),
                         held.checksum('a'))


class CreatesTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.logs = pathlib.Path(folder.name)

    def log(self, host, *calls):
        (self.logs / f'cinder-volume-{host}.log').write_text(
            'something else\n' + ''.join(
                f'INFO {creates.LINE % call}\n' for call in calls))

    def test_the_logs_of_all_hosts_count(self):
        self.log('one', ('a', 1, 3.5))
        self.log('two', ('b', 2, 4))

        found = creates.intervals(self.logs)

        self.assertEqual({'a': (1, 3.5), 'b': (2, 4)}, found)
        self.assertEqual(2, creates.most_at_once(['a', 'b'], found))

    def test_creates_of_another_wave_do_not_count(self):
        self.log('one', ('a', 1, 3), ('b', 2, 4), ('c', 3, 5))

        self.assertEqual(1, creates.most_at_once(
            ['a', 'c', 'in error'], creates.intervals(self.logs)))


class LoadTest(unittest.TestCase):

    def test_what_each_service_has_spent_since_is_told(self):
        def process(seconds):
            return mock.Mock(cpu_times=lambda: mock.Mock(
                user=seconds / 2, system=seconds / 2))
        busy, idle, member = (
            service.Command(name, [], None)
            for name in ('busy', 'idle', 'member'))
        cluster = service.Service('etcd')
        cluster.members = [member]
        cloud = mock.Mock(services=[idle, busy, cluster])
        for command, seconds in ((busy, 2), (idle, 1), (member, 5)):
            command.processes = lambda seconds=seconds: [process(seconds)]
        before = load.seconds(cloud)
        busy.processes = lambda: [process(3), process(3)]
        member.processes = lambda: [process(6)]

        self.assertEqual([('busy', 4), ('member', 1)],
                         list(load.since(before, cloud).items()))


class ReportTest(unittest.TestCase):

    def test_a_good_run_has_no_problem(self):
        self.assertEqual([], report.problems(
            [result('upstream', storm=9, errors=1, wrong=1), result()]))

    def test_each_problem_of_the_patched_tree_is_told(self):
        for wanted, wrong in (
                ('1 creates ended in error', result(errors=1)),
                ('3 volumes have not the data', result(wrong=3)),
                ('1.75 times the ideal, expected at most 1.5',
                 result(storm=3.5))):
            found, = report.problems([wrong])
            self.assertIn(wanted, found)

    def test_a_storage_that_is_serial_may_be_slow_but_not_wrong(self):
        slow, wrong = result(storm=9), result(storm=9, wrong=1)
        slow.case = wrong.case = cases.Case('rbd', 'volume', 4, serial=True)

        found, = report.problems([slow, wrong])
        self.assertIn('1 volumes have not the data', found)

    def test_a_report_is_for_people_and_programs(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            report.write(folder, [result('upstream', storm=9), result()],
                         {'command': 'x'})
            told = json.loads((folder / 'report.json').read_text())
            drawn = (folder / 'chart.svg').read_text()

        self.assertEqual([4.5, 1], [storm['ratio']
                                    for storm in told['storms']])
        self.assertIn('<svg', drawn)
        self.assertEqual({'command': 'x'}, told['facts'])
        self.assertEqual({'cinder-api': 1.5},
                         told['storms'][0]['storm']['spent'])

    def test_a_copy_without_latency_is_a_clone(self):
        rbd = result()
        rbd.case = cases.Case('rbd', 'snapshot', 4)
        self.assertEqual('rbd, cloned', report._backend(rbd))
        rbd.cloud = Settings(latency=0.1)
        self.assertEqual('rbd, copied', report._backend(rbd))

    def test_wrong_data_in_the_ideal_is_a_problem_too(self):
        found = result()
        found.ideal.wrong = 1

        self.assertEqual(1, len(report.problems([found])))

    def test_the_table_shows_both_trees(self):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            report.show([result('upstream', storm=9), result()])

        self.assertIn('4.50', said.getvalue())
        self.assertIn('1.00', said.getvalue())


class Held:
    """Volumes whose data is that of what they were created from.

    :param wrong: numbers of the copies that got other data
    """

    def __init__(self, wrong):
        self._wrong = wrong
        self.data = {}
        self.copies = 0

    def __call__(self, site, mebibytes):
        return self

    def fill(self, volume):
        self.data[volume] = f'data of {volume}'

    def copy(self, volume, source):
        self.data[volume] = self.data[source]
        if self.copies in self._wrong:
            self.data[volume] = 'zeros'
        self.copies += 1

    def checksum(self, volume):
        return self.data[volume]

    def drop(self, volume):
        del self.data[volume]


class RunCaseTest(unittest.TestCase):

    def run_case(self, wrong=(), status='available'):
        """Run 4 creates for the ideal and 4 for the storm.

        :param wrong: numbers of the copies that get other data
        :param status: the status in which they end
        :returns: both Outcomes, and how many volumes have data at the end
        """
        held = Held(wrong)
        storage = BlockStorage(4, status)
        create = storage.create_volume

        def copy(size, volume_type, **source):
            volume = create(size, volume_type, **source)
            if source:
                held.copy(volume.id, source['source_volume_id'])
            if storage._began == 4:
                storage._began = 0
            return volume
        storage.create_volume = copy
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        with mock.patch.dict(contents.OF, copying=held):
            ideal, storm = main.run_case(
                mock.Mock(logs=pathlib.Path(folder.name)),
                mock.Mock(services=[]), storage,
                cases.Case('copying', 'volume', 4))
        return ideal, storm, len(held.data)

    def test_copies_of_their_sources_are_right(self):
        ideal, storm, left = self.run_case()

        self.assertEqual((0, 0), (ideal.wrong, storm.wrong))
        self.assertEqual((4, 1), (len(set(ideal.wave.volumes.values())),
                                  len(set(storm.wave.volumes.values()))))
        self.assertEqual(0, left)

    def test_wrong_data_is_found(self):
        ideal, storm, _left = self.run_case(wrong={1, 4, 6})

        self.assertEqual((1, 2), (ideal.wrong, storm.wrong))

    def test_a_source_of_copies_in_error_is_left_alone(self):
        ideal, storm, left = self.run_case(status='error')

        self.assertEqual((4, 4), (ideal.wave.errors, storm.wave.errors))
        self.assertEqual(2 * 4 + 4, left)


class MainTest(unittest.TestCase):

    def test_an_unknown_form_is_refused(self):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            with self.assertRaises(SystemExit) as ended:
                main.main(['--form', 'tiny'])

        self.assertEqual(2, ended.exception.code)
        self.assertIn("invalid choice: 'tiny'", said.getvalue())
