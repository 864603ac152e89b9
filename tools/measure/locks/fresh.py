# SPDX-License-Identifier: Apache-2.0

"""Acquire and release of a lock that is made for this one use.

That is how Cinder's code uses locks. They come from its coordinator.
"""

import functools
import os
from urllib import parse

import fasteners

from tools.measure import turns

ROUNDS = 60
CALLS = 100


def measure(backend, url, coordinator):
    """Return the ratios to tooz's and fasteners' locks.

    :param backend: not used
    :param str url: the coordination URL, of files
    :param coordinator: Cinder's coordinator of that URL, started
    :returns: dict of ``fresh_read_tooz`` and so on to a ratio
    """
    path = os.path.join(parse.urlsplit(url).path, 'fresh-fasteners')
    makers = {
        'read': lambda: coordinator.get_read_lock('fresh-read'),
        'tooz': lambda: coordinator.get_lock('fresh-tooz'),
        'fasteners':
            lambda: fasteners.InterProcessReaderWriterLock(path).read_lock(),
        'write': lambda: coordinator.get_write_lock('fresh-write'),
    }
    seconds = turns.take_turns(ROUNDS, CALLS, **{
        name: functools.partial(_use, make) for name, make in makers.items()})
    return {f'fresh_{one}_{other}': turns.ratio(seconds[one], seconds[other])
            for one, other in (('read', 'tooz'), ('read', 'fasteners'),
                               ('write', 'tooz'))}


def _use(make):
    with make():
        pass
