"""Scripts that the server runs atomically, and how they are run.

They call `redis.call`, which Redis and every Valkey know, and answer sums as text, since a number of Lua is a double.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from dvcache.errors import NoScriptError
from dvcache.types import Arg, Op


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script and the name under which the server keeps it."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha", hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest())


INCREMENT: Final = Script("""
local found = redis.call('GET', KEYS[1])
if not found then
  if ARGV[2] then redis.call('SET', KEYS[1], unpack(ARGV, 2)) end
  return false
end
if type(redis.pcall('INCRBY', KEYS[1], ARGV[1])) == 'table' then return {found} end
return redis.call('GET', KEYS[1])
""")
"""KEYS: the entry. ARGV: the delta; where it may be created, the value and options of SET.

Answers the sum as text, nil where there was no entry, or the stored bytes in an array where INCRBY cannot add to them.
"""

SWAP: Final = Script("""
local found = redis.call('GET', KEYS[1])
if found == ARGV[1] then
  redis.call('SET', KEYS[1], unpack(ARGV, 2))
  return 1
end
return 0
""")
"""KEYS: the entry. ARGV: the bytes that it must hold, the bytes that it shall hold, options of SET. Answers 1 or 0."""


CHANGE: Final = Script("""
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
""")
"""Changes an entry of the herd policy, and drops its lease, if the entry is as it must be; a stale one is none.

KEYS: the entry, its lease. ARGV: the milliseconds up to which it is stale; what it must be: "missing", "present",
"same" or "any"; the bytes that "same" means; "get" to answer with what was there; the command and its other arguments.
Answers whether it was as it must be, the command's reply, and what was there before, nil for no entry.
"""

COUNT: Final = Script("""
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
""")
"""`INCREMENT` for the herd policy, where a stale entry is none, and a write drops the lease.

KEYS: the entry, its lease. ARGV: the milliseconds up to which it is stale, and then those of `INCREMENT`.
"""

PUBLISH: Final = Script("""
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
""")
"""Stores what the holder of a lease computed, unless the entry was written meanwhile, and drops the lease.

KEYS: the entry, its lease. ARGV: the milliseconds up to which it is stale; the lease's token; 1 while the lease cannot
have lapsed, else 0; 1 and the bytes that were there when it was claimed, or 0 and any; the bytes and options of SET.
Answers 1 or 0 for stored; "own", "other" or "none" for whose the lease was; what is there instead, or nil.
"""

RELEASE: Final = Script("""
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end
return 0
""")
"""Drops a lease or a lock, if it is still one's own. KEYS: the lease. ARGV: the token. Answers 1 or 0."""

EXTEND: Final = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local left = ARGV[3] == 'add' and math.max(redis.call('PTTL', KEYS[1]), 0) or 0
return redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ARGV[2] + left))
""")
"""Lets a lock last longer, if it is still one's own.

KEYS: the lock. ARGV: the token, milliseconds, "add" to add them to what is left. Answers 1 or 0.
"""

REMOVE_DUMPED: Final = Script("""
if redis.call('DUMP', KEYS[1]) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end
return 0
""")
"""Removes what is still as DUMP had it. KEYS: the entry. ARGV: the bytes of DUMP. Answers 1 or 0."""

STORE_ALL: Final = Script("""
if ARGV[1] == 'NX' then
  for _, key in ipairs(KEYS) do
    local left = redis.call('PTTL', key)
    if left == -1 or left > tonumber(ARGV[2]) then return 0 end
  end
end
for n, key in ipairs(KEYS) do
  if ARGV[3] == '' then
    redis.call('SET', key, ARGV[n + 3])
  else
    redis.call('SET', key, ARGV[n + 3], 'PX', ARGV[3])
  end
end
return 1
""")
"""Stores several entries at once. KEYS: the entries. ARGV: "NX" to store all or none, where there is one; the
milliseconds up to which an entry is stale, and so none; those for which they are stored, empty for ever; their bytes.
Answers 1 or 0.
"""


def evaluate(script: Script, keys: tuple[bytes, ...], arguments: tuple[Arg, ...]) -> Op[Any]:
    """Run a script in one round trip, in two where the server does not hold it yet.

    Rests on EVALSHA and EVAL (https://valkey.io/commands/evalsha/).
    """
    rest = (len(keys), *keys, *arguments)
    try:
        [reply] = yield (("EVALSHA", script.sha, *rest),)
    except NoScriptError:
        [reply] = yield (("EVAL", script.text, *rest),)
    return reply
