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

"""Reader-writer locks for Cinder's coordinator.

Any number of readers hold the read lock of a name together: in one process,
in many, on many hosts. A writer holds the write lock of a name alone. Cinder
takes the read lock of a source for every create from it and the write lock
to delete it, so creates run in parallel and none loses its source.

What every backend promises:

* First come, first served between readers and a writer. A reader that
  arrives after a waiting writer waits for it, so no stream of readers
  starves a writer, and a reader that came before a writer is not overtaken.
* ``acquire(blocking)`` returns True when the lock is held and False when it
  is not. It raises when the backend fails, and then nothing is held.
  ``blocking`` bounds the whole wait: True has no bound, False never waits, a
  number is a bound in seconds. A wait that ends while a request has no answer
  yet is no failure of the backend: the lock is not held. A waiter that gives
  up or dies leaves nothing behind that blocks others.
* A holder that dies frees its lock: at once where the kernel or a connection
  tells, after a lease otherwise.
* A lock can be lost while it is held. Then ``is_still_owner()`` is False and
  so is what ``release()`` returns, and a ``with`` statement raises LockLost
  at its end.
* A backend that does not answer for a shorter time than a lease loses no
  lock: until it answers, the local clock decides. Neither ``release()`` nor
  ``is_still_owner()`` raises for a failure of the backend.
* The locks are not re-entrant and a read lock does not become a write lock.
  A thread (or greenthread) that would wait for itself gets an error instead,
  where that can be seen. The thread that acquires a lock counts as its holder
  until the release.

A backend is a module of this package with a class ``Backend``, made once for
each started coordinator; see :class:`cinder.rwlock.base.Backend`. The names
of locks are those of tooz, so a read or write lock and tooz's exclusive lock
of the same name, which an older Cinder takes, exclude each other where the
backend's module says so. Where a backend has no shared locks, both kinds are
tooz's exclusive lock: correct, but creates from one source run one at a time.
"""

import importlib
import importlib.util

from oslo_log import log
import tooz

LOG = log.getLogger(__name__)

MODULES = {
    'etcd3+http': 'cinder.rwlock.etcd3',
    'etcd3+https': 'cinder.rwlock.etcd3',
    'file': 'cinder.rwlock.file',
    'kazoo': 'cinder.rwlock.zookeeper',
    'postgresql': 'cinder.rwlock.postgresql',
    'redis': 'cinder.rwlock.redis',
    'zookeeper': 'cinder.rwlock.zookeeper',
}
"""Scheme of a coordination URL -> module of its native backend."""


def get_backend(url, coordinator):
    """Return the backend of read and write locks for a coordination URL.

    :param str url: The ``[coordination] backend_url``. Only its scheme is
        ever logged, since the rest may hold a password.
    :param coordinator: The started tooz coordinator of that URL.
    :returns: A :class:`cinder.rwlock.base.Backend`.
    """
    scheme = url.partition(':')[0].lower()
    module = MODULES.get(scheme)
    try:
        if module and importlib.util.find_spec(module):
            return importlib.import_module(module).Backend(url, coordinator)
    except tooz.NotImplemented as reason:
        LOG.info('No read locks on "%s": %s', scheme, reason)
    LOG.warning('The coordination backend "%s" has no shared locks here: '
                'volumes are created from one source one at a time.', scheme)
    return importlib.import_module('cinder.rwlock.exclusive').Backend(
        url, coordinator)
