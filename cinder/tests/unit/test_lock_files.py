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

import fcntl
import os
import stat
from unittest import mock

import ddt
import fixtures
import testtools

from cinder import coordination
from cinder import lock_files
from cinder.tests.unit import test

NOBODY = 65534


@ddt.ddt
class LockFilesTestCase(test.TestCase):
    """Lock files have the permissions of their directory."""

    MOCK_TOOZ = False

    def setUp(self):
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.directory, 'cinder-name')

    def umask(self, mask):
        self.addCleanup(os.umask, os.umask(mask))

    def permissions(self):
        return stat.S_IMODE(os.stat(self.path).st_mode)

    @ddt.data((0o700, 0o600), (0o755, 0o600), (0o775, 0o660),
              (0o2770, 0o660), (0o1777, 0o666))
    @ddt.unpack
    def test_who_may_write_into_the_directory_may_lock(self, directory, file):
        for mask in (0o022, 0o077, 0):
            self.umask(mask)
            os.chmod(self.directory, directory)
            lock_files.make(self.path)
            self.assertEqual(file, self.permissions())
            os.unlink(self.path)

    def test_tooz_gets_such_a_file(self):
        coordination.COORDINATOR.stop()
        self.override_config('backend_url', 'file://' + self.directory,
                             group='coordination')
        coordination.COORDINATOR.start()
        os.chmod(self.directory, 0o770)
        self.umask(0o077)
        with coordination.COORDINATOR.get_lock('name'):
            self.assertEqual(0o660, self.permissions())

    def test_one_that_exists_stays(self):
        lock_files.make(self.path)
        os.chmod(self.path, 0o640)
        inode = os.stat(self.path).st_ino
        with mock.patch('tempfile.mkstemp') as make:
            lock_files.make(self.path)
        make.assert_not_called()
        self.assertEqual(inode, os.stat(self.path).st_ino)
        self.assertEqual(0o640, self.permissions())
        self.assertEqual(['cinder-name'], os.listdir(self.directory))

    @ddt.data((0, 1001), (1000, -1))
    @ddt.unpack
    def test_root_gives_it_to_the_owner_of_the_directory(self, user, owner):
        status = mock.Mock(st_mode=0o40755, st_uid=1001, st_gid=1002)
        with (mock.patch.object(os, 'geteuid', return_value=user),
                mock.patch.object(os, 'stat', return_value=status),
                mock.patch.object(os, 'fchown') as chown):
            lock_files.make(self.path)
        chown.assert_called_once_with(mock.ANY, owner, 1002)

    def test_a_maker_who_cannot_give_it_away_makes_it(self):
        with mock.patch.object(os, 'fchown', side_effect=PermissionError):
            lock_files.make(self.path)
        self.assertEqual(['cinder-name'], os.listdir(self.directory))

    @testtools.skipIf(os.geteuid(), 'Only root can become another user')
    @ddt.data((NOBODY, 0, 0o755), (0, NOBODY, 0o770), (0, 0, 0o777))
    @ddt.unpack
    def test_another_user_locks_and_removes_it(self, user, group, mode):
        # Those above it are closed to others.
        directory = '/tmp/' + os.path.basename(self.directory) + '-locks'
        os.mkdir(directory)
        self.addCleanup(os.rmdir, directory)
        os.chown(directory, user, group)
        os.chmod(directory, mode)
        path = os.path.join(directory, 'cinder-name')
        self.umask(0o022)
        lock_files.make(path)
        child = os.fork()
        if not child:
            try:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                with open(path, 'r+b') as lock_file:
                    fcntl.lockf(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(path)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        self.assertEqual([], os.listdir(directory))
