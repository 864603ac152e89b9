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

"""The coordinator as the front door of the read and write locks."""

import inspect
from unittest import mock

import ddt
from testtools import matchers
import tooz.coordination

from cinder import coordination
from cinder import exception
from cinder import rwlock
from cinder.rwlock import base as rwlock_base
from cinder.rwlock import file
from cinder.tests.unit.rwlock import base


@ddt.ddt
class CoordinatorTestCase(base.RWLockTestCase):

    @ddt.data('file://%s', 'file://%s?timeout=3', 'file:%s', 'FILE://%s')
    def test_a_lock_file_is_the_one_that_tooz_uses(self, form):
        self.override_config('backend_url',
                             form % self.url.removeprefix('file://'),
                             group='coordination')
        coordinator = coordination.Coordinator(prefix='cinder-')
        coordinator.start()
        self.addCleanup(coordinator.stop)
        expected = coordinator.get_lock(self.name).name
        self.assertEqual(expected,
                         coordinator.get_read_lock(self.name).name)
        self.assertEqual(expected,
                         coordinator.get_write_lock(self.name).name)

    def test_read_locks_are_shared_by_default(self):
        self.held('read')
        self.assertTrue(self.read_lock().acquire(blocking=False))

    def test_read_locks_off_means_write_locks(self):
        self.override_config('read_locks', False, group='coordination')
        self.held('read')
        self.assertFalse(self.read_lock().acquire(blocking=False))

    @ddt.data('get_read_lock', 'get_write_lock')
    def test_no_lock_before_start_nor_after_stop(self, get_lock):
        coordinator = coordination.Coordinator()
        self.assertRaises(exception.LockCreationFailed,
                          getattr(coordinator, get_lock), 'a')
        coordinator.start()
        self.assertIsNotNone(getattr(coordinator, get_lock)('a'))
        coordinator.stop()
        self.assertRaises(exception.LockCreationFailed,
                          getattr(coordinator, get_lock), 'a')

    @ddt.data('mysql://user:secret@host', 'memcached://host', 'ipc://',
              'kubernetes://', 'unknown://')
    def test_other_backends_fall_back_to_exclusive_locks(self, url):
        tooz_coordinator = mock.Mock(lock_timeout=30)
        tooz_coordinator.get_lock.return_value.name = b'a'
        with mock.patch.object(rwlock.LOG, 'warning') as warning:
            backend = rwlock.get_backend(url, tooz_coordinator)
        scheme = url.partition('://')[0]
        warning.assert_called_once()
        message = warning.call_args.args[0] % warning.call_args.args[1:]
        self.assertIn('"%s"' % scheme, message)
        self.assertNotIn('secret', message)
        tooz_lock = tooz_coordinator.get_lock.return_value
        for get_lock in (backend.read_lock, backend.write_lock):
            with get_lock(b'a'):
                tooz_lock.acquire.assert_called_once_with(blocking=False)
            tooz_lock.release.assert_called_once_with()
            tooz_lock.reset_mock()

    def test_file_backend_without_ofd_locks_falls_back(self):
        with (mock.patch.object(file, 'fcntl', None),
                mock.patch.object(rwlock.LOG, 'warning') as warning):
            self.coordinator.stop()
            self.coordinator.start()
        warning.assert_called_once()
        self.held('read')
        self.assertFalse(self.read_lock().acquire(blocking=False))

    def test_the_file_backend_does_not_warn(self):
        with mock.patch.object(rwlock.LOG, 'warning') as warning:
            rwlock.get_backend(self.url, mock.Mock())
        warning.assert_not_called()


@ddt.ddt
class DecoratorTestCase(base.RWLockTestCase):

    def decorated(self, decorator, *names, **kwargs):
        @decorator(*names, coordinator=self.coordinator, **kwargs)
        def function(source):
            return [lock for lock in ('read', 'write')
                    if self.lock(lock).acquire(blocking=False)]
        return function

    @ddt.data((coordination.read_locked, ['read']),
              (coordination.write_locked, []))
    @ddt.unpack
    def test_the_body_runs_under_the_lock(self, decorator, expected):
        function = self.decorated(decorator, '{source}')
        self.assertEqual(expected, function(self.name))
        self.assertEqual(['read', 'write'], self.decorated(
            decorator, 'other')('source'))
        self.assertEqual(['source'], inspect.getfullargspec(function)[0])

    @ddt.data(coordination.read_locked, coordination.write_locked)
    def test_the_body_does_not_run_without_the_lock(self, decorator):
        self.held('write')
        for blocking in (False, 0):
            function = self.decorated(decorator, self.name,
                                      blocking=blocking)
            self.assertRaises(tooz.coordination.LockAcquireFailed,
                              function, 'source')

    @ddt.data((coordination.read_locked, 'read lock'),
              (coordination.write_locked, 'write lock'),
              (coordination.synchronized, 'lock'))
    @ddt.unpack
    def test_the_log_tells_which_kind_of_lock_it_is(self, decorator, kind):
        with mock.patch.object(coordination.LOG, 'debug') as debug:
            self.decorated(decorator, 'other')('source')
        lines = [call.args[0] % call.args[1:] for call in
                 debug.call_args_list]
        self.assertEqual(3, len(lines))
        for line, wanted in zip(lines, ('Acquiring %s "' % kind,
                                        '%s "' % kind.capitalize(),
                                        '%s "' % kind.capitalize())):
            self.assertThat(line, matchers.StartsWith(wanted))

    @ddt.data('read', 'write')
    def test_the_log_of_a_context_tells_it_too(self, kind):
        with mock.patch.object(rwlock_base.LOG, 'debug') as debug:
            with self.lock(kind):
                pass
        lines = [call.args[0] % call.args[1:] for call in
                 debug.call_args_list]
        self.assertEqual(3, len(lines))
        for line in lines:
            self.assertIn('%s lock "' % kind, line.lower())

    @ddt.data(coordination.read_locked, coordination.write_locked)
    def test_those_who_wait_are_told_the_function(self, decorator):
        @decorator(self.name, coordinator=self.coordinator)
        def delete_something():
            return self.write_lock()._holders()

        self.assertIn('for delete_something', delete_something()[0])

    def test_locks_are_acquired_once_and_in_the_order_of_names(self):
        acquired = []

        def get_write_lock(name, purpose):
            acquired.append(name)
            return mock.Mock(acquired=True)

        coordinator = mock.Mock(get_write_lock=get_write_lock)

        @coordination.write_locked('b-{x}', 'a-{x}', 'b-{x}',
                                   coordinator=coordinator)
        def function(x):
            pass

        function(1)
        self.assertEqual(['a-1', 'b-1'], acquired)

    def test_a_lock_that_fails_frees_those_before_it(self):
        self.held('write')
        function = self.decorated(coordination.write_locked, 'a', self.name,
                                  blocking=False)
        self.assertRaises(tooz.coordination.LockAcquireFailed, function, 's')
        self.assertTrue(self.coordinator.get_write_lock('a').acquire(False))
