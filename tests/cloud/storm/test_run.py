# SPDX-License-Identifier: Apache-2.0

import unittest
from unittest import mock

from tests.cloud import made_up
from tests.cloud.storm.made_up import BlockStorage
from tools.cloud import contents
from tools.cloud import journal
from tools.cloud.storm import cases
from tools.cloud.storm import run


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
        with mock.patch.dict(contents.OF, copying=held):
            ideal, storm = run.run_case(
                mock.Mock(journal=made_up.folder(self) / 'journal'),
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


class MostAtOnceTest(unittest.TestCase):

    def calls(self, *calls):
        return [journal.Call('copy', volume, 'source', 7, 'one@copying',
                             begin, end) for volume, begin, end in calls]

    def test_all_creates_of_a_wave_count(self):
        self.assertEqual(2, run.most_at_once(
            ['a', 'b'], self.calls(('a', 1, 3.5), ('b', 2, 4))))

    def test_creates_of_another_wave_do_not_count(self):
        self.assertEqual(1, run.most_at_once(
            ['a', 'c', 'in error'],
            self.calls(('a', 1, 3), ('b', 2, 4), ('c', 3, 5))))
