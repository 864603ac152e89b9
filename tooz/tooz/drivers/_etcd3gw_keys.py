#
# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The keys of the etcd3gw driver's locks, and what their values tell.

=======================================  ====================================
``/tooz/locks<name>``                    stands while anybody has the lock, in
                                         an older tooz as well
``/tooz/lock_owners/<name>/shared/``     one key for each who shares it
``/tooz/lock_owners/<name>/waits/``      ``exclusive/`` and ``shared/``, one
                                         key for each who waits
=======================================  ====================================

In the last two, the name is quoted, so that it has no slash.
"""

from __future__ import annotations

import base64
import datetime
import json
from urllib import parse

from tooz.drivers import _etcd3gw_gateway as etcd
from tooz.drivers._etcd3gw_gateway import Json
from tooz import locking

LOCK_PREFIX = b'/tooz/locks'
OWNERS_PREFIX = b'/tooz/lock_owners/'

SHARED = etcd.encode(b'shared')
"""The value of the key of a lock that is shared."""


class Keys:
    """The keys of a lock.

    :param name: The name of the lock.
    :ivar lock: The key of the lock.
    :ivar owners: All keys of those who share it or wait for it.
    :ivar shared: The keys of those who share it.
    :ivar tickets: The keys of those who wait, and who come before somebody
        who wants to share it or not.
    """

    def __init__(self, name: bytes) -> None:
        self._prefix = OWNERS_PREFIX + parse.quote(name, safe='').encode()
        self.lock = etcd.key(LOCK_PREFIX + name)
        self.owners = etcd.keys_below(self._prefix)
        self.shared = etcd.keys_below(self._prefix + b'/shared')
        self.tickets = {
            False: etcd.keys_below(self._prefix + b'/waits'),
            True: etcd.keys_below(self._prefix + b'/waits/exclusive'),
        }

    @classmethod
    def of(cls, lock: str) -> Keys:
        """Return the keys of the lock that has a certain key."""
        return cls(base64.b64decode(lock)[len(LOCK_PREFIX) :])

    def share(self, id: str) -> Json:
        """Return the key of one who shares the lock."""
        return etcd.key(self._prefix + b'/shared/' + id.encode())

    def ticket(self, shared: bool, id: str) -> Json:
        """Return the key of one who waits."""
        kind = b'/waits/shared/' if shared else b'/waits/exclusive/'
        return etcd.key(self._prefix + kind + id.encode())


def value(id: str, owner: locking.Owner) -> str:
    """Return the value of a key.

    :param id: What no other acquire has.
    """
    assert owner.since is not None  # narrow type
    told = [id, *owner[2:]]
    told[3] = owner.since.isoformat()
    return etcd.encode(json.dumps(told).encode())


def read(found: Json) -> tuple[str, locking.Owner]:
    """Return whose a key is.

    :param found: The key and its value, as the server tells them.
    """
    key = base64.b64decode(found['key'])
    kinds = key.split(b'/') if key.startswith(OWNERS_PREFIX) else []
    try:
        told = json.loads(base64.b64decode(found['value']))
        id, process, host, since, purpose = told
    except (TypeError, ValueError):
        # An older tooz writes random bytes.
        return found['key'], locking.Owner(True, False, None, '', None)
    return id, locking.Owner(
        b'waits' not in kinds,
        b'shared' in kinds,
        process,
        host,
        datetime.datetime.fromisoformat(since),
        purpose,
    )
