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

"""What a create finds out before it locks an image of the cache."""

import datetime
from unittest import mock

from cinder import context
from cinder import coordination
from cinder.db import api as db_api
from cinder.image import cache
from cinder.tests.unit import fake_constants as fake
from cinder.tests.unit import fake_volume
from cinder.tests.unit import test

UPDATED = datetime.datetime(2026, 1, 1)
HOST = 'host@backend#pool'


class CacheLockTestCase(test.TestCase):

    def setUp(self):
        super().setUp()
        self.context = context.get_admin_context()
        self.cache = cache.ImageVolumeCache(db_api, mock.Mock())
        self.cache.notifier = self.notifier

    def add_entry(self, host=HOST, cluster=None):
        db_api.image_volume_cache_create(
            self.context, host, cluster, fake.IMAGE_ID, UPDATED,
            fake.VOLUME_ID, 1)

    def has_entry(self, host=HOST, cluster=None, updated=UPDATED):
        volume = fake_volume.fake_volume_obj(self.context, host=host,
                                             cluster_name=cluster)
        return self.cache.has_entry(
            self.context, volume, fake.IMAGE_ID,
            {'updated_at': updated.replace(tzinfo=datetime.timezone.utc)})

    def test_an_entry_is_found(self):
        self.assertFalse(self.has_entry())
        self.add_entry()
        self.assertTrue(self.has_entry())

    def test_a_look_changes_nothing(self):
        self.add_entry()
        before, = db_api.image_volume_cache_get_all(self.context)
        self.has_entry()
        self.has_entry(updated=UPDATED + datetime.timedelta(1))
        after, = db_api.image_volume_cache_get_all(self.context)
        self.assertEqual(before.last_used, after.last_used)
        self.cache.volume_api.delete.assert_not_called()
        self.assertEqual([], self.notifier.notifications)

    def test_an_entry_of_an_image_that_was_updated_does_not_count(self):
        self.add_entry()
        self.assertFalse(
            self.has_entry(updated=UPDATED + datetime.timedelta(1)))

    def test_an_entry_of_another_host_does_not_count(self):
        self.add_entry()
        self.assertFalse(self.has_entry(host='another@backend#pool'))

    def test_an_entry_of_another_host_of_the_cluster_counts(self):
        self.add_entry(cluster='cluster@backend#pool')
        self.assertTrue(self.has_entry(host='another@backend#pool',
                                       cluster='cluster@backend#pool'))

    def test_mysql_accepts_the_name_of_the_lock(self):
        name = coordination.image_lock_name(fake.IMAGE_ID, 'host' * 50)
        self.assertLessEqual(len(coordination.COORDINATOR.prefix + name), 64)
