# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import itertools
import threading
import time
import unittest
from unittest import mock

import ddt

from tools.common import errors
from tools.measure.storm import run

CREATES = 3


class FakeClient:
    """A Cinder whose creates end when the test, or the delete, says so.

    :param fails: number of the create that ends in error, or None
    """

    def __init__(self, fails=None):
        self.resources = {'volumes': {}, 'snapshots': {}}
        self.requests = []
        self._fails = fails
        self._numbers = itertools.count()
        self._creates = itertools.count()
        self._journal = []
        self._mutex = threading.Lock()

    def pools(self):
        return ['pool']

    def _add(self, kind, status):
        with self._mutex:
            name = '%s-%d' % (kind, next(self._numbers))
            self.resources[kind][name] = {
                'status': status, run.HOST: 'host'}
            return name

    def create_volume(self, **source):
        if not source:
            return self._add('volumes', 'available')
        with self._mutex:
            failed = next(self._creates) == self._fails
            source_id, = source.values()
            self.requests.append(('create', source_id))
        name = self._add('volumes', 'error' if failed else 'available')
        if not failed:
            now = time.monotonic()
            self._journal.append(
                ['create_from_source', name, source_id, now, now + 1])
        return name

    def create_snapshot(self, volume_id):
        return self._add('snapshots', 'available')

    def list(self, kind):
        with self._mutex:
            return dict(self.resources[kind])

    def exists(self, kind, resource_id):
        return resource_id in self.resources[kind]

    def delete(self, kind, resource_id):
        with self._mutex:
            self.requests.append(('delete', resource_id))
            del self.resources[kind][resource_id]
            now = time.monotonic()
            self._journal.append(
                ['delete_' + kind[:-1], resource_id, None, now, now])

    def journal(self):
        return list(self._journal)

    def taken(self):
        return list(self.resources['volumes'])

    def checksum(self, resource_id):
        return 'same'


@ddt.ddt
class ScenarioTest(unittest.TestCase):

    def setUp(self):
        self.enterContext(mock.patch.multiple(
            run, OBSERVE_SECONDS=0.001, HANDOVER_SECONDS=0))

    def run_with(self, client, source='snapshot', patience=None):
        cloud = mock.Mock(client=client, workers=64)
        scenario = run.Scenario('patched', cloud, source, CREATES, 0.1)
        if patience is not None:
            scenario._patience = patience
        with contextlib.redirect_stderr(io.StringIO()) as stderr:
            result = scenario.run()
        self.assertIn('3 requests accepted', stderr.getvalue())
        return result

    @ddt.data('snapshot', 'volume')
    def test_sources_of_the_ideal_and_of_the_storm(self, source):
        client = FakeClient()

        result = self.run_with(client, source)

        created = [source_id for what, source_id in client.requests
                   if what == 'create']
        self.assertEqual(CREATES, len(set(created[:CREATES])))
        self.assertEqual({result.delete.resource_id}, set(created[CREATES:]))
        self.assertEqual(2 * CREATES, len(created))
        self.assertTrue(result.delete.resource_id.startswith(source))
        self.assertNotIn(result.unrelated.resource_id, created)

    def test_times_and_checksums_are_filled_in(self):
        result = self.run_with(FakeClient())

        for create in result.storm.creates:
            self.assertLessEqual(create.sent, create.accepted)
            self.assertLess(create.begin, create.end)
            self.assertEqual(('available', 'same'),
                             (create.status, create.checksum))
        for delete in (result.delete, result.unrelated):
            self.assertLessEqual(delete.sent, delete.begin)
            self.assertLessEqual(delete.begin, delete.gone)

    def test_a_create_that_fails_in_the_storm_is_a_result(self):
        with mock.patch.object(run, 'PROGRESS_SECONDS', 0.01):
            result = self.run_with(FakeClient(fails=CREATES + 1))

        failed = [create for create in result.storm.creates
                  if create.status == 'error']
        self.assertEqual(1, len(failed))
        self.assertIsNone(failed[0].end)
        self.assertIsNone(failed[0].checksum)

    def test_a_create_that_fails_in_the_ideal_is_an_error(self):
        with mock.patch.object(run, 'PROGRESS_SECONDS', 0.01), \
                self.assertRaisesRegex(errors.ToolError,
                                       '1 of 3 creates .* status error'):
            self.run_with(FakeClient(fails=1))

    def test_a_refused_delete_is_an_error(self):
        client = FakeClient()
        client.delete = mock.Mock(side_effect=errors.ToolError('refused'))

        with self.assertRaisesRegex(errors.ToolError, 'refused'):
            self.run_with(client)

    def test_a_create_that_never_ends_is_an_error(self):
        client = FakeClient()
        create = client.create_volume

        def creating(**source):
            name = create(**source)
            if source:
                client.resources['volumes'][name]['status'] = 'creating'
            return name

        client.create_volume = creating
        with self.assertRaisesRegex(errors.ToolError,
                                    '3 of 3 creates did not end'):
            self.run_with(client, patience=0.05)

    def test_a_source_in_error_is_an_error(self):
        client = FakeClient()
        client.create_snapshot = lambda volume_id: client._add(
            'snapshots', 'error')

        with self.assertRaisesRegex(errors.ToolError, 'status error'):
            self.run_with(client)
