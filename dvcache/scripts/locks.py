"""Scripts of locks: RELEASE, EXTEND."""

from collections.abc import Sequence
from typing import Final

from dvcache.scripts.script import Call, Script


def _release(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    return call("UNLINK", keys[0]) if call("GET", keys[0]) == args[0] else 0


RELEASE: Final = Script(
    """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end
return 0
""",
    _release,
)
"""Remove a lease or a lock if the token still owns it. KEYS: the lease. ARGV: the token. Returns 1 or 0."""


def _extend(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    token, more, how = args
    if call("GET", keys[0]) != token:
        return 0
    # PTTL is -1 if another client has removed the expiry.
    left = max(call("PTTL", keys[0]), 0) if how == b"add" else 0
    return call("PEXPIRE", keys[0], int(more) + left)


# Lua converts a large number to text with an exponent, which PEXPIRE refuses: hence %.0f.
EXTEND: Final = Script(
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local left = ARGV[3] == 'add' and math.max(redis.call('PTTL', KEYS[1]), 0) or 0
return redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ARGV[2] + left))
""",
    _extend,
)
"""Extend a lock's lifetime if the token still owns it.

KEYS: the lock. ARGV: the token, milliseconds, "add" to add them to the remaining time. Returns 1 or 0.
"""
