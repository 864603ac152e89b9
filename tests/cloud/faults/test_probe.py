# SPDX-License-Identifier: Apache-2.0

"""What is tried after a fault, on a Cinder that is made up."""

import itertools
import pathlib
import tempfile
import types
import unittest
from unittest import mock

from tools.cloud.faults import journal
from tools.cloud.faults import records
from tools.cloud.faults import storm

DATA = b'data'


class Cinder:
    """Volumes that are there at once, copied by hosts by turns.

    It is a tools.cloud.faults.client.Client and what openstacksdk gives that.
    """

    def __init__(self, folder, hosts, data=DATA):
        self._folder = folder
        self._hosts = itertools.cycle(hosts)
        self._data = data
        self._found = {}
        self.volumes = self

    def insist(self, function, *arguments, **named):
        return function(*arguments, **named)

    def newest(self):
        return self._found

    def create_volume(self, source_volume_id=None, **_named):
        volume_id = str(len(list(self._folder.iterdir())))
        (self._folder / volume_id).write_bytes(
            DATA if source_volume_id is None else self._data)
        if source_volume_id is not None:
            journal.append(
                self._folder / journal.NAME, step='begin', call=volume_id,
                operation='copy', resource_id=volume_id, pid=1,
                source_id=source_volume_id,
                host=next(self._hosts) + '@copying')
        self._found[volume_id] = ('', 'available')
        return types.SimpleNamespace(id=volume_id)

    def delete_volume(self, volume_id):
        del self._found[volume_id]


class ProbeTest(unittest.TestCase):

    def probe(self, *hosts, **named):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        folder = pathlib.Path(folder.name)
        self.cinder = Cinder(folder, hosts, **named)
        run = records.Run()
        storms = storm.Storms(self.cinder, folder, None, run, (1, 1))
        with mock.patch.object(storm, 'PATIENCE', 2):
            storms.probe('quake')
        probe, = run.probes
        return probe.problem

    def test_it_goes_on_until_each_host_has_created_one(self):
        self.assertIsNone(self.probe('one', 'one', 'two'))
        self.assertEqual({}, self.cinder.newest())

    def test_a_host_that_creates_none_is_a_problem(self):
        self.assertIn('none by two', self.probe('one'))

    def test_a_copy_with_other_data_is_a_problem(self):
        self.assertIn('is not a copy of', self.probe('one', data=b'other'))
