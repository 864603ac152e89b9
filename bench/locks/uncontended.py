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

"""Acquire and release of a lock that nobody else wants."""

import statistics
import timeit

from bench.locks.contenders import contenders
from bench import turns

ROUNDS = 30
SECONDS = 0.02
"""About how long tooz's lock is used in each round; the others as often."""


def measure(backend, url, coordinator):
    """Return the milliseconds of each lock and the ratios to the peers.

    :param backend: a bench.locks.backends.Backend
    :param url: the coordination URL of its server
    :param coordinator: Cinder's coordinator of that URL, started
    """
    with contenders(url, coordinator) as locks:
        actions = {name: _use(lock) for name, lock in locks.items()}
        actions['tooz']()
        once = timeit.timeit(actions['tooz'], number=1)
        seconds = turns.take_turns(ROUNDS, max(10, round(SECONDS / once)),
                                   **actions)
    values = {name + '_ms': 1000 * statistics.median(timings)
              for name, timings in seconds.items()}
    for kind, peer in backend.ratios:
        values['%s_%s' % (kind, peer)] = turns.ratio(seconds[kind],
                                                     seconds[peer])
    return values


def _use(lock):
    def use():
        lock.acquire()
        lock.release()

    return use
