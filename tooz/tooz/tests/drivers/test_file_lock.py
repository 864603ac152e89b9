#
# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

import errno
import fcntl
import gc
import glob
import os
import subprocess  # noqa: S404
import sys
import time
from unittest import mock

import ddt
import fixtures
from testtools import testcase

import tooz
from tooz import _sharing
from tooz.drivers import _file_lock
from tooz.tests import interrupts
from tooz.tests import lock_process
from tooz.tests import test_shared_locks

FILES = ('_sharing.py', '_file_lock.py')
"""Those in which an interrupt may hit any line."""

OLDER = """
import fcntl, sys
path, wait = sys.argv[1:]
with open(path, 'a') as stream:
    try:
        fcntl.lockf(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        print('refused', flush=True)
    else:
        print('acquired', flush=True)
        sys.stdin.read()
"""
"""What tooz up to 9.1 does to acquire a lock on a file."""


class OlderTooz:
    """A process that takes a lock as tooz up to 9.1 does.

    :param path: The lock file.
    :param wait: Whether it waits for the lock.
    """

    def __init__(self, path, wait=False):
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, '-c', OLDER, path, 'wait' if wait else ''],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

        self.pid = self._process.pid

    def answer(self):
        assert self._process.stdout is not None  # narrow type
        return self._process.stdout.readline().strip()

    def release(self):
        self._process.__exit__(None, None, None)


