"""Scripts of the herd policy: CHANGE, PUBLISH."""

from collections.abc import Sequence
from typing import Final

from dvcache.scripts.script import Call, Script


def _change(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    limit, condition, same, get, command, *rest = args
    left = call("PTTL", keys[0])
    there = left == -1 or left > int(limit)
    # GET only if needed: it fails on a collection, which can be touched and expired too.
    before = call("GET", keys[0]) if there and (condition == b"same" or get == b"get") else None
    shown = before if get == b"get" else None
    if (
        (condition == b"missing" and there)
        or (condition == b"present" and not there)
        or (condition == b"same" and before != same)
    ):
        return [0, 0, shown]
    reply = call(command, keys[0], *rest)
    call("UNLINK", keys[1])
    return [1, reply, shown]


CHANGE: Final = Script(
    """
local left = redis.call('PTTL', KEYS[1])
local there = left == -1 or left > tonumber(ARGV[1])
local before = false
if there and (ARGV[2] == 'same' or ARGV[4] == 'get') then before = redis.call('GET', KEYS[1]) end
local shown = ARGV[4] == 'get' and before
if (ARGV[2] == 'missing' and there) or (ARGV[2] == 'present' and not there)
  or (ARGV[2] == 'same' and before ~= ARGV[3]) then
  return {0, 0, shown}
end
local reply = redis.call(ARGV[5], KEYS[1], unpack(ARGV, 6))
redis.call('UNLINK', KEYS[2])
return {1, reply, shown}
""",
    _change,
)
"""Change an entry of the herd policy and remove its lease, if a condition holds; a stale entry counts as missing.

KEYS: the entry, its lease. ARGV: the milliseconds to live up to which an entry is stale; the condition: "missing",
"present", "same" or "any"; the bytes that "same" requires; "get" to return the previous bytes; the command and its
other arguments. Returns whether the condition held, the command's reply, and the previous bytes, nil for no entry.
"""


def _publish(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    limit, token, within, known, claimed, *rest = args
    holder = call("GET", keys[1])
    left = call("PTTL", keys[0])
    found = call("GET", keys[0])
    state, store = b"none", False
    if holder == token:
        state, store = b"own", True
    elif holder is not None:
        # The other holder will replace this value. Until then it is better than none or a stale one.
        state, store = b"other", left != -1 and left <= int(limit)
    elif within == b"0":
        # The lease expired, so its absence proves no write: the entry itself has to be unchanged.
        store = found is None or (known == b"1" and found == claimed)
    if store:
        call("SET", keys[0], *rest)
    if state == b"own":
        call("UNLINK", keys[1])
    return [int(store), state, None if store else found]


PUBLISH: Final = Script(
    """
local holder = redis.call('GET', KEYS[2])
local left = redis.call('PTTL', KEYS[1])
local found = redis.call('GET', KEYS[1])
local state, store = 'none', false
if holder == ARGV[2] then
  state, store = 'own', true
elseif holder then
  state, store = 'other', left ~= -1 and left <= tonumber(ARGV[1])
elseif ARGV[3] == '0' then
  store = not found or (ARGV[4] == '1' and found == ARGV[5])
end
if store then redis.call('SET', KEYS[1], unpack(ARGV, 6)) end
if state == 'own' then redis.call('UNLINK', KEYS[2]) end
return {store and 1 or 0, state, not store and found}
""",
    _publish,
)
"""Store what the holder of a lease computed, unless the entry was written meanwhile, and remove the lease.

KEYS: the entry, its lease. ARGV: the milliseconds to live up to which an entry is stale; the lease's token; 1 while the
lease cannot have expired, else 0; 1 and the bytes found when it was claimed, or 0 and any; the bytes and options of
SET. Returns 1 if stored, else 0; "own", "other" or "none" for the lease's holder; the bytes stored instead, or nil.
"""
