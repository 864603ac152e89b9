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

"""The requests of a process to etcd, and the lease that its keys belong to.

All keys of a coordinator belong to one lease, granted at the first acquire
and kept alive with the coordinator's heartbeat. When the process dies or is
cut off, the server ends the lease and deletes the keys. A lock is known to be
held until the time to live has passed since the lease was last asked for.
Whether a lease is lost, is what the server says: then its keys have gone too,
the locks under it are lost, and the next acquire gets a new lease.

When no answer comes to a request, the server may still do what it asked, even
later. Every key can be told by its value, which is unique to one acquire. The
keys of acquires and releases that have failed are deleted with the next
heartbeats, until a whole lease has passed since the server did so for the
first time, since the lease itself lives on with the process.

The watch of etcd3gw has no bound and hides its failures, so this one is made
of a request with a bound.
"""

import contextlib
import threading
import time
import weakref

from oslo_log import log
import requests
from requests import adapters
import tooz
from tooz import coordination

from cinder.rwlock import tooz_internals

LOG = log.getLogger(__name__)

LEAST_TIMEOUT = 0.1
"""Seconds that a request may take although its bound has been reached."""

CONNECTIONS = 100
"""How many connections are kept for reuse, with room for the 64 threads in
which Cinder serves requests. The default of 10 throws away the others."""

_ERRORS = {
    requests.codes.request_timeout: coordination.OperationTimedOut,
    requests.codes.service_unavailable: coordination.ToozConnectionError,
    requests.codes.gateway_timeout: coordination.OperationTimedOut,
}


class LeaseNotFound(tooz.ToozError):
    """The server knows the lease of a request no more."""


class Lease:
    """A lease that the server has granted to this process.

    :param int lease_id: By what the server knows it.
    :param float valid_until: The time by ``time.monotonic()`` until which
        the server keeps it for certain.
    :ivar locks: The locks held under it, by their ``id()``.
    :ivar abandoned: The keys that may stand on the server although nobody
        holds a lock by them -> when the server first said that they do not.
    """

    def __init__(self, lease_id, valid_until):
        self.id = lease_id
        self.valid_until = valid_until
        self.lost = False
        self.locks = weakref.WeakValueDictionary()
        self.abandoned = {}

    def seconds_left(self):
        """Return for how long it is valid, at most 0 if it may have ended."""
        return 0 if self.lost else self.valid_until - time.monotonic()


class Key:
    """A key on the server, as one acquire writes it.

    :param str key: The key in base64.
    :param str value: Its value in base64, unique to the acquire.
    :ivar lease: The lease that it is or was last written under.
    """

    def __init__(self, key, value):
        self.key = key
        self.value = value
        self.lease = None

    def put(self):
        """Return the operation that writes it."""
        return {'request_put': {'key': self.key, 'value': self.value,
                                'lease': self.lease.id}}


