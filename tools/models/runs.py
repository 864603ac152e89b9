# SPDX-License-Identifier: Apache-2.0

"""The searches of the models, and what each one must find."""

import re
from typing import NamedTuple

ALONE = 'an exclusive lock is beside another lock'
KEPT = 'a holder that renews in time loses its lock'
ALL_FREE = 'something is left that blocks'
IN_TURN = 'a waiter is overtaken by more than were in front of it'
STARVED = 'a waiter that does not give up never gets its lock'

VIOLATIONS = {
    r'assertion violated .*\balone\b': ALONE,
    r'assertion violated .*\bkept\b': KEPT,
    r'assertion violated .*\ball_free\b': ALL_FREE,
    r'assertion violated .*\bin_turn\b': IN_TURN,
    r'acceptance cycle': STARVED,
    r'pan:\d+: (.*)': 'another error than those that the model looks for',
}
"""What a search prints -> the property that is violated."""


def violated(output):
    """Tell what a search has found.

    :param str output: what it has printed
    :returns: the property, empty if all of them hold
    :rtype: str
    """
    return next((name for pattern, name in VIOLATIONS.items()
                 if re.search(pattern, output)), '')


class Run(NamedTuple):
    """One search."""

    name: str

    model: str
    """The file without its suffix."""

    defines: str
    """The macros, with their values."""

    claim: str = ''
    """The LTL formula for liveness, under weak fairness; else the assertions
    are checked."""

    fails: str = ''
    """The property that it must violate, if it is damaged."""


_JOINING = 'CLIENTS=2 WRITERS=0 FAULTY=1 DEATH OLDER'

RUNS = [
    Run('redis-older', 'redis', 'CLIENTS=3 OLDER'),
    Run('redis-faulty-writer', 'redis', 'CLIENTS=2 FAULTY=0 OLDER'),
    Run('redis-faulty-reader', 'redis', 'CLIENTS=2 FAULTY=1 OLDER'),
    Run('redis-live', 'redis', 'CLIENTS=3 LIVE', 'not_starved'),
    Run('redis-live-writers', 'redis', 'CLIENTS=3 WRITERS=2 LIVE',
        'not_starved'),
    Run('etcd3gw-death', 'etcd3gw', 'CLIENTS=3 DEATH OLDER'),
    Run('etcd3gw-faulty-writer', 'etcd3gw', 'CLIENTS=2 FAULTY=0 OLDER'),
    Run('etcd3gw-faulty-reader', 'etcd3gw', 'CLIENTS=2 FAULTY=1 OLDER'),
    Run('etcd3gw-joining', 'etcd3gw', _JOINING),
    Run('etcd3gw-live', 'etcd3gw', 'CLIENTS=3 LIVE DEATH', 'not_starved'),
    Run('file', 'file', 'NT=3'),
    Run('file-live', 'file', 'NT=3 FOREVER', 'not_starved'),
    # Damaged.
    Run('etcd3gw-no-key', 'etcd3gw', 'CLIENTS=2 OLDER NO_KEY', fails=ALONE),
    Run('etcd3gw-no-compare', 'etcd3gw', 'CLIENTS=3 OLDER NO_COMPARE',
        fails=ALONE),
    Run('etcd3gw-keep-lone', 'etcd3gw', f'{_JOINING} KEEP_LONE', fails=ALONE),
    Run('etcd3gw-no-keep', 'etcd3gw', f'{_JOINING} NO_KEEP', fails=ALONE),
    Run('etcd3gw-no-renewal', 'etcd3gw', f'{_JOINING} NO_RENEWAL',
        fails=ALONE),
    Run('etcd3gw-no-guard', 'etcd3gw', 'CLIENTS=2 FAULTY=1 NO_GUARD',
        fails=ALL_FREE),
    Run('etcd3gw-no-free', 'etcd3gw', 'CLIENTS=2 FAULTY=1 NO_FREE',
        fails=ALL_FREE),
    Run('etcd3gw-no-tickets', 'etcd3gw', 'CLIENTS=3 LIVE NO_TICKETS',
        'not_starved', fails=IN_TURN),
    Run('file-no-count', 'file', 'NT=3 NO_COUNT', fails=ALONE),
    Run('file-classic', 'file', 'NT=3 CLASSIC', fails=ALONE),
    Run('file-no-name', 'file', 'NT=3 REMOVE NO_NAME', fails=ALONE),
    Run('file-no-place', 'file', 'NT=3 NO_PLACE', fails=ALONE),
    Run('file-no-look', 'file', 'NT=3 FOREVER NO_LOOK', 'not_starved',
        fails=STARVED),
    Run('redis-no-key', 'redis', 'CLIENTS=2 OLDER NO_KEY', fails=ALONE),
    Run('redis-first-leaves', 'redis', 'CLIENTS=3 OLDER FIRST_LEAVES',
        fails=KEPT),
    Run('redis-no-compare', 'redis', 'CLIENTS=2 FAULTY=0 NO_COMPARE',
        fails=KEPT),
    Run('redis-late-answer', 'redis', 'CLIENTS=2 FAULTY=1 LATE_ANSWER',
        fails=ALONE),
    Run('redis-no-expiry', 'redis', 'CLIENTS=2 NO_EXPIRY', fails=ALL_FREE),
    Run('redis-no-queue', 'redis', 'CLIENTS=3 LIVE NO_QUEUE', 'not_starved',
        fails=IN_TURN),
]
