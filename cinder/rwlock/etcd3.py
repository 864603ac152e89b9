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

"""Read and write locks on etcd, over the client of tooz's etcd3gw driver.

A lock is held by a key that stands on the server.

* A reader writes a key of its own under a prefix that belongs to the name,
  in a transaction that does so only if there is no writer's key.
* A writer writes the writer's key, in a transaction that does so only if
  there is none, and counts the readers in the same transaction. With no
  reader it holds the lock. Otherwise its key keeps later readers out while
  it waits until the readers before it have gone.

Acquire and release are one request each if nobody is in the way. The writer's
key is the one that tooz's exclusive lock uses, so an older Cinder's lock and
a write lock exclude each other, and the former keeps readers out. An older
Cinder does not see readers: it and a read lock do not exclude each other.

All keys of a coordinator belong to one lease; see
:mod:`cinder.rwlock.etcd3_session` for how it is kept, when it is lost, and
what becomes of keys whose request was never answered. A writer that waited
under a lease that is lost has lost its place and writes its key anew.

A waiter watches the keys that are in its way, from the revision at which it
was refused, so it misses nothing. The watch is a hint: if it fails or says
nothing, the waiter asks again after its pause. It ends when all that were in
the way have gone, so a thousand readers cost a writer one more question.
Between the waiters of several processes there is no order until one of them
has written the writer's key.
"""

import base64
import time
from urllib import parse
import uuid

from oslo_log import log
import tooz
from tooz.drivers import etcd3gw

from cinder.rwlock import base
from cinder.rwlock import etcd3_session

LOG = log.getLogger(__name__)

READERS = '/cinder/readers/'
"""What the keys of readers begin with; the quoted name of the lock follows."""


class _Lock(base.Lock):
    """What read and write locks do alike.

    :param session: The Session of the coordinator.
    :param bytes name: The name as tooz gets it.
    :param str purpose: What the lock is held for.
    """

    FIRST_PAUSE = 0.1
    LONGEST_PAUSE = 1

    def __init__(self, session, name, purpose):
        super().__init__(name.decode(), (id(session), name), purpose)
        self._session = session
        self._mine = None
        self._is_unanswered = False
        self._in_the_way = None
        prefix = READERS + parse.quote(name, safe='')
        self._readers_prefix = prefix + '/'
        self._readers = {'key': _encode(prefix + '/'),
                         'range_end': _encode(prefix + '0')}
        self._writer = {
            'key': _encode(etcd3gw.Etcd3Lock.LOCK_PREFIX + name)}
        self._no_writer = dict(self._writer, target='CREATE', result='EQUAL',
                               create_revision=0)

    def is_still_owner(self):
        mine = self._mine
        if not self.acquired or mine is None:
            return False
        held = self._is_kept(mine)
        if not held:
            self._tell_lost()
        return held

    def _is_kept(self, mine):
        seconds = mine.lease.seconds_left()
        if seconds <= 0:
            return False
        try:
            answer = self._session.ask(
                '/kv/range', {'key': mine.key},
                min(seconds, self._session.timeout(None)))
        except tooz.ToozError:
            LOG.debug('The %s lock %s is held by the clock: the server '
                      'does not say', self.kind, self.name)
        else:
            if mine.value not in _values(answer):
                return False
        return mine.lease.seconds_left() > 0

    def _try_acquire(self, deadline):
        if self._mine is None:
            self._mine = self._new_key()
        mine = self._mine
        mine.lease = self._session.lease(deadline)
        try:
            held = self._ask(mine, deadline)
        except etcd3_session.LeaseNotFound:
            self._session.lose(mine.lease)
            mine.lease = self._session.lease(deadline)
            held = self._ask(mine, deadline)
        if held and mine.lease.seconds_left() <= 0:
            # The answer came so late that somebody else may hold it now.
            self._is_unanswered = True
            self._give_up()
            return False
        if held:
            mine.lease.locks[id(self)] = self
        return held

    def _new_key(self):
        """Return the key of this acquire, not written yet."""
        raise NotImplementedError

    def _ask(self, mine, deadline):
        """Ask the server once for the lock.

        It sets ``_in_the_way`` if the lock is not free, and forgets ``_mine``
        if that is not on the server then.

        :returns: Whether the server has given the lock.
        :raises tooz.ToozError: The server failed.
        """
        raise NotImplementedError

    def _transact(self, success, failure, deadline):
        """Run a transaction that succeeds if there is no writer's key."""
        self._is_unanswered = True
        answer = self._session.transact([self._no_writer], success, failure,
                                        self._session.timeout(deadline))
        self._is_unanswered = False
        return answer

    def _value(self, unique):
        return _encode('%s %s' % (self.owner(), unique))

    def _give_up(self):
        mine, self._mine = self._mine, None
        is_unanswered, self._is_unanswered = self._is_unanswered, False
        if mine is None or mine.lease is None:
            return
        if not is_unanswered:
            try:
                self._session.delete(mine, etcd3_session.LEAST_TIMEOUT)
                return
            except tooz.ToozError as error:
                LOG.debug('The wait for the %s lock %s ends with the next '
                          'heartbeat: %s', self.kind, self.name, error)
        mine.lease.abandoned[mine] = None

    def _is_held_by_clock(self):
        return self._mine.lease.seconds_left() > 0

    def _abandon(self):
        self._mine.lease.abandoned[self._mine] = None

    def _release(self):
        mine, self._mine = self._mine, None
        mine.lease.locks.pop(id(self), None)
        try:
            return self._session.delete(mine)
        except BaseException:
            mine.lease.abandoned[mine] = None
            raise

    def _pause(self, turn, seconds):
        end = time.monotonic() + seconds
        try:
            if self._session.watch(*self._in_the_way, seconds):
                return
        except Exception as error:
            LOG.debug('No watch for the %s lock %s: %s',
                      self.kind, self.name, error)
        turn.wait(max(end - time.monotonic(), 0))

    def _holders(self):
        answers = self._session.transact(
            [], [{'request_range': keys}
                 for keys in (self._writer, self._readers)], [])[1]
        return [_owner(value) for answer in answers
                for value in _values(answer)
                if self._mine is None or value != self._mine.value]


