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

"""Clones of one RBD volume take turns where they would gain nothing."""

from unittest import mock

import ddt

from cinder.tests.unit import test
from cinder.volume import configuration
from cinder.volume.drivers import rbd


@ddt.ddt
class ExclusiveClonesTestCase(test.TestCase):

    @ddt.data((5, False), (1, False), (0, True))
    @ddt.unpack
    def test_full_copies_alone_run_together(self, depth, together):
        group = configuration.SHARED_CONF_GROUP
        options = configuration.Configuration(rbd.RBD_OPTS, group)
        self.override_config('rbd_max_clone_depth', depth, group=group)
        driver = rbd.RBDDriver(configuration=options, rbd=mock.MagicMock(),
                               rados=mock.MagicMock())

        self.assertEqual(together, driver.PARALLEL_CREATES_FROM_VOLUME)
        self.assertTrue(driver.PARALLEL_CREATES_FROM_SNAPSHOT)
