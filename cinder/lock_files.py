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

"""The files that locks are on, with ``file://`` coordination."""

import contextlib
import os
import tempfile


def make(path):
    """Make a lock file, unless it exists.

    Services that run as different users, such as cinder-backup as root, share
    the files of a directory. So the permissions of a file follow those of its
    directory, whatever the umask is: who may write into the directory may
    lock the file. If root makes it, it belongs to the directory's owner. It
    appears with its permissions, so nobody finds it without them.

    :param str path: Where it has to stand.
    :raises OSError: It cannot be made.
    """
    if os.path.lexists(path):
        return
    directory = os.path.dirname(path)
    status = os.stat(directory)
    writers = status.st_mode & 0o222
    fd, new_path = tempfile.mkstemp(dir=directory, prefix='.')
    try:
        with contextlib.suppress(PermissionError):
            os.fchmod(fd, writers << 1 | writers)
            os.fchown(fd, -1 if os.geteuid() else status.st_uid,
                      status.st_gid)
        with contextlib.suppress(FileExistsError):
            os.link(new_path, path)
    finally:
        os.close(fd)
        os.unlink(new_path)
