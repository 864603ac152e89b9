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

"""What the Redis server does for read and write locks, as Lua scripts.

Each is one step for the server, which runs no other request meanwhile. See
:mod:`cinder.rwlock.redis` for the algorithm that they serve.
"""

import hashlib

CHANNEL = 'cinder-rwlock-released'
"""Where the writer's key of a name is published when waiters could go on."""


class Script:
    """A Lua script for one name.

    All scripts get the writer's key and the readers' key, and as arguments a
    token and the lease in milliseconds.

    :param str text: What it does.
    :ivar bytes sha: By what the server knows it.
    """

    def __init__(self, text):
        self.text = """
            local writer, readers = KEYS[1], KEYS[2]
            local token, lease = ARGV[1], tonumber(ARGV[2])
            """ + text
        self.sha = hashlib.sha1(self.text.encode(),
                                usedforsecurity=False).hexdigest().encode()


_NOW = """
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    """
"""The server's time in milliseconds, for scripts that need it."""

# Enter the set of readers, unless there is a writer and no unexpired token of
# ours in the set already. Return 0 if it is in now, or else the milliseconds
# until the writer's key expires.
READ_ACQUIRE = Script(_NOW + """
    if redis.call('EXISTS', writer) == 1 and
            tonumber(redis.call('ZSCORE', readers, token) or 0) <= now then
        return math.max(redis.call('PTTL', writer), 1)
    end
    redis.call('ZADD', readers, now + lease, token)
    if redis.call('PTTL', readers) < lease then
        redis.call('PEXPIRE', readers, lease)
    end
    return 0
    """)

# Remove expired readers and give one that is not another lease. Return 0 if
# it is not there.
READ_RENEW = Script(_NOW + """
    redis.call('ZREMRANGEBYSCORE', readers, '-inf', now)
    if not redis.call('ZSCORE', readers, token) then
        return 0
    end
    redis.call('ZADD', readers, now + lease, token)
    if redis.call('PTTL', readers) < lease then
        redis.call('PEXPIRE', readers, lease)
    end
    return 1
    """)

# Leave the set of readers. If there is a writer and no unexpired reader is
# left, the writer can go on. Return 0 if the reader was not there.
READ_RELEASE = Script("""
    local left = redis.call('ZREM', readers, token)
    if redis.call('EXISTS', writer) == 1 then
        %s
        if redis.call('ZCOUNT', readers, now + 1, '+inf') == 0 then
            redis.pcall('PUBLISH', '%s', writer)
        end
    end
    return left
    """ % (_NOW, CHANNEL))

# Take or keep the writer's key unless somebody else has it. Return 0 if it is
# taken and no reader is there, or else the milliseconds until who is in the
# way expires: the other writer, or the last reader.
WRITE_ACQUIRE = Script(_NOW + """
    local holder = redis.call('GET', writer)
    if holder and holder ~= token then
        return math.max(redis.call('PTTL', writer), 1)
    end
    redis.call('SET', writer, token, 'PX', lease)
    local last = redis.call('ZREVRANGE', readers, 0, 0, 'WITHSCORES')[2]
    return math.max(tonumber(last or 0) - now, 0)
    """)

# Give the writer's key another lease. Return 0 if it is not ours.
WRITE_RENEW = Script("""
    if redis.call('GET', writer) ~= token then
        return 0
    end
    return redis.call('PEXPIRE', writer, lease)
    """)

# Delete the writer's key, so that others can go on. Return 0 if it is not
# ours. To publish can be forbidden, but is no reason to fail.
WRITE_RELEASE = Script("""
    if redis.call('GET', writer) ~= token then
        return 0
    end
    redis.call('DEL', writer)
    redis.pcall('PUBLISH', '%s', writer)
    return 1
    """ % CHANNEL)

# Return the tokens of the unexpired readers, or else that of the writer.
HOLDERS = Script(_NOW + """
    local tokens = redis.call('ZRANGEBYSCORE', readers, now + 1, '+inf')
    if #tokens == 0 then
        tokens[1] = redis.call('GET', writer) or nil
    end
    return tokens
    """)
