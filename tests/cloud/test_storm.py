#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.


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

from cloud.deployment import Settings
from cloud.errors import CloudError
from cloud.storm import __main__ as main
from cloud.storm import cases
from cloud.storm import contents
from cloud.storm import report
from cloud.storm import wave

CASE = cases.Case('copying', 'snapshot', 4)


def result(tree='patched', ideal=2, storm=2, errors=0, wrong=0):
    delays = {'delete': 0.1, 'update': 0.1, 'create': 0.1}
    volumes = ['id'] * (4 - errors)
    return report.Result(
        Settings(), CASE, tree, wave.Wave(['id'] * 4, 0, ideal, delays),
        wave.Wave(volumes, errors, storm, delays), wrong)


class Volume:
    def __init__(self, number, status='creating'):
        self.id = f'volume-{number}'
        self.status = status


class BlockStorage:
    """An API whose creates from a source all end when all have begun.

    :param creates: how many creates from a source it waits for
    """

    def __init__(self, creates, status='available', deleted='deleting'):
        self._creates = creates
        self._status = status
        self._deleted = deleted
        self._mutex = threading.Lock()
        self._found = {}
        self._began = 0
        self._numbers = itertools.count()

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
            return [found for found in self._found.values()
                    if status in (None, found.status)]

    def update_volume(self, volume, name):
        self._found[volume].name = name

    def delete_volume(self, volume):
        self._found[volume].status = self._deleted
        if self._deleted == 'deleting':
            del self._found[volume]


class WaveTest(unittest.TestCase):

    def test_all_creates_are_sent_at_once(self):
        requests = wave.Requests(BlockStorage(8), 'copying', 8)

        found = requests.wave([{'snapshot_id': 'one'}] * 8)

        self.assertEqual(8, len(set(found.volumes)))
        self.assertEqual(0, found.errors)
        self.assertEqual({'delete', 'update', 'create'}, set(found.delays))

    def test_creates_in_error_are_counted(self):
        requests = wave.Requests(BlockStorage(8, 'error'), 'copying', 8)
        with mock.patch.object(requests, '_demand'):
            found = requests.wave([{'snapshot_id': 'one'}] * 8)

        self.assertEqual(([], 8), (found.volumes, found.errors))

    def test_a_source_in_error_ends_the_storm(self):
        storage = BlockStorage(8)
        requests = wave.Requests(storage, 'copying', 8)
        storage.create_volume = mock.Mock(return_value=Volume(0, 'error'))
        storage._found['volume-0'] = Volume(0, 'error')

        with self.assertRaisesRegex(CloudError, 'found error'):
            requests.create_volumes(1)

    def test_an_unrelated_delete_that_fails_ends_the_storm(self):
        requests = wave.Requests(
            BlockStorage(8, deleted='error_deleting'), 'copying', 8)

        with self.assertRaisesRegex(CloudError, 'found it error_deleting'):
            requests.wave([{'snapshot_id': 'one'}] * 8)

    def test_creates_that_never_end_are_given_up(self):
        with mock.patch.object(wave, 'START_SECONDS', 0.1), \
                mock.patch.object(wave, 'SECONDS_EACH', 0):
            with self.assertRaisesRegex(
                    CloudError, '8 of 8 are still creating'):
                wave.Requests(BlockStorage(9), 'copying', 8).wave(
                    [{'snapshot_id': 'one'}] * 8)


class CasesTest(unittest.TestCase):

    def test_the_full_form_has_every_combination(self):
        full = cases.FORMS['full']

        self.assertEqual(
            set(itertools.product(('etcd3', 'file'), (False, True))),
            {(settings.coordination, settings.threads) for settings in full})
        for storms in full.values():
            self.assertEqual(
                set(itertools.product(('snapshot', 'volume'),
                                      (16, 64, 128))),
                {(case.source, case.creates) for case in storms
                 if case.backend == 'copying'})

    def test_every_backend_can_be_looked_into(self):
        self.assertEqual(
            {case.backend for form in cases.FORMS.values()
             for storms in form.values() for case in storms},
            set(contents.OF) & set(cases.DATA))


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

    def test_the_copying_drivers_files_are_found(self):
        held = contents.Copying(self.site, 0)
        data = os.urandom(100)
        (self.folder / 'storage/copying/a').write_bytes(data)

        self.assertEqual(hashlib.sha256(data).hexdigest(),
                         held.checksum('a'))


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

    def test_the_table_shows_both_trees(self):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            report.show([result('upstream', storm=9), result()])

        self.assertIn('4.50', said.getvalue())
        self.assertIn('1.00', said.getvalue())


class MainTest(unittest.TestCase):

    def test_an_unknown_form_is_refused(self):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            with self.assertRaises(SystemExit) as ended:
                main.main(['--form', 'tiny'])

        self.assertEqual(2, ended.exception.code)
        self.assertIn("invalid choice: 'tiny'", said.getvalue())
