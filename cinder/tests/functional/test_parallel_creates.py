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

"""Many creates from one source, beside deletes of the source."""

import os
import statistics
import threading

import ddt
from oslo_config import cfg

from cinder import coordination
from cinder.message import message_field
from cinder.tests.functional import concurrent_base

CONF = cfg.CONF
CREATES = 16
SOURCES = ('snapshot', 'volume')


@ddt.ddt
class ParallelCreatesTestCase(concurrent_base.ConcurrentTestCase):

    def setUp(self):
        super().setUp()
        self.start_services()

    def source(self, kind):
        return concurrent_base.Source(self, kind)

    def assertCopies(self, source, volume_ids):
        """Assert that volumes are available with the data of the source."""
        self.wait_for_status(volume_ids, 'available')
        self.assertEqual([source.checksum] * len(volume_ids),
                         [self.driver.checksum(volume)
                          for volume in volume_ids],
                         'The source changed under a create')

    def assertErrors(self, volume_ids):
        """Assert that creates failed, said why, and left nothing behind."""
        self.wait_for_status(volume_ids, 'error')
        for volume_id in volume_ids:
            self.assertIn(message_field.Detail.SOURCE_NOT_FOUND[1],
                          self.user_messages(volume_id))
            self.assertFalse(os.path.exists(self.driver.path_of(volume_id)))

    def assertNoLockFiles(self, source):
        self.eventually(
            lambda: not [name for name in os.listdir(self.lock_directory)
                         if source.id in name],
            'The lock file of a source that is gone stays')

    @ddt.data(*SOURCES)
    def test_creates_are_inside_the_driver_together(self, kind):
        source = self.source(kind)
        barrier = threading.Barrier(CREATES)

        def meet_the_others(volume):
            try:
                barrier.wait(concurrent_base.PATIENCE / 2)
            except threading.BrokenBarrierError:
                pass

        self.driver.gates['create_from_source'] = meet_the_others
        volumes = self.create_volumes(CREATES, **source.request)
        self.assertCopies(source, volumes)
        self.assertEqual(CREATES,
                         self.driver.most_inside('create_from_source'),
                         'Creates from one source wait for each other')

    @ddt.data(*SOURCES)
    def test_creates_take_turns_if_no_lock_can_be_shared(self, kind):
        self.mock_object(coordination.COORDINATOR, 'shares_locks', False)
        source = self.source(kind)
        gate = self.gate('create_from_source')
        volumes = self.create_volumes(3, **source.request)
        self.glimpse(lambda: len(gate.arrived) > 1)
        gate.open()
        self.assertCopies(source, volumes)
        self.assertEqual(1, self.driver.most_inside('create_from_source'))

    @ddt.data(*SOURCES)
    def test_a_create_that_gets_no_lock_is_not_rescheduled(self, kind):
        source = self.source(kind)
        refused = self.refuse_lock(source.lock_name)
        volume = self.create_volume(**source.request)
        self.wait_for_status([volume], 'error')
        self.assertEqual([source.lock_name], refused)
        self.eventually(
            lambda: message_field.Detail.SOURCE_NOT_LOCKED[1]
            in self.user_messages(volume), 'The user is not told why')

    @ddt.data(*SOURCES)
    def test_a_delete_waits_for_the_creates_before_it(self, kind):
        source = self.source(kind)
        creates = self.gate('create_from_source')
        volumes = self.create_volumes(4, **source.request)
        self.eventually(lambda: len(creates.arrived) == len(volumes),
                        'The creates do not run together')
        self.assertWaitsForCreates(source.delete, source.delete_operation,
                                   creates, source)
        self.eventually(source.is_gone, 'The delete does not end')
        self.assertCopies(source, volumes)
        self.assertNoLockFiles(source)

    @ddt.data(*SOURCES)
    def test_a_create_that_waits_for_a_delete_fails_and_says_why(self, kind):
        source = self.source(kind)
        creates = self.gate_before_lock()
        volumes = self.create_volumes(4, **source.request)
        self.eventually(lambda: len(creates.arrived) == len(volumes),
                        'The creates do not reach the manager')
        deletes = self.gate(source.delete_operation)
        source.delete()
        self.eventually(lambda: deletes.arrived, 'The delete does not run')
        creates.open()
        self.glimpse(lambda: self.intervals('create_from_source'))
        self.assertEqual(['creating'] * len(volumes),
                         [self.status(volume) for volume in volumes],
                         'A create did not wait for the delete')
        deletes.open()

        self.eventually(source.is_gone, 'The delete does not end')
        self.assertErrors(volumes)
        self.assertEqual([], self.intervals('create_from_source'))
        self.assertNoLockFiles(source)

    @ddt.data(*SOURCES)
    def test_a_create_does_not_overtake_a_waiting_delete(self, kind):
        source = self.source(kind)
        running = self.gate('create_from_source')
        early = self.create_volume(**source.request)
        self.eventually(lambda: running.arrived, 'The create does not run')
        before_lock = self.gate_before_lock()
        late = self.create_volume(**source.request)
        self.eventually(lambda: before_lock.arrived,
                        'The late create does not reach the manager')
        source.delete()
        self.eventually(source.is_closed_to_creates,
                        'A create can overtake a delete that is waiting')
        before_lock.open()
        self.glimpse(lambda: late in running.arrived)
        running.open()

        self.eventually(source.is_gone, 'The delete does not end')
        self.assertEqual([early], running.arrived,
                         'A create overtook a delete that was waiting')
        self.assertCopies(source, [early])
        self.assertErrors([late])


