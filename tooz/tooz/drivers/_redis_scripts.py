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

"""What a Redis server does for a lock, as Lua scripts.

Each is one step for the server. All get the five keys of
:mod:`tooz.drivers._redis_lock` and, as arguments, a token, the lease in
milliseconds, the channel to publish on, and for how many milliseconds to keep
a place in the queue, 0 for none.
"""

from tooz.drivers import _redis_connections

_BEGINNING = """
local lock, former, sharers, queue, asked = unpack(KEYS)
local token, lease, channel, place = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function shares(token)
    return token:sub(1, 7) == 'shared '
end

local function allows(key, token)
    local holder = redis.call('GET', key)
    return not holder or holder == 'shared' and shares(token)
end

-- Whether the lock can be had, whoever waits for it.
local function is_free_for(token)
    return allows(lock, token) and allows(former, token)
end

-- A token in the set has shared the lock ever since, even if it has expired:
-- who takes the lock anew deletes the set.
local function is_held()
    local holder = redis.call('GET', lock)
    if holder ~= redis.call('GET', former) then
        return false
    end
    if holder ~= 'shared' then
        return holder == token
    end
    return redis.call('ZSCORE', sharers, token)
end

local function set(holder, expiry)
    for _, key in ipairs({lock, former}) do
        redis.call('SET', key, holder)
        redis.call('PEXPIREAT', key, expiry)
    end
end

-- The lock is shared until the last of those who share it expires.
local function set_shared()
    local last = redis.call('ZREVRANGE', sharers, 0, 0, 'WITHSCORES')[2]
    set('shared', last)
    redis.call('PEXPIREAT', sharers, last)
end

local function hold()
    if shares(token) then
        redis.call('ZREMRANGEBYSCORE', sharers, '-inf', now)
        redis.call('ZADD', sharers, now + lease, token)
        set_shared()
    else
        set(token, now + lease)
    end
end

local function first_waiter()
    for _, dead in ipairs(redis.call('ZRANGEBYSCORE', asked, '-inf', now)) do
        redis.call('ZREM', asked, dead)
        redis.call('ZREM', queue, dead)
    end
    return redis.call('ZRANGE', queue, 0, 0)[1]
end

-- Leave the queue, and tell the first waiter if it is its turn. That can be
-- forbidden, but is no reason to fail.
local function make_way()
    redis.call('ZREM', queue, token)
    redis.call('ZREM', asked, token)
    local first = first_waiter()
    if first and is_free_for(first) then
        redis.pcall('PUBLISH', channel, first)
    end
end
"""


def _script(text: str) -> _redis_connections.Script:
    return _redis_connections.Script(_BEGINNING + text, keys=5)


# Return 1 if the lock is held now.
ACQUIRE = _script("""
if not is_held() then
    local first = first_waiter()
    if first and first ~= token or not is_free_for(token) then
        if tonumber(place) > 0 then
            local last = redis.call('ZREVRANGE', queue, 0, 0, 'WITHSCORES')[2]
            redis.call('ZADD', queue, 'NX', (last or 0) + 1, token)
            redis.call('ZADD', asked, now + place, token)
            redis.call('PEXPIRE', queue, place)
            redis.call('PEXPIRE', asked, place)
        end
        return 0
    end
    if redis.call('EXISTS', lock, former) < 2 then
        redis.call('DEL', sharers)
    end
end
hold()
make_way()
return 1
""")

# Return 0 if the lock has been lost.
RENEW = _script("""
if not is_held() then
    return 0
end
hold()
return 1
""")

# Return 0 if the lock was not held.
RELEASE = _script("""
local held = is_held()
redis.call('ZREM', sharers, token)
if held then
    if redis.call('ZCARD', sharers) > 0 then
        set_shared()
    else
        redis.call('DEL', lock, former)
    end
end
make_way()
return held and 1 or 0
""")

# Return 0 if nobody held the lock.
BREAK = _script("""
local broken = redis.call('DEL', lock, former)
make_way()
return broken
""")

# Return the tokens of the holders and of the waiters.
OWNERS = _script("""
local holders = {
    redis.call('GET', lock) or redis.call('GET', former) or nil
}
if holders[1] == 'shared' then
    holders = redis.call('ZRANGEBYSCORE', sharers, now + 1, '+inf')
end
first_waiter()
return {holders, redis.call('ZRANGE', queue, 0, -1)}
""")
