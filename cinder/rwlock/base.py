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

"""What the locks of every backend have in common."""

import abc

from tooz import coordination


class Lock(abc.ABC):
    """A read or write lock, used as tooz's locks are.

    :param str name: The name of the lock, for log and error messages.
    :ivar bool acquired: Whether it was acquired and not released since.
    """

    def __init__(self, name):
        self.name = name
        self.acquired = False

    @abc.abstractmethod
    def acquire(self, blocking=True):
        """Acquire the lock.

        :param blocking: True waits without a bound, False does not wait, a
            number is the bound of the wait in seconds.
        :returns: True if the lock is held now, False if it is not.
        :raises tooz.ToozError: The backend failed; the lock is not held.
        :raises RuntimeError: This lock is acquired already, or the calling
            thread would wait for a lock that it holds itself.
        """

    @abc.abstractmethod
    def release(self):
        """Release the lock.

        :returns: True if the lock was held until now, False if it was not
            acquired or has been lost.
        """

    @abc.abstractmethod
    def is_still_owner(self):
        """Return whether the lock is acquired and has not been lost."""

    def __enter__(self):
        if not self.acquire():
            raise coordination.LockAcquireFailed(
                'Lock %s was not acquired' % self.name)
        return self

    def __exit__(self, *exception):
        self.release()
