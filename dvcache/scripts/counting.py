"""Scripts that count and compare: INCREMENT, SWAP, COUNT."""

from collections.abc import Sequence
from typing import Final

from dvcache.errors import ServerError
from dvcache.scripts.script import Call, Script


def _increment(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    found = call("GET", keys[0])
    if found is None:
        if len(args) > 1:
            call("SET", keys[0], *args[1:])
        return None
    try:
        call("INCRBY", keys[0], args[0])
    except ServerError:
        return [found]
    # GET, not the reply of INCRBY: in Lua that is a double, exact up to 2**53 only.
    return call("GET", keys[0])


INCREMENT: Final = Script(
    """
local found = redis.call('GET', KEYS[1])
if not found then
  if ARGV[2] then redis.call('SET', KEYS[1], unpack(ARGV, 2)) end
  return false
end
if type(redis.pcall('INCRBY', KEYS[1], ARGV[1])) == 'table' then return {found} end
return redis.call('GET', KEYS[1])
""",
    _increment,
)
"""Add to an entry's number.

KEYS: the entry. ARGV: the delta; then the value and options of SET if it may be created. Returns the sum as text, nil
if there was no entry, or an array with the stored bytes if INCRBY cannot add to them.
"""


def _swap(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    if call("GET", keys[0]) != args[0]:
        return 0
    call("SET", keys[0], *args[1:])
    return 1


SWAP: Final = Script(
    """
local found = redis.call('GET', KEYS[1])
if found == ARGV[1] then
  redis.call('SET', KEYS[1], unpack(ARGV, 2))
  return 1
end
return 0
""",
    _swap,
)
"""Replace an entry's bytes if they are as expected.

KEYS: the entry. ARGV: the expected bytes, the new bytes, options of SET. Returns 1 or 0.
"""


def _count(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    limit, delta, *creation = args
    left = call("PTTL", keys[0])
    # PTTL of a missing entry, -2, is below the limit too.
    if left != -1 and left <= int(limit):
        if creation:
            call("SET", keys[0], *creation)
            call("UNLINK", keys[1])
        return None
    found = call("GET", keys[0])
    try:
        call("INCRBY", keys[0], delta)
    except ServerError:
        return [found]
    call("UNLINK", keys[1])
    return call("GET", keys[0])


COUNT: Final = Script(
    """
local left = redis.call('PTTL', KEYS[1])
if left ~= -1 and left <= tonumber(ARGV[1]) then
  if ARGV[3] then
    redis.call('SET', KEYS[1], unpack(ARGV, 3))
    redis.call('UNLINK', KEYS[2])
  end
  return false
end
local found = redis.call('GET', KEYS[1])
if type(redis.pcall('INCRBY', KEYS[1], ARGV[2])) == 'table' then return {found} end
redis.call('UNLINK', KEYS[2])
return redis.call('GET', KEYS[1])
""",
    _count,
)
"""`INCREMENT` for the herd policy: a stale entry counts as missing, and a write removes the lease.

KEYS: the entry, its lease. ARGV: the milliseconds to live up to which an entry is stale, then those of `INCREMENT`.
"""
