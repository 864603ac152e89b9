# SPDX-License-Identifier: Apache-2.0

import unittest
from unittest import mock

from tests.cloud.storm.made_up import BlockStorage
from tools.cloud.storm import client
from tools.cloud.storm import traffic
from tools.common.errors import ToolError


def wave(storage, sources=({'snapshot_id': 'one'},) * 8):
    return traffic.wave(client.Client(storage, 'copying', 8), sources)


class WaveTest(unittest.TestCase):

    def test_all_creates_are_sent_at_once(self):
        found = wave(BlockStorage(8))

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

        found = wave(storage, [
            {'source_volume_id': f'source-{number}'} for number in range(8)])

        self.assertEqual({volume: source for volume, source in copied.items()
                          if source}, found.volumes)

    def test_creates_in_error_are_counted(self):
        found = wave(BlockStorage(8, 'error'))

        self.assertEqual(({}, 8), (found.volumes, found.errors))

    def test_what_is_left_when_others_come_is_counted(self):
        storage = BlockStorage(9)
        delete = storage.delete_volume

        def finish(volume):
            for found in storage._found.values():
                found.status = 'available'
            delete(volume)
        storage.delete_volume = finish

        found = wave(storage)

        self.assertEqual(8, found.unfinished)

    def test_an_unrelated_delete_that_fails_ends_the_storm(self):
        with self.assertRaisesRegex(ToolError, 'found them error_deleting'):
            wave(BlockStorage(8, deleted='error_deleting'))

    def test_creates_that_never_end_are_given_up(self):
        with mock.patch.object(client, 'START_SECONDS', 0.1), \
                mock.patch.object(client, 'SECONDS_EACH', 0):
            with self.assertRaisesRegex(
                    ToolError, r'8 of \d+ are still creating'):
                wave(BlockStorage(9))
