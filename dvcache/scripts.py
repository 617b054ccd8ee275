"""Lua scripts that the server runs atomically, and the operation that runs them.

They call `redis.call`, which Redis and every Valkey provide, and return sums as text, since Lua numbers are doubles.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from dvcache.errors import NoScriptError
from dvcache.types import Arg, Op


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script and the SHA-1 digest under which the server caches it."""

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
"""Add to an entry's number.

KEYS: the entry. ARGV: the delta; then the value and options of SET if it may be created. Returns the sum as text, nil
if there was no entry, or an array with the stored bytes if INCRBY cannot add to them.
"""

SWAP: Final = Script("""
local found = redis.call('GET', KEYS[1])
if found == ARGV[1] then
  redis.call('SET', KEYS[1], unpack(ARGV, 2))
  return 1
end
return 0
""")
"""Replace an entry's bytes if they are as expected.

KEYS: the entry. ARGV: the expected bytes, the new bytes, options of SET. Returns 1 or 0.
"""


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
"""Change an entry of the herd policy and remove its lease, if a condition holds; a stale entry counts as missing.

KEYS: the entry, its lease. ARGV: the milliseconds to live up to which an entry is stale; the condition: "missing",
"present", "same" or "any"; the bytes that "same" requires; "get" to return the previous bytes; the command and its
other arguments. Returns whether the condition held, the command's reply, and the previous bytes, nil for no entry.
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
"""`INCREMENT` for the herd policy: a stale entry counts as missing, and a write removes the lease.

KEYS: the entry, its lease. ARGV: the milliseconds to live up to which an entry is stale, then those of `INCREMENT`.
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
"""Store what the holder of a lease computed, unless the entry was written meanwhile, and remove the lease.

KEYS: the entry, its lease. ARGV: the milliseconds to live up to which an entry is stale; the lease's token; 1 while the
lease cannot have expired, else 0; 1 and the bytes found when it was claimed, or 0 and any; the bytes and options of
SET. Returns 1 if stored, else 0; "own", "other" or "none" for the lease's holder; the bytes stored instead, or nil.
"""

RELEASE: Final = Script("""
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end
return 0
""")
"""Remove a lease or a lock if the token still owns it. KEYS: the lease. ARGV: the token. Returns 1 or 0."""

EXTEND: Final = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local left = ARGV[3] == 'add' and math.max(redis.call('PTTL', KEYS[1]), 0) or 0
return redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ARGV[2] + left))
""")
"""Extend a lock's lifetime if the token still owns it.

KEYS: the lock. ARGV: the token, milliseconds, "add" to add them to the remaining time. Returns 1 or 0.
"""

REMOVE_DUMPED: Final = Script("""
if redis.call('DUMP', KEYS[1]) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end
return 0
""")
"""Remove an entry if DUMP still returns the same. KEYS: the entry. ARGV: the bytes of DUMP. Returns 1 or 0."""

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
"""Store several entries at once.

KEYS: the entries. ARGV: "NX" to store nothing if any entry exists; the milliseconds to live up to which an entry is
stale, so counts as missing; the lifetime in milliseconds, empty for none; the entries' bytes. Returns 1 or 0.
"""

NOTHING: Final = Script("return redis.call('EXISTS', KEYS[1])")
"""Changes nothing, so that it may be sent again, whatever became of it. KEYS: the entry. Answers 1 for one, or 0."""


def evaluate(script: Script, keys: tuple[bytes, ...], arguments: tuple[Arg, ...]) -> Op[Any]:
    """Run a script in one round trip, two if the server has not cached it.

    Rests on EVALSHA and EVAL (https://valkey.io/commands/evalsha/).
    """
    rest = (len(keys), *keys, *arguments)
    try:
        [reply] = yield (("EVALSHA", script.sha, *rest),)
    except NoScriptError:
        [reply] = yield (("EVAL", script.text, *rest),)
    return reply
