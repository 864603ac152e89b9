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

"""Creates on a backend that runs one create from a source at a time."""

import os

import ddt

from cinder.tests.functional import concurrent_base


@ddt.ddt
class ExclusiveCreatesTestCase(concurrent_base.ConcurrentTestCase):

    def setUp(self):
        super().setUp()
        self.start_services()

    def send_creates(self, kind):
        """Send three creates from one source, and hold them in the driver.

        :returns: The Source, the Gate that holds them, and the ids of the
            volumes.
        """
        source = concurrent_base.Source(self, kind)
        gate = self.gate('create_from_source')
        return source, gate, self.create_volumes(3, **source.request)

    def most_inside(self, kind):
        """Return how many of three creates were inside the driver at once."""
        source, gate, volumes = self.send_creates(kind)
        self.glimpse(lambda: len(gate.arrived) > 1)
        gate.open()
        self.wait_for_status(volumes, 'available')
        self.assertNoLockFilesOnceDeleted(source)
        return self.driver.most_inside('create_from_source')

    def assertNoLockFilesOnceDeleted(self, source):
        source.delete()
        self.eventually(source.is_gone, 'The source stays')
        self.eventually(
            lambda: not [name for name in os.listdir(self.lock_directory)
                         if source.id in name],
            'The lock files of a source that is gone stay')

    @ddt.data('snapshot', 'volume')
    def test_a_driver_can_keep_creates_apart(self, kind):
        self.mock_object(type(self.driver),
                         'PARALLEL_CREATES_FROM_%s' % kind.upper(), False)
        self.assertEqual(1, self.most_inside(kind))

    @ddt.data('snapshot', 'volume')
    def test_an_operator_can_let_creates_run_together(self, kind):
        self.mock_object(type(self.driver),
                         'PARALLEL_CREATES_FROM_%s' % kind.upper(), False)
        self.override_config('parallel_creates_from_source', True,
                             group=self.BACKEND)
        _source, gate, volumes = self.send_creates(kind)
        self.eventually(lambda: len(gate.arrived) == len(volumes),
                        'Creates wait for each other')
        gate.open()
        self.wait_for_status(volumes, 'available')

    @ddt.data('snapshot', 'volume')
    def test_an_operator_can_keep_creates_apart(self, kind):
        self.override_config('parallel_creates_from_source', False,
                             group=self.BACKEND)
        self.assertEqual(1, self.most_inside(kind))

    @ddt.data(('snapshot', 'VOLUME'), ('volume', 'SNAPSHOT'))
    @ddt.unpack
    def test_the_one_does_not_restrict_the_other(self, kind, other):
        self.mock_object(type(self.driver),
                         'PARALLEL_CREATES_FROM_%s' % other, False)
        _source, gate, volumes = self.send_creates(kind)
        self.eventually(lambda: len(gate.arrived) == 3,
                        'Creates wait for each other')
        gate.open()
        self.wait_for_status(volumes, 'available')
