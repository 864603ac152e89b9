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

"""Which sources are fit to be read."""

import ddt
from oslo_utils import timeutils

from cinder import context
from cinder.db import api as db
from cinder import exception
from cinder import objects
from cinder.objects import fields
from cinder import service
from cinder.tests.unit import test
from cinder.tests.unit import utils
from cinder.volume import source_state

REFUSED = {
    'Snapshot': {'creating', 'deleted', 'error', 'error_deleting'},
    'Volume': {'creating', 'error', 'error_deleting', 'error_managing',
               'error_restoring', 'managing'},
}
ALL = {
    'Snapshot': set(fields.SnapshotStatus.ALL),
    'Volume': set(fields.VolumeStatus.ALL) | {'reverting', 'unmanaging'},
}


@ddt.ddt
class SourceStateTestCase(test.TestCase):
    MOCK_WORKER = False

    def setUp(self):
        super().setUp()
        self.admin = context.get_admin_context()
        self.patch('cinder.objects.Volume.get_pinned_version',
                   return_value=None)
        self.mock_object(service.Service, 'service_id', utils.create_service(
            self.admin, {'binary': 'cinder-volume', 'host': 'host'}).id)

    def source(self, kind, status):
        if kind == 'Volume':
            return utils.create_volume(self.admin, status=status,
                                       launched_at=timeutils.utcnow())
        return utils.create_snapshot(
            self.admin, utils.create_volume(self.admin).id, status=status)

    @ddt.data(*ALL)
    def test_every_status_of_cinder_is_in_one_list(self, kind):
        lists = (source_state.READABLE[kind],
                 source_state.READABLE_UNTIL_BEGUN[kind], REFUSED[kind])
        self.assertEqual(ALL[kind], set().union(*lists))
        self.assertEqual(len(ALL[kind]), sum(map(len, lists)))

    @ddt.data(*ALL)
    def test_what_is_refused(self, kind):
        for status in REFUSED[kind] | {'a status of a later Cinder'}:
            source = self.source(kind, 'available')
            source._context = self.admin
            object.__setattr__(source, '_obj_status', status)
            error = self.assertRaises(exception.SourceNotUsable,
                                      source_state.check, source)
            self.assertIn(source.id, str(error))
            self.assertIn(status, str(error))

    @ddt.data(*ALL)
    def test_what_is_fit_to_read_from(self, kind):
        for status in source_state.READABLE[kind]:
            source_state.check(self.source(kind, status))

    @ddt.data('creating', 'downloading')
    def test_a_volume_is_read_by_its_own_create(self, status):
        volume = self.source('Volume', status)
        with source_state.begun(volume):
            self.assertFalse(source_state.is_readable(volume))
            volume.launched_at = None
            self.assertTrue(source_state.is_readable(volume))

    @ddt.data(*ALL)
    def test_work_that_has_not_begun_or_has_ended_is_no_obstacle(self, kind):
        for status in source_state.READABLE_UNTIL_BEGUN[kind]:
            source = self.source(kind, status)
            source_state.check(source)
            with source_state.begun(source):
                self.assertRaises(exception.SourceNotUsable,
                                  source_state.check, source)
            source_state.check(source)

    @ddt.data(*ALL)
    def test_work_that_has_failed_is_remembered(self, kind):
        source = self.source(kind, 'deleting')
        try:
            with source_state.begun(source):
                raise ValueError
        except ValueError:
            self.assertRaises(exception.SourceNotUsable,
                              source_state.check, source)

    def test_a_second_request_does_not_hide_the_first(self):
        volume = self.source('Volume', 'deleting')
        try:
            with source_state.begun(volume):
                raise ValueError
        except ValueError:
            volume.create_worker()
        self.assertIsNone(db.worker_get(
            self.admin, resource_type='Volume',
            resource_id=volume.id).service_id)
        self.assertRaises(exception.SourceNotUsable,
                          source_state.check, volume)

    def test_a_request_that_waits_is_no_obstacle(self):
        volume = self.source('Volume', 'deleting')
        volume.create_worker()
        source_state.check(volume)

    def test_a_request_that_came_in_meanwhile_is_kept(self):
        volume = self.source('Volume', 'reverting')
        with source_state.begun(volume):
            volume.status = 'deleting'
            volume.create_worker()
        self.assertEqual('deleting', db.worker_get(
            self.admin, resource_type='Volume',
            resource_id=volume.id).status)

    @ddt.data(*ALL)
    def test_a_crash_is_remembered_after_the_restart(self, kind):
        source = self.source(kind, 'available')
        self.assertFalse(source_state.is_changing(source))
        source = self.source(kind, 'deleting')
        self.assertTrue(source_state.is_changing(source))
        self.assertFalse(source_state.is_changing(
            objects.Group(self.admin, status='deleting')))
