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

"""Read and write locks on lock files."""

import contextlib
import errno
import gc
import glob
import os
from unittest import mock

import ddt
import tooz

from cinder.rwlock import file
from cinder.tests.unit.rwlock import base
from cinder.tests.unit.rwlock import contract

KINDS = contract.KINDS


class FileTestCase(base.RWLockTestCase):

    @property
    def path(self):
        return os.path.join(self.url[len('file://'):], 'cinder-' + self.name)


class FileContractTestCase(contract.Contract, FileTestCase):

    def break_lock(self, lock):
        if lock.acquired:
            os.unlink(self.path)

    def traces(self):
        """Read the kernel's list of locks until it does not change.

        It is read in parts: a change in between, by any process, can have a
        line appear twice or not at all.
        """
        before, now = None, self._read_traces()
        while before != now:
            before, now = now, self._read_traces()
        return now

    def _read_traces(self):
        inode = ':%d' % os.stat(self.path).st_ino
        with open('/proc/locks') as stream:
            return [line.split()[1:] for line in stream
                    if line.split()[5].endswith(inode)]


@ddt.ddt
class FileLockTestCase(FileTestCase):

    @ddt.data(*KINDS)
    def test_a_replaced_file_means_a_lost_lock(self, kind):
        held = self.held(kind)
        os.unlink(self.path)
        other = self.process()
        self.assertTrue(other.do('acquire', 'a', 'write', self.name, False))
        self.assertFalse(held.is_still_owner())

    @ddt.data(*contract.CONFLICTS)
    @ddt.unpack
    def test_a_waiter_starts_over_when_the_file_is_removed(self, holder,
                                                           other):
        held = self.held(holder)
        waiter = self.waits(self.lock(other))
        os.unlink(self.path)
        stranger = self.process()
        self.assertTrue(stranger.do('acquire', 'a', 'write', self.name,
                                    False))
        held.release()
        self.assertFalse(waiter.ended.wait(contract.GLIMPSE),
                         'It took the lock of a file that is gone')
        stranger.do('release', 'a')
        self.assertAcquires(waiter)

    @ddt.data(*KINDS)
    def test_a_file_that_is_removed_in_use_goes_with_the_release(self, kind):
        held = self.held(kind)
        self.coordinator.remove_lock(self.name)
        self.assertTrue(held.is_still_owner())
        self.assertTrue(held.release())
        self.assertFalse(os.path.exists(self.path))

    def test_the_last_of_all_readers_removes_the_file(self):
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', 'read', self.name, False))
        readers = [self.held('read'), self.held('read')]
        self.coordinator.remove_lock(self.name)
        for reader in readers:
            self.assertTrue(reader.release())
            self.assertTrue(process.do('is_still_owner', 'a'))
        self.assertTrue(process.do('release', 'a'))
        self.assertFalse(os.path.exists(self.path))

    @ddt.data(*contract.CONFLICTS)
    @ddt.unpack
    def test_a_waiter_whose_file_was_removed_leaves_none(self, holder, other):
        held = self.held(holder)
        lock = self.lock(other)
        waiter = self.waits(lock)
        os.unlink(self.path)
        held.release()
        self.assertAcquires(waiter)
        self.assertTrue(os.path.exists(self.path))
        self.assertTrue(lock.release())
        self.assertFalse(os.path.exists(self.path))

    @ddt.data(*KINDS)
    def test_a_file_has_the_permissions_of_its_directory(self, kind):
        os.chmod(os.path.dirname(self.path), 0o770)
        self.addCleanup(os.umask, os.umask(0o077))
        self.held(kind)
        self.assertEqual(0o660, os.stat(self.path).st_mode & 0o777)

    def test_a_file_that_cannot_be_removed_is_no_error(self):
        held = self.held('write')
        self.coordinator.remove_lock(self.name)
        with mock.patch.object(file.os, 'unlink',
                               side_effect=PermissionError):
            self.assertTrue(held.release())
        self.assertTrue(self.is_free('write'))

    def test_a_link_in_the_place_of_a_file_is_an_error(self):
        os.symlink(self.path + '-elsewhere', self.path)
        self.assertRaises(tooz.ToozError, self.write_lock().acquire)

    @ddt.data('/nowhere/at/all', '/sys')
    def test_an_unusable_directory_is_an_error(self, directory):
        backend = file.Backend('file://' + directory, None)
        for get_lock in (backend.read_lock, backend.write_lock):
            lock = get_lock(b'cinder-a')
            self.assertRaisesRegex(tooz.ToozError, directory + '/cinder-a',
                                   lock.acquire)
            self.assertFalse(lock.acquired)
            self.assertFalse(lock.release())

    @ddt.data(errno.ENOSPC, errno.EMFILE, errno.EROFS)
    def test_a_file_that_cannot_be_opened_is_an_error(self, number):
        failure = OSError(number, os.strerror(number))
        lock = self.read_lock()
        with mock.patch.object(file.os, 'open', side_effect=failure):
            self.assertRaisesRegex(tooz.ToozError, os.strerror(number),
                                   lock.acquire)
        self.assertFalse(lock.acquired)
        self.assertTrue(lock.acquire(blocking=False))
        lock.release()

    @ddt.data(errno.ENOLCK, errno.EIO)
    def test_a_file_that_cannot_be_locked_is_an_error(self, number):
        failure = OSError(number, os.strerror(number))
        lock = self.write_lock()
        with mock.patch.object(file.fcntl, 'fcntl', side_effect=failure):
            self.assertRaisesRegex(tooz.ToozError, os.strerror(number),
                                   lock.acquire)
        self.assertFalse(lock.acquired)
        self.assertTrue(self.write_lock().acquire(blocking=False))

    def test_descriptors_are_closed(self):
        for _turn in range(50):
            with self.read_lock():
                self.assertNotEqual(0, self.descriptors())
                self.assertFalse(self.write_lock().acquire(blocking=False))
        gc.collect()
        self.assertEqual(0, self.descriptors())

    def descriptors(self):
        """Return how many descriptors of the lock file this process has."""
        found = 0
        for link in glob.glob('/proc/self/fd/*'):
            with contextlib.suppress(FileNotFoundError):
                found += os.path.samefile(link, self.path)
        return found

    @ddt.data(*KINDS)
    def test_a_killed_holder_frees_its_lock_although_it_forked(self, kind):
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', kind, self.name, False))
        process.do('fork')
        self.assertFalse(self.write_lock().acquire(blocking=False))
        process.kill()
        self.assertTrue(self.write_lock().acquire(blocking=False),
                        'The child keeps the lock of its dead parent')

    @ddt.data(*KINDS)
    def test_a_release_frees_the_lock_although_a_child_lives(self, kind):
        process = self.process()
        self.assertTrue(process.do('acquire', 'a', kind, self.name, False))
        process.do('fork')
        self.assertTrue(process.do('release', 'a'))
        self.assertTrue(self.write_lock().acquire(blocking=False))
