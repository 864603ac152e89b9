# SPDX-License-Identifier: Apache-2.0

"""What is tried after a fault, on a block storage API that is made up."""

import itertools
import types
import unittest
from unittest import mock

from tests.cloud import made_up
from tools.cloud import contents
from tools.cloud.faults import client
from tools.cloud.faults import probe

DATA = b'data'


class BlockStorage:
    """Volumes that are there at once, copied by hosts by turns.

    :param folder: pathlib.Path of the directory with their data
    :param path: pathlib.Path of the journal
    :param hosts: names of the hosts
    :param data: what is in a copy
    """

    def __init__(self, folder, path, hosts, data=DATA):
        self._folder = folder
        self._path = path
        self._hosts = itertools.cycle(hosts)
        self._data = data
        self.found = {}
        self.session = types.SimpleNamespace()

    def volumes(self, **_how):
        return list(self.found.values())

    def snapshots(self):
        return []

    def create_volume(self, name, source_volume_id=None, **_named):
        volume_id = str(len(list(self._folder.iterdir())))
        (self._folder / volume_id).write_bytes(
            DATA if source_volume_id is None else self._data)
        if source_volume_id is not None:
            made_up.note_call(self._path, volume_id, 'begin',
                              host=next(self._hosts) + '@copying')
        self.found[volume_id] = types.SimpleNamespace(
            id=volume_id, name=name, status='available')
        return self.found[volume_id]

    def delete_volume(self, volume_id):
        del self.found[volume_id]


class ProbeTest(unittest.TestCase):

    def probe(self, *hosts, **named):
        folder = made_up.folder(self)
        path = folder / 'journal'
        volumes = folder / 'volumes'
        volumes.mkdir()
        self.storage = BlockStorage(volumes, path, hosts, **named)
        site = mock.Mock()
        site.folder.return_value = volumes
        with mock.patch.object(probe, 'PATIENCE', 2):
            return probe.probe(client.Client(self.storage, (OSError,)),
                               contents.Copying(site), path, 'quake').problem

    def test_it_goes_on_until_each_host_has_created_one(self):
        self.assertIsNone(self.probe('one', 'one', 'two'))
        self.assertEqual({}, self.storage.found)

    def test_a_host_that_creates_none_is_a_problem(self):
        self.assertIn('none by two', self.probe('one'))

    def test_a_copy_with_other_data_is_a_problem(self):
        self.assertIn('is not a copy of', self.probe('one', data=b'other'))
