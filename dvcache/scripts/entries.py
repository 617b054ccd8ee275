"""Scripts that store, remove and find entries: REMOVE_DUMPED, STORE_ALL, NOTHING."""

from collections.abc import Sequence
from typing import Final

from dvcache.scripts.script import Call, Script


def _remove_dumped(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    # DUMP compares entries of every type; GET and SET … IFEQ only strings.
    return call("UNLINK", keys[0]) if call("DUMP", keys[0]) == args[0] else 0


REMOVE_DUMPED: Final = Script(
    """
if redis.call('DUMP', KEYS[1]) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end
return 0
""",
    _remove_dumped,
)
"""Remove an entry if DUMP still returns the same. KEYS: the entry. ARGV: the bytes of DUMP. Returns 1 or 0."""


def _store_all(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    condition, limit, lifetime, *values = args
    # Every entry is checked before the first one is stored: all or nothing.
    lefts = [call("PTTL", key) for key in keys] if condition == b"NX" else []
    if any(left == -1 or left > int(limit) for left in lefts):
        return 0
    for key, value in zip(keys, values, strict=True):
        call("SET", key, value, *(("PX", lifetime) if lifetime else ()))
    return 1


STORE_ALL: Final = Script(
    """
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
""",
    _store_all,
)
"""Store several entries at once.

KEYS: the entries. ARGV: "NX" to store nothing if any entry exists; the milliseconds to live up to which an entry is
stale, so counts as missing; the lifetime in milliseconds, empty for none; the entries' bytes. Returns 1 or 0.
"""


def _nothing(call: Call, keys: Sequence[bytes], _: Sequence[bytes]) -> object:
    return call("EXISTS", keys[0])


NOTHING: Final = Script("return redis.call('EXISTS', KEYS[1])", _nothing)
"""Change nothing: safe to send again after a lost reply. KEYS: the entry. Returns 1 if it exists, else 0."""
