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

"""Share what takes time to make, such as a snapshot of a volume.

Databases write the log of many transactions at once: while one write runs,
all that want to commit wait for the next one, which is for all of them. This
is called group commit. Here, callers that come while something is made for a
key wait, and share what is made next. So each caller gets something that was
begun after the caller came, nobody waits for more than two, and many callers
at once need two or three instead of one each.

Callers of one process share. They wait in the threads, native or of eventlet,
that call; what is made may run in another thread.
"""

import contextlib
import threading


class Share:
    """A caller's share of what was made.

    :ivar result: What was made.
    :ivar bool needed: Whether it must be kept when all callers have left. A
        caller that has no more need of it sets this to False.
    """

    def __init__(self, result):
        self.result = result
        self.needed = True


class _Batch:
    """Callers that share.

    :ivar previous: The batch to wait for, or None.
    :ivar bool open: Whether more callers can join.
    :ivar int users: How many callers have joined and not left.
    :ivar done: An event: it was made, or could not be.
    :ivar bool made: Whether it was made.
    :ivar result: What was made.
    """

    def __init__(self, previous):
        self.previous = previous
        self.open = True
        self.users = 0
        self.done = threading.Event()
        self.made = False
        self.result = None


class GroupCommit:
    """Callers that share what is made for the same key."""

    def __init__(self):
        self._lock = threading.Lock()
        self._latest = {}

    @contextlib.contextmanager
    def share(self, key, make, discard):
        """Share what is made for a key with others that come now.

        One of those who share calls ``make``. If that fails, it fails for
        this one alone, and the others try again.

        :param key: Anything hashable.
        :param make: Called with one bool, whether several callers share.
            Returns the result.
        :param discard: Called with the result when the last caller leaves, if
            this one does not need it, or ends with an exception.
        :returns: A context manager with a :class:`Share`.
        :raises Exception: That of ``make``.
        """
        batch = self._join(key, make, discard)
        share = Share(batch.result)
        try:
            yield share
        except BaseException:
            share.needed = False
            raise
        finally:
            self._leave(batch, share.needed, discard)

    def _join(self, key, make, discard):
        """Return a batch for which the result was made, with one user more."""
        while True:
            with self._lock:
                batch = self._latest.get(key)
                is_first = batch is None or not batch.open
                if is_first:
                    batch = self._latest[key] = _Batch(previous=batch)
                batch.users += 1
            if is_first:
                self._make(key, batch, make)
                return batch
            try:
                batch.done.wait()
            except BaseException:
                self._leave(batch, False, discard)
                raise
            if batch.made:
                return batch

    def _leave(self, batch, needed, discard):
        with self._lock:
            batch.users -= 1
            is_last = batch.users == 0
        if is_last and batch.made and not needed:
            discard(batch.result)

    def _make(self, key, batch, make):
        try:
            if batch.previous:
                batch.previous.done.wait()
            with self._lock:
                batch.open = False
                is_shared = batch.users > 1
            batch.result = make(is_shared)
            batch.made = True
        finally:
            with self._lock:
                batch.open = False
                batch.previous = None
                if self._latest.get(key) is batch:
                    del self._latest[key]
            batch.done.set()