class ReadLock(_Lock):
    """The read lock of one name. See the module for the algorithm."""

    kind = 'read'

    def _new_key(self):
        unique = uuid.uuid4().hex
        return etcd3_session.Key(_encode(self._readers_prefix + unique),
                                 self._value(unique))

    def _ask(self, mine, deadline):
        held, _answers, revision = self._transact(
            [mine.put()], [], deadline)
        if not held:
            self._mine = None
            self._in_the_way = (self._writer, revision, 1)
        return held


class WriteLock(_Lock):
    """The write lock of one name. See the module for the algorithm."""

    kind = 'write'

    def _new_key(self):
        return etcd3_session.Key(self._writer['key'],
                                 self._value(uuid.uuid4().hex))

    def _ask(self, mine, deadline):
        count = {'request_range': dict(self._readers, count_only=True)}
        written, answers, revision = self._transact(
            [mine.put(), count],
            [{'request_range': self._writer}, count], deadline)
        if not written and mine.value not in _values(answers[0]):
            self._mine = None
            self._in_the_way = (self._writer, revision, 1)
            return False
        readers = int(answers[1].get('count', 0))
        self._in_the_way = (self._readers, revision, readers)
        return not readers


class Backend(base.Backend):
    """Locks on the etcd server of a coordinator.

    :param str url: The coordination URL, not looked at.
    :param coordinator: The started tooz coordinator.
    :raises tooz.NotImplemented: tooz has changed too much.
    """

    READ_LOCK = ReadLock
    WRITE_LOCK = WriteLock

    def __init__(self, url, coordinator):
        self._session = etcd3_session.Session(coordinator)

    def _lock(self, lock_class, name, purpose):
        return lock_class(self._session, name, purpose)


def _encode(text):
    data = text.encode() if isinstance(text, str) else text
    return base64.b64encode(data).decode()


def _values(answer):
    """Return the values of the keys in the answer to a range request."""
    return [found['value'] for found in answer.get('kvs', ())]


def _owner(value):
    """Return who has written a key, by its value."""
    try:
        return base64.b64decode(value).decode().rpartition(' ')[0]
    except UnicodeDecodeError:
        return 'the exclusive lock of an older Cinder'