class WorkersTestCase(concurrent_base.ConcurrentTestCase):
    """Creates from one source leave workers to other requests."""

    WORKERS = 4
    SECONDS = 1

    def setUp(self):
        super().setUp()
        self.override_config('executor_thread_pool_size', self.WORKERS)
        self.override_config('copying_driver_seconds', self.SECONDS,
                             group='backend_defaults')
        self.start_services()

    def storm(self, sources):
        """Return how long an unrelated delete waits beside a storm.

        :param sources: The source of each create.
        :returns: The time from when the first create goes on until the delete
            begins, as a multiple of the time that a create takes.
        """
        unrelated = self.create_volume()
        self.wait_for_status([unrelated], 'available')
        del self.driver.journal[:]
        gate = self.gate('create_from_source')
        before_lock = self.gate_before_lock()
        volumes = [self.create_volume(**source.request)
                   for source in sources]
        self.eventually(
            lambda: len(before_lock.arrived) == self.WORKERS,
            'The creates do not take all workers')
        self.eventually(
            lambda: all(self.api.get_volume(volume)['os-vol-host-attr:host']
                        for volume in volumes),
            'The creates do not reach the queue of the backend')
        self.api.delete_volume(unrelated)
        before_lock.open()
        gate.open()
        self.wait_for_status(volumes, 'available')
        self.eventually(lambda: self.intervals('delete_volume'),
                        'The unrelated delete does not run')
        delete, = self.intervals('delete_volume')
        creates = self.intervals('create_from_source')
        seconds = statistics.mean(create.end - create.begin
                                  for create in creates)
        first = min(create.begin for create in creates)
        return (delete.begin - first) / seconds

    def test_an_unrelated_delete_waits_no_longer_than_beside_many_sources(
            self):
        creates = 2 * self.WORKERS
        many = [concurrent_base.Source(self, 'snapshot')
                for _number in range(creates)]
        for _attempt in range(3):
            beside_many_sources = self.storm(many)
            beside_one_source = self.storm(many[:1] * creates)
            if beside_one_source < 1.5 * beside_many_sources:
                return
        self.fail('The workers sleep on the lock of the source: a delete '
                  'waits for %.3g creates beside one source, for %.3g beside '
                  'many' % (beside_one_source, beside_many_sources))