class Session:
    """The requests of this process to etcd and the lease they are under.

    :param coordinator: The started tooz coordinator.
    """

    def __init__(self, coordinator):
        self._client = coordinator.client
        http = self._client.session
        http.mount(self._client.protocol + '://',
                   adapters.HTTPAdapter(pool_maxsize=CONNECTIONS))
        self._settings = http.merge_environment_settings(
            self._client.base_url, {}, None, None, None)
        self._prepared = {}
        self._seconds = coordinator.lock_timeout
        self._lease = None
        self._mutex = threading.Lock()
        tooz_internals.beat_with(coordinator, self.heartbeat)

    def ask(self, path, request, timeout=None):
        """Send a request and return the answer.

        :param float timeout: Its bound in seconds; default is tooz's.
        :raises tooz.ToozError: It failed. The server may have done it.
        """
        response = self._post(path, request, timeout or self._client.timeout)
        try:
            return response.json()
        except ValueError as error:
            raise tooz.ToozError('The answer of etcd at %s is not JSON' %
                                 self._client.base_url) from error

    def transact(self, compare, success, failure, timeout=None):
        """Run a transaction.

        :returns: Whether it succeeded, the answers to its operations and the
            revision of the server.
        :raises tooz.ToozError: It failed. The server may have done it.
        """
        answer = self.ask('/kv/txn', {'compare': compare, 'success': success,
                                      'failure': failure}, timeout)
        return (answer.get('succeeded', False),
                [operation.get('response_range')
                 for operation in answer.get('responses', ())],
                int(answer['header']['revision']))

    def delete(self, key, timeout=None):
        """Delete a key if it stands there with our value.

        :returns: Whether it did.
        :raises tooz.ToozError: It failed. The key may be there or not.
        """
        compare = {'key': key.key, 'value': key.value,
                   'target': 'VALUE', 'result': 'EQUAL'}
        delete = {'request_delete_range': {'key': key.key}}
        return self.transact([compare], [delete], [], timeout)[0]

    def watch(self, keys, revision, deletions, seconds):
        """Wait until so many of some keys are deleted, or for so long.

        :returns: Whether they are deleted.
        :raises Exception: The watch failed, in one of many ways.
        """
        end = time.monotonic() + seconds
        request = {'create_request': dict(keys, start_revision=revision + 1,
                                          filters=['NOPUT'])}
        with contextlib.closing(self._post('/watch', request, seconds,
                                           stream=True)) as response:
            lines = response.iter_lines()
            while deletions > 0 and time.monotonic() < end:
                response.raw.connection.sock.settimeout(
                    max(end - time.monotonic(), 0.001))
                deletions -= next(lines).count(b'"DELETE"')
        return deletions <= 0

    def timeout(self, deadline):
        """Return the bound in seconds of a request.

        :param deadline: As for :meth:`cinder.rwlock.base.Lock._try_acquire`.
        """
        if deadline is None:
            return self._client.timeout
        return min(max(deadline - time.monotonic(), LEAST_TIMEOUT),
                   self._client.timeout)

    def lease(self, deadline):
        """Return a lease that is valid.

        :raises tooz.ToozError: The server does not give one.
        """
        lease = self._lease
        if lease is not None and lease.seconds_left() > 0:
            return lease
        if not self._mutex.acquire(timeout=self.timeout(deadline)):
            raise coordination.OperationTimedOut(
                'No lease from etcd at %s yet' % self._client.base_url)
        try:
            lease = self._lease
            if lease is not None and lease.seconds_left() <= 0:
                self._refresh(lease, self.timeout(deadline))
            if lease is None or lease.lost:
                lease = self._lease = self._grant(self.timeout(deadline))
            return lease
        finally:
            self._mutex.release()

    def lose(self, lease):
        """Take a lease for lost, with all locks under it."""
        lease.lost = True
        if self._lease is lease:
            self._lease = None
        for reference in lease.locks.valuerefs():
            lock = reference()
            if lock is not None:
                lock._tell_lost()

    def heartbeat(self):
        """Keep the lease alive and delete what was abandoned under it."""
        lease = self._lease
        if lease is not None:
            self._refresh(lease)
            self._delete_abandoned(lease)

    def _post(self, path, request, timeout, stream=False):
        url = self._client.base_url
        try:
            response = self._client.session.send(
                self._prepare(path, request), timeout=timeout,
                **dict(self._settings, stream=stream))
        except requests.Timeout as error:
            raise coordination.OperationTimedOut(
                'No answer from etcd at %s within %.3g s' %
                (url, timeout)) from error
        except requests.RequestException as error:
            raise coordination.ToozConnectionError(
                'etcd at %s cannot be reached: %s' % (url, error)) from error
        if response.ok:
            return response
        kind = _ERRORS.get(response.status_code, tooz.ToozError)
        if 'lease not found' in response.text:
            kind = LeaseNotFound
        raise kind('etcd at %s has refused a request: %s' %
                   (url, response.text.strip()))

    def _prepare(self, path, request):
        """Return what to send, by a model, which saves a quarter of it all."""
        if path not in self._prepared:
            self._prepared[path] = self._client.session.prepare_request(
                requests.Request('POST', self._client.get_url(path), json={}))
        prepared = self._prepared[path].copy()
        prepared.prepare_body(None, None, request)
        return prepared

    def _grant(self, timeout):
        began = time.monotonic()
        answer = self.ask('/lease/grant', {'TTL': self._seconds, 'ID': 0},
                          timeout)
        return Lease(answer['ID'], began + int(answer['TTL']))

    def _refresh(self, lease, timeout=None):
        began = time.monotonic()
        answer = self.ask('/lease/keepalive', {'ID': lease.id}, timeout)
        seconds = int(answer['result'].get('TTL', 0))
        if seconds > 0:
            lease.valid_until = began + seconds
        else:
            self.lose(lease)

    def _delete_abandoned(self, lease):
        for key, deleted in list(lease.abandoned.items()):
            try:
                self.delete(key, self._seconds / 4)
            except tooz.ToozError as error:
                LOG.warning('What a failed request has left on the server '
                            'cannot be deleted yet: %s', error)
                return
            now = time.monotonic()
            if deleted is None:
                lease.abandoned[key] = now
            elif now - deleted > self._seconds:
                del lease.abandoned[key]
