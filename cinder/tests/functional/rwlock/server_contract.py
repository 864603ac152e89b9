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

"""The contract on a server that fails, or that cannot be reached.

:class:`ServerContract` is mixed into a test case for one kind of server.
``self.coordinator`` reaches it through a proxy; processes and what
:meth:`stranger` returns reach it directly, as other hosts would.
"""

import statistics

import ddt
import tooz

from cinder.tests.functional.rwlock import server_case
from cinder.tests.unit.rwlock import base
from cinder.tests.unit.rwlock import contract

KINDS = contract.KINDS


@ddt.ddt
class ServerContract(contract.Contract, server_case.ServerTestCase):
    """What every backend with a server promises beyond ``Contract``.

    :cvar ACQUIRE: What the request to acquire a lock has in it.
    :cvar RELEASE: What the request to release a lock has in it.
    :cvar REQUEST_SECONDS: The bound of a request in the coordination URL.
    :cvar SILENT_LOSE: Whether a holder that the server hears nothing of for
        longer than the lease loses its lock.
    :cvar CUT_LOSE: Whether a holder loses its lock with its connection.
    :cvar ROUND_TRIPS: Of an acquire and of a release that nobody is in the
        way of.
    """

    ACQUIRE = None
    RELEASE = None
    REQUEST_SECONDS = 2
    PAUSED_LOSE = True
    SILENT_LOSE = True
    CUT_LOSE = False
    ROUND_TRIPS = {'acquire': 1, 'release': 1}

    def stranger(self):
        """Return a coordinator that reaches the server directly."""
        return self.new_coordinator(self.server.url())

    def attempt(self, function, *args):
        """Call a function in another thread; return what came of it.

        :returns: What it returned, or the ToozError that it raised.
        """
        thread = base.Background(function, *args)
        self.assertEnds(thread)
        if isinstance(thread.result, Exception):
            self.assertIsInstance(thread.result, tooz.ToozError)
            self.assertNotIn('secret', str(thread.result))
        return thread.result

    def assertEnds(self, thread):
        """Assert that a thread that waits for a silent server ends."""
        self.assertTrue(
            thread.ended.wait(max(
                base.PATIENCE, 4 * (self.REQUEST_SECONDS + self.LEASE))),
            'It waits for ever')

    def assertIsFree(self, complaint):
        """Assert that nobody holds the lock any more, after a lease."""
        lock = self.lock('write', self.stranger())
        self.assertTrue(self.acquires_after_lease(lock), complaint)
        self.assertTrue(lock.release())

    def assertWorks(self, coordinator):
        """Assert that locks can be acquired and released, before long."""
        def works():
            results = [
                self.attempt(function) for lock in (
                    self.lock('read', coordinator),
                    self.lock('write', coordinator))
                for function in (lambda: lock.acquire(self.LEASE + 1),
                                 lock.release)]
            return results == [True] * 4
        self.eventually(works, 'It does not work again')

    @ddt.data(*KINDS)
    def test_acquire_and_release_take_no_more_round_trips_than_declared(
            self, kind):
        between, coordinator = self.through_proxy()
        self.assertTrue(self.is_free(kind, coordinator))
        # What is sent at once has to arrive before the first answer.
        for delay in (0.1, 0.3):
            between.delay(delay)
            trips = self._round_trips(kind, between, coordinator)
            if trips == self.ROUND_TRIPS:
                break
        self.assertEqual(self.ROUND_TRIPS, trips)

    def _round_trips(self, kind, between, coordinator):
        """Return the usual number of round trips of each action.

        A heartbeat in between makes a count too high, one that still waits
        for its answer makes it too low.
        """
        trips = {action: [] for action in self.ROUND_TRIPS}
        for _attempt in range(9):
            lock = self.lock(kind, coordinator)
            for action in trips:
                between.trips()
                self.assertTrue(getattr(lock, action)())
                trips[action].append(between.trips())
        return {action: statistics.median(counts)
                for action, counts in trips.items()}

    @ddt.data(*KINDS)
    def test_no_lock_from_a_silent_server(self, kind):
        between, coordinator = self.through_proxy()
        lock = self.lock(kind, coordinator)
        between.silence()
        result = self.attempt(lock.acquire)
        self.assertIsInstance(result, tooz.ToozError)
        self.assertFalse(lock.acquired)
        self.assertFalse(lock.is_still_owner())
        between.hear()
        self.assertIsFree('The failed acquire has left a lock')

    @ddt.data(*KINDS)
    def test_a_silent_server_does_not_stretch_a_bounded_wait(self, kind):
        def silent():
            between, coordinator = self.through_proxy()
            self.assertTrue(self.is_free(kind, coordinator))
            between.silence()
            lock = self.lock(kind, coordinator)
            return lambda: self.assertIsNot(
                True, self.attempt(lock.acquire, 1))

        self.assertKeepsBound(1, silent)

    @ddt.data(*KINDS)
    def test_a_holder_that_is_not_heard_loses_its_lock(self, kind):
        between, coordinator = self.through_proxy()
        lock = self.lock(kind, coordinator)
        self.assertTrue(lock.acquire())
        between.silence()
        write_lock = self.lock('write', self.stranger())
        self.assertIs(self.SILENT_LOSE, self.acquires_after_lease(
            write_lock, self.SILENT_LOSE))
        self.assertIs(False, self.attempt(lock.is_still_owner))
        between.hear()
        self.assertIs(False, self.attempt(lock.release))
        self.assertIs(self.SILENT_LOSE, write_lock.is_still_owner())
        write_lock.release()
        self.assertWorks(coordinator)

    @ddt.data(*KINDS)
    def test_a_release_that_is_not_heard_frees_the_lock(self, kind):
        between, coordinator = self.through_proxy()
        lock = self.lock(kind, coordinator)
        self.assertTrue(lock.acquire())
        between.silence()
        self.assertIs(True, self.attempt(lock.release))
        self.assertFalse(lock.acquired)
        between.hear()
        self.assertIsFree('The lock is left behind')

    @ddt.data(*KINDS)
    def test_a_release_while_the_server_is_away_is_judged_by_the_clock(
            self, kind):
        between, coordinator = self.through_proxy()
        lock = self.lock(kind, coordinator)
        self.assertTrue(lock.acquire())
        between.cut()
        try:
            self.assertIs(not self.CUT_LOSE, self.attempt(lock.release))
        finally:
            between.mend()
        self.assertIsFree('The lock is left behind')

    @ddt.data(*KINDS)
    def test_a_waiter_that_hears_nothing_ends(self, kind):
        held = self.held('write', self.stranger())
        between, coordinator = self.through_proxy()
        lock = self.lock(kind, coordinator)
        waiter = self.waits(lock)
        between.silence()
        self.assertEnds(waiter)
        self.assertIsInstance(waiter.result, tooz.ToozError)
        between.hear()
        self.assertTrue(held.is_still_owner())
        self.assertTrue(held.release())
        self.assertIsFree('The waiter has left a lock')

    @ddt.data(*KINDS)
    def test_a_connection_that_breaks_is_an_error_at_most(self, kind):
        between, coordinator = self.through_proxy()
        lock = self.lock(kind, coordinator)
        between.cut()
        self.assertIsInstance(self.attempt(lock.acquire), tooz.ToozError)
        between.mend()
        self.assertWorks(coordinator)

        self.assertTrue(self.acquires_after_lease(lock))
        between.cut()
        between.mend()
        still_owner = self.attempt(lock.is_still_owner)
        stranger = self.stranger()
        if still_owner is True:
            self.assertFalse(self.is_free('write', stranger))
        self.attempt(lock.release)
        self.assertIsFree('The lock is left behind')

    @ddt.data(*KINDS)
    def test_an_acquire_whose_answer_is_lost_holds_or_leaves_nothing(
            self, kind):
        between, coordinator = self.through_proxy()
        self.assertTrue(self.is_free(kind, coordinator))
        lock = self.lock(kind, coordinator)
        between.lose_answer_to(self.ACQUIRE)
        result = self.attempt(lock.acquire, self.LEASE + 1)
        stranger = self.stranger()
        self.assertEqual(result is True, lock.acquired)
        if lock.acquired:
            self.assertFalse(self.is_free('write', stranger))
            self.assertTrue(lock.release())
        self.assertIsFree('The failed acquire has left a lock')

    @ddt.data(*KINDS)
    def test_a_release_whose_answer_is_lost_frees_the_lock(self, kind):
        between, coordinator = self.through_proxy()
        self.assertTrue(self.is_free(kind, coordinator))
        lock = self.lock(kind, coordinator)
        self.assertTrue(lock.acquire())
        between.lose_answer_to(self.RELEASE)
        self.attempt(lock.release)
        self.assertFalse(lock.acquired)
        self.assertIsFree('The lock is left behind')

    @ddt.data(*KINDS)
    def test_a_restart_of_the_server_deceives_nobody(self, kind):
        holder = self.stranger()
        lock = self.lock(kind, holder)
        self.assertTrue(lock.acquire())
        self.server.restart()
        stranger = self.stranger()
        still_owner = self.attempt(lock.is_still_owner)
        if still_owner is True:
            self.assertFalse(self.is_free('write', stranger))
        self.attempt(lock.release)
        self.assertIsFree('The lock is left behind')
        self.assertWorks(holder)

    @ddt.data(*KINDS)
    def test_a_restart_of_the_server_lets_no_waiter_in_beside_a_holder(
            self, kind):
        holder = self.stranger()
        held = self.lock('write', holder)
        self.assertTrue(held.acquire())
        other = self.stranger()
        lock = self.lock(kind, other)
        waiter = self.waits(lock)
        self.server.restart()
        waiter.ended.wait(2 * contract.GLIMPSE)
        entered = waiter.result is True
        still_owner = self.attempt(held.is_still_owner)
        self.assertFalse(entered and still_owner is True, 'Both hold it')
        self.attempt(held.release)
        self.assertEnds(waiter)
        if waiter.result is True:
            self.assertFalse(self.is_free('write', self.stranger()))
            self.assertTrue(lock.release())
        else:
            self.assertIsInstance(waiter.result, tooz.ToozError)
        self.assertIsFree('The lock is left behind')
        self.assertWorks(other)

    @ddt.data(*KINDS)
    def test_a_server_that_stops_answers_nobody_for_ever(self, kind):
        stranger = self.stranger()
        self.assertTrue(self.is_free(kind, stranger))
        lock = self.lock(kind, stranger)
        try:
            self.server.pause()
            self.assertIsInstance(self.attempt(lock.acquire), tooz.ToozError)
        finally:
            self.server.resume()
        self.assertIsFree('The failed acquire has left a lock')
        self.assertWorks(stranger)
