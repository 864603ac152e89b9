# SPDX-License-Identifier: Apache-2.0

import hashlib
import os
import unittest
from unittest import mock

from tests.cloud import made_up
from tools.cloud import contents


class ContentsTest(unittest.TestCase):

    def setUp(self):
        self.folder = made_up.folder(self)
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
                (contents.Copying(self.site), 'a')):
            path = held._folder / path
            path.touch()
            held.drop('a')
            self.assertFalse(path.exists())

    def test_the_copying_drivers_files_are_found(self):
        held = contents.Copying(self.site)
        data = os.urandom(100)
        (self.folder / 'storage/copying/a').write_bytes(data)

        self.assertEqual(hashlib.sha256(data).hexdigest(),
                         held.checksum('a'))

    def test_nothing_in_the_storage_has_no_checksum(self):
        self.assertIsNone(contents.Copying(self.site).checksum('a'))