@ddt.ddt
class TestFileLock(testcase.TestCase):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(
            self.useFixture(fixtures.TempDir()).path, 'lock'
        )

    def lock(self):
        return _file_lock.FileLock(self.path)

    def is_free(self):
        lock = self.lock()
        return lock.acquire(blocking=False) and lock.release()

    def waits(self, lock, shared):
        """Let another thread acquire a lock, and return once it waits."""
        waiter = test_shared_locks.Background(lock.acquire, True, shared)
        while not any(not owner.acquired for owner in lock.owners()):
            self.assertFalse(waiter.ended.wait(0.001))
        return waiter

    # An older tooz

    @ddt.data(False, True)
    def test_the_lock_of_an_older_tooz_is_waited_for(self, shared):
        older = OlderTooz(self.path)
        self.addCleanup(older.release)
        self.assertEqual('acquired', older.answer())
        lock = self.lock()
        self.assertFalse(lock.acquire(blocking=False, shared=shared))
        self.assertFalse(lock.acquire(0.1, shared=shared))
        (owner,) = lock.owners()
        self.assertEqual((True, False, older.pid), owner[:3])
        self.assertIsNone(owner.since)
        waiter = self.waits(lock, shared)
        older.release()
        self.assertIs(True, waiter.result())
        self.assertTrue(lock.release())

    @ddt.data(False, True)
    def test_an_older_tooz_waits_for_the_lock(self, shared):
        lock, other = self.lock(), self.lock()
        self.assertTrue(lock.acquire(shared=shared))
        self.assertTrue(lock.is_still_owner())
        if shared:
            self.assertTrue(other.acquire(shared=True))
            self.assertTrue(other.release())
            del other
            gc.collect()
        refused = OlderTooz(self.path)
        self.assertEqual('refused', refused.answer())
        refused.release()
        waiter = OlderTooz(self.path, wait=True)
        self.addCleanup(waiter.release)
        self.assertTrue(lock.release())
        self.assertEqual('acquired', waiter.answer())

    # Order

    def test_nobody_overtakes_a_waiter_of_another_process(self):
        """Waiters come in the order of arrival, whatever their process."""
        processes = [
            lock_process.LockProcess(f'file://{os.path.dirname(self.path)}')
            for _number in range(3)
        ]
        for process in processes:
            self.addCleanup(process.kill)
        lock = self.lock()
        lock.acquire()
        kinds = (False, True, False)
        for number, (process, shared) in enumerate(zip(processes, kinds)):
            process.ask('acquire', 'a', 'lock', shared, True)
            while len(lock.owners()) < number + 2:
                time.sleep(0.001)
        since = [owner.since for owner in lock.owners()[1:]]
        # The last one asks most often, as a new waiter does.
        lock.release()
        for number, process in enumerate(processes):
            self.assertTrue(process.answer())
            self.assertEqual(
                [process.pid],
                [owner.process for owner in lock.owners() if owner.acquired],
            )
            self.assertTrue(process.do('release', 'a'))
        self.assertEqual(3, len(set(since)))

    @ddt.data(False, True)
    def test_the_kernel_tells_who_holds_the_lock_since_when(self, shared):
        lock = self.lock()
        lock.acquire(shared=shared)
        with mock.patch.object(_sharing, 'wall_time', str):
            (owner,) = _file_lock._owners(self.path)
        milliseconds = int(lock._holds[0].since * 1000)
        self.assertEqual(
            (True, shared, os.getpid(), str(milliseconds / 1000)),
            (*owner[:3], owner.since),
        )
        self.assertTrue(lock.release())

    def test_who_takes_the_whole_file_in_a_moment_is_not_told_of(self):
        held = self.lock()
        held.acquire(shared=True)
        other = _file_lock._OpenFile(_file_lock._open(self.path))
        self.assertTrue(other.lock(_file_lock._WHOLE_FILE[True]))
        self.assertEqual(
            [True],
            [owner.acquired for owner in _file_lock._owners(self.path)],
        )
        other.unlock()
        self.assertTrue(held.release())

    # Files that are removed

    @ddt.data(*test_shared_locks.CONFLICTS)
    @ddt.unpack
    def test_a_waiter_goes_on_with_the_new_file(self, holder, other):
        held, lock, stranger = self.lock(), self.lock(), self.lock()
        held.acquire(shared=holder)
        waiter = self.waits(lock, other)
        os.unlink(self.path)
        process = lock_process.LockProcess(
            f'file://{os.path.dirname(self.path)}'
        )
        self.addCleanup(process.kill)
        self.assertIs(True, waiter.result())
        self.assertFalse(process.do('acquire', 'a', 'lock', False, False))
        self.assertFalse(held.is_still_owner())
        self.assertFalse(held.release())
        self.assertFalse(stranger.acquire(blocking=False))
        self.assertTrue(lock.release())

    def test_nobody_shares_a_file_that_is_gone(self):
        held, lock = self.lock(), self.lock()
        held.acquire(shared=True)
        os.unlink(self.path)
        self.assertTrue(lock.acquire(shared=True))
        self.assertTrue(lock.is_still_owner())
        self.assertTrue(lock.release())
        self.assertFalse(held.release())

    def test_a_file_removed_before_it_is_locked_is_not_used(self):
        remove = [True]

        def open_and_remove(path, open_=_file_lock._open):
            stream = open_(path)
            if remove.pop():
                os.unlink(path)
                remove.append(False)
            else:
                remove.append(False)
            return stream

        lock = self.lock()
        with mock.patch.object(_file_lock, '_open', open_and_remove):
            self.assertTrue(lock.acquire())
        self.assertTrue(lock.is_still_owner())
        self.assertFalse(self.is_free())
        self.assertTrue(lock.release())

    def test_break_of_a_lock_that_nobody_holds_does_nothing(self):
        self.assertFalse(self.lock().break_())
        self.assertTrue(self.is_free())
        self.assertFalse(self.lock().break_())
        self.assertTrue(os.path.exists(self.path))

    def test_break_of_a_lock_whose_file_another_one_removes(self):
        lock = self.lock()
        lock.acquire()
        with mock.patch.object(os, 'unlink', side_effect=FileNotFoundError):
            self.assertFalse(self.lock().break_())
        self.assertTrue(lock.release())

    @ddt.data(False, True)
    def test_a_release_does_not_wait_for_the_collector(self, shared):
        """Another thread that uses the object has the hold as well."""
        lock = self.lock()
        lock.acquire(shared=shared)
        (hold,) = lock._holds
        self.assertTrue(lock.release())
        self.assertEqual(0, self.descriptors())
        self.assertFalse(hold.is_held())

    def test_a_child_has_a_hold_that_has_no_file(self):
        """As while a waiter is not the first of its process."""
        hold = self.lock()._new_hold(False, None)
        hold.disown()
        self.assertFalse(hold.is_held())

    def test_a_file_is_not_shared_while_its_locks_are_dropped(self):
        lock = self.lock()
        lock.acquire(shared=True)
        shared = []

        def look(descriptor, command, record):
            if record == _file_lock._UNLOCK:
                shared.append(_file_lock._shared_files.get(self.path))
            return fcntl_fcntl(descriptor, command, record)

        fcntl_fcntl = fcntl.fcntl
        with mock.patch('fcntl.fcntl', look):
            self.assertTrue(lock.release())
        self.assertEqual([None], shared)

    def test_files_go_under_the_lock_and_nobody_loses_it(self):
        """Beside threads and processes that share it and that do not."""
        directory = os.path.dirname(self.path)
        counter = os.path.join(directory, 'counter')
        with open(counter, 'w') as stream:
            stream.write('10000')
        processes = [
            lock_process.LockProcess(f'file://{directory}') for _number in '12'
        ]
        here = lock_process._Server(f'file://{directory}')
        self.addCleanup(here._coordinator.stop)
        for process in processes:
            self.addCleanup(process.kill)
            process.ask('storm', 'lock', counter, 100, 3)
        threads = [
            test_shared_locks.Background(here.storm, 'lock', counter, 100, 3)
            for _number in '12'
        ]
        removed = 0
        while not all(thread.ended.is_set() for thread in threads):
            lock = self.lock()
            lock.acquire()
            self.assertTrue(lock.remove())
            removed += 1
        exclusive = 1
        for result in [
            *(thread.result() for thread in threads),
            *(process.answer() for process in processes),
        ]:
            exclusive += result[0]
            self.assertEqual(0, result[1], 'Somebody shared it wrongly')
        with open(counter) as stream:
            self.assertEqual(10000 * exclusive, int(stream.read()))
        self.assertLess(10, removed)

    def test_remove_leaves_the_file_to_those_who_share_it(self):
        locks = self.lock(), self.lock()
        for lock in locks:
            lock.acquire(shared=True)
        for lock in locks:
            self.assertTrue(lock.remove())
            self.assertTrue(os.path.exists(self.path))
        self.assertFalse(lock.remove())

    def test_remove_leaves_a_file_that_is_not_its_own(self):
        lost, held = self.lock(), self.lock()
        lost.acquire()
        os.unlink(self.path)
        held.acquire()
        self.assertFalse(lost.remove())
        self.assertTrue(held.is_still_owner())
        self.assertTrue(held.remove())
        self.assertFalse(os.path.exists(self.path))

    def test_a_file_that_cannot_be_removed_is_released(self):
        lock = self.lock()
        lock.acquire()
        with mock.patch.object(os, 'unlink', side_effect=PermissionError):
            self.assertTrue(lock.remove())
        self.assertTrue(self.is_free())

    # Descriptors

    def descriptors(self):
        found = 0
        for link in glob.glob('/proc/self/fd/*'):
            try:
                found += os.path.samefile(link, self.path)
            except FileNotFoundError:
                continue
        return found

    def test_descriptors_are_closed(self):
        for shared in (False, True):
            lock = self.lock()
            with lock(shared=shared):
                self.assertEqual(1, self.descriptors())
                self.assertFalse(self.lock().acquire(blocking=False))
                self.assertFalse(self.lock().acquire(0.05))
            self.assertEqual(0, self.descriptors())

    def commands(self, shared):
        """Use a lock; return what the kernel is asked for meanwhile."""
        commands = []

        def note(descriptor, command, record):
            commands.append(command)
            return fcntl_fcntl(descriptor, command, record)

        fcntl_fcntl = fcntl.fcntl
        lock = self.lock()
        with mock.patch('fcntl.fcntl', note):
            self.assertTrue(lock.acquire(shared=shared))
            self.assertTrue(lock.release())
        return commands

    @ddt.data(False, True)
    def test_a_lock_without_waiters_takes_few_system_calls(self, shared):
        """To lock the file, to leave the tickets and to unlock it."""
        self.assertEqual([fcntl.F_OFD_SETLK] * 3, self.commands(shared))

    def test_who_joins_those_who_share_sets_no_lock(self):
        """It takes time with each lock that the file has."""
        held = self.lock()
        held.acquire(shared=True)
        self.assertEqual([fcntl.F_OFD_GETLK], self.commands(True))
        self.assertTrue(held.release())

    @ddt.data(False, True)
    def test_locks_are_dropped_once(self, shared):
        """An error in ``__del__`` is told to nobody but this hook."""
        with mock.patch.object(sys, 'unraisablehook') as hook:
            lock = self.lock()
            lock.acquire(shared=shared)
            lock.release()
            del lock
            gc.collect()
        self.assertNotIn('_Locks', str(hook.mock_calls))

    def test_those_who_share_have_one_descriptor(self):
        locks = [self.lock() for _number in range(5)]
        for lock in locks:
            lock.acquire(shared=True)
        self.assertEqual(1, self.descriptors())
        for lock in locks:
            self.assertFalse(self.is_free())
            lock.release()
        self.assertEqual(0, self.descriptors())
        self.assertTrue(self.is_free())

    @ddt.data(False, True)
    def test_a_child_does_not_keep_the_lock_of_a_dead_parent(self, shared):
        process = lock_process.LockProcess(
            f'file://{os.path.dirname(self.path)}'
        )
        self.addCleanup(process.kill)
        self.assertTrue(process.do('acquire', 'a', 'lock', shared, False))
        process.do('fork')
        self.assertFalse(self.is_free())
        process.kill()
        self.assertTrue(self.is_free())

    @ddt.data(False, True)
    def test_a_release_does_not_wait_for_a_child_to_start_a_program(
        self, shared
    ):
        lock = self.lock()
        lock.acquire(shared=shared)
        (stream,) = (hold._file._stream for hold in lock._holds)
        child = os.dup(stream.fileno())
        self.addCleanup(os.close, child)
        lock.release()
        self.assertTrue(self.is_free())

    # Exceptions

    @ddt.data(False, True)
    def test_an_exception_at_any_line_of_a_use_leaves_no_lock(self, shared):
        """As KeyboardInterrupt and GreenletExit come."""

        def use():
            lock = self.lock()
            lock.acquire(shared=shared)
            lock.release()

        lines = 0
        while where := interrupts.interrupt(use, lines, FILES):
            self.assertTrue(self.is_free(), where)
            lines += 1
        self.assertLess(50, lines)

    @ddt.data(False, True)
    def test_an_exception_in_a_wait_leaves_no_ticket(self, shared):
        other = self.lock()
        other.acquire()
        error = KeyboardInterrupt()
        with mock.patch.object(_sharing._Turn, 'wait', side_effect=error):
            self.assertRaises(
                KeyboardInterrupt, self.lock().acquire, shared=shared
            )
        self.assertTrue(other.release())
        self.assertTrue(self.is_free())
        self.assertIsNotNone(error.__traceback__)

    @ddt.data(False, True)
    def test_an_exception_at_any_line_of_sharing_leaves_no_lock(self, wait):
        def use():
            lock = self.lock()
            lock.acquire(0.002, shared=not wait)
            lock.release()

        lines = 0
        other = self.lock()
        other.acquire(shared=True)
        while where := interrupts.interrupt(use, lines, FILES):
            self.assertFalse(_sharing._queues.get(self.path), where)
            self.assertTrue(other.release())
            self.assertTrue(self.is_free(), where)
            other.acquire(shared=True)
            lines += 1
        other.release()
        self.assertLess(50, lines)

    @ddt.data(errno.ENOSPC, errno.EMFILE, errno.EROFS)
    def test_a_file_that_cannot_be_opened_is_an_error(self, number):
        failure = OSError(number, os.strerror(number))
        lock = self.lock()
        with mock.patch.object(os, 'open', side_effect=failure):
            error = self.assertRaises(tooz.ToozError, lock.acquire)
        self.assertIn(self.path, str(error))
        self.assertFalse(lock.acquired)
        self.assertTrue(self.is_free())

    @ddt.data(errno.ENOLCK, errno.EIO)
    def test_a_file_that_cannot_be_locked_is_an_error(self, number):
        failure = OSError(number, os.strerror(number))
        lock = self.lock()
        with mock.patch.object(fcntl, 'fcntl', side_effect=failure):
            self.assertRaises(tooz.ToozError, lock.acquire)
        self.assertFalse(lock.acquired)

    def test_a_directory_is_made(self):
        self.path = os.path.join(self.path, 'b')
        self.assertTrue(self.is_free())

    def test_a_directory_that_another_process_makes_is_used(self):
        self.path = os.path.join(self.path, 'b')
        makedirs = os.makedirs

        def make_it_first(path, **options):
            os.mkdir(path)
            makedirs(path, **options)

        with mock.patch.object(os, 'makedirs', make_it_first):
            self.assertTrue(self.is_free())

    def test_the_umask_says_who_may_use_a_file(self):
        self.addCleanup(os.umask, os.umask(0o007))
        self.assertTrue(self.is_free())
        self.assertEqual(0o660, os.stat(self.path).st_mode & 0o777)
