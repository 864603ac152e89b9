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

"""Requests that are refused leave the volume as it was."""

import ddt

from cinder import context
from cinder.db import api as db
from cinder import exception
from cinder import quota
from cinder.tests.unit import fake_constants as fake
from cinder.tests.unit import test
from cinder.tests.unit import utils as tests_utils
from cinder.volume import api
from cinder.volume import volume_types


@ddt.ddt
class RefusedRequestsTestCase(test.TestCase):

    def setUp(self):
        super().setUp()
        self.ctxt = context.RequestContext(fake.USER_ID, fake.PROJECT_ID,
                                           is_admin=True)
        self.api = api.API()
        self.volume = tests_utils.create_volume(
            self.ctxt, status='available', previous_status='in-use')

    def assertVolumeIsAvailable(self):
        self.volume.refresh()
        self.assertEqual('available', self.volume.status)

    def test_a_revert_to_a_snapshot_that_is_not_available(self):
        snapshot = tests_utils.create_snapshot(self.ctxt, self.volume.id,
                                               status='backing-up')
        self.assertRaises(exception.InvalidSnapshot,
                          self.api.revert_to_snapshot, self.ctxt, self.volume,
                          snapshot)
        self.assertVolumeIsAvailable()
        snapshot.refresh()
        self.assertEqual('backing-up', snapshot.status)

    def test_a_retype_without_quota(self):
        """The second reservation fails, that of the old type."""
        new_type = volume_types.create(self.ctxt, 'new type')
        reserve, reservations = quota.QUOTAS.reserve, []

        def reserve_once(*args, **kwargs):
            if reservations:
                raise exception.CinderException()
            reservations.extend(reserve(*args, **kwargs))
            return list(reservations)

        self.mock_object(quota.QUOTAS, 'reserve', reserve_once)
        self.assertRaises(exception.CinderException, self.api.retype,
                          self.ctxt, self.volume, new_type['id'])
        self.assertVolumeIsAvailable()
        usages = db.quota_usage_get_all_by_project(self.ctxt,
                                                   fake.PROJECT_ID)
        usages.pop('project_id')
        self.assertEqual([], [name for name, usage in usages.items()
                              if usage['reserved']])
