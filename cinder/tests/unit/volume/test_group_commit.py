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


"""Callers that come while something is made share the next."""

import threading
import time
from unittest import mock

from cinder.tests.unit import test
from cinder.volume import group_commit

PATIENCE = 20
KEY = 'volume'


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError('It did not happen in %d s' % PATIENCE)
        time.sleep(0.01)


class GroupCommitTestCase(test.TestCase):
    """``make`` and the callers are threads, native or of eventlet.

    :ivar made: What ``make`` was called with, in order. It returns how often
        it has been called.
    :ivar may_make: An event, without which no ``make`` returns.
    :ivar results: What callers got, or the error that they got.
    """

    def setUp(self):
        super().setUp()
        self.group = group_commit.GroupCommit()
        self.made = []
        self.discarded = []
        self.results = []
        self.may_make = threading.Event()
        self.may_leave = threading.Event()
        self.may_leave.set()
        self.needed = True
        self.failing = set()
        self.threads = []
        self.addCleanup(self.may_make.set)
        self.addCleanup(self.may_leave.set)

    def make(self, is_shared):
        self.made.append(is_shared)
        number = len(self.made)
        if not self.may_make.wait(PATIENCE):
            raise AssertionError('make() was not let go')
        if number in self.failing:
            raise ValueError(number)
        return number

    def call(self, key=KEY):
        try:
            with self.group.share(key, self.make,
                                  self.discarded.append) as share:
                share.needed = self.needed
                self.results.append(share.result)
                self.may_leave.wait(PATIENCE)
        except ValueError as error:
            self.results.append(error)

    def begin(self, callers, key=KEY):
        """Start callers, and return when all of them wait or make."""
        before = self._joined(key)
        for _ in range(callers):
            thread = threading.Thread(target=self.call, args=(key,))
            self.threads.append(thread)
            thread.start()
        wait_for(lambda: self._joined(key) == before + callers)

    def _joined(self, key):
        # The batch that is made, and the one that waits for it.
        batch = self.group._latest.get(key)
        users = 0
        while batch:
            users += batch.users
            batch = batch.previous
        return users

    def finish(self):
        self.may_make.set()
        for thread in self.threads:
            thread.join(PATIENCE)

    def start_one_that_makes(self, key=KEY):
        made = len(self.made)
        self.begin(1, key)
        wait_for(lambda: len(self.made) == made + 1)

    def test_callers_that_come_during_a_make_share_the_next(self):
        self.start_one_that_makes()
        self.begin(7)
        self.finish()

        self.assertEqual([False, True], self.made)
        self.assertEqual([1] + 7 * [2], sorted(self.results))
        self.assertEqual({}, self.group._latest)

    def test_what_was_begun_before_a_caller_came_is_not_shared(self):
        self.may_make.set()
        self.call()
        self.call()

        self.assertEqual([1, 2], self.results)
        self.assertEqual([False, False], self.made)

    def test_keys_do_not_wait_for_each_other(self):
        self.start_one_that_makes()
        self.start_one_that_makes('another volume')

        self.assertEqual([False, False], self.made)
        self.finish()

    def test_a_failure_is_that_of_the_caller_that_made_it(self):
        self.failing = {1, 2}
        self.start_one_that_makes()
        self.begin(4)
        self.finish()

        failed = [result for result in self.results
                  if isinstance(result, ValueError)]
        self.assertEqual([False, True], self.made[:2])
        self.assertEqual((5, 2), (len(self.results), len(failed)))
        self.assertNotIn(None, self.results)
        self.assertEqual({}, self.group._latest)

    def test_the_last_to_leave_discards_what_it_does_not_need(self):
        self.start_one_that_makes()
        self.may_leave.clear()
        self.begin(1)
        entered, leave = threading.Event(), threading.Event()

        def call():
            with self.group.share(KEY, self.make,
                                  self.discarded.append) as share:
                share.needed = False
                entered.set()
                leave.wait(PATIENCE)

        thread = threading.Thread(target=call)
        thread.start()
        wait_for(lambda: self._joined(KEY) == 3)
        self.may_make.set()
        entered.wait(PATIENCE)
        wait_for(lambda: len(self.results) == 2)
        self.may_leave.set()
        self.finish()
        self.assertEqual([], self.discarded)
        leave.set()
        thread.join(PATIENCE)

        self.assertEqual([2], self.discarded)

    def test_a_caller_that_fails_needs_it_no_more(self):
        self.may_make.set()

        def fail():
            with self.group.share(KEY, self.make, self.discarded.append):
                raise ValueError

        self.assertRaises(ValueError, fail)
        self.assertEqual([1], self.discarded)

    def test_what_the_last_needs_is_kept_though_another_failed(self):
        self.start_one_that_makes()
        self.may_leave.clear()
        self.begin(1)
        failed = []

        def fail():
            try:
                with self.group.share(KEY, self.make, self.discarded.append):
                    raise ValueError
            except ValueError as error:
                failed.append(error)

        thread = threading.Thread(target=fail)
        thread.start()
        wait_for(lambda: self._joined(KEY) == 3)
        self.may_make.set()
        thread.join(PATIENCE)
        self.may_leave.set()
        self.finish()

        self.assertEqual(1, len(failed))
        self.assertEqual([], self.discarded)

    def test_a_caller_that_is_stopped_while_it_waits_leaves(self):
        self.needed = False
        self.start_one_that_makes()
        self.begin(1)
        with mock.patch.object(self.group._latest[KEY].done, 'wait',
                               side_effect=ValueError):
            self.call()
        self.finish()

        self.assertEqual([False, False], self.made)
        self.assertEqual([1, 2], sorted(self.discarded))

    def test_a_caller_that_is_stopped_before_it_makes_leaves(self):
        self.start_one_that_makes()
        with mock.patch.object(self.group._latest[KEY].done, 'wait',
                               side_effect=ValueError):
            self.call()
        self.finish()
        self.call()

        self.assertEqual([False, False], self.made)
        self.assertEqual([1, 2], self.results[1:])
        self.assertEqual({}, self.group._latest)
