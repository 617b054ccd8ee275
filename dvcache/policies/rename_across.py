"""RENAME across servers: copy an entry to the other server, then remove it."""

from typing import Final

from dvcache.context import Context
from dvcache.effects import OnPrimary, Op
from dvcache.errors import CacheError, NotSupportedError, ServerError, WrongTypeError
from dvcache.policies.compare_and_set import refused, remove_if_equal
from dvcache.scripts.entries import REMOVE_DUMPED
from dvcache.scripts.script import evaluate
from dvcache.types import Command

ATTEMPTS: Final = 10
"""Maximum number of changes of an entry while it is copied; after those it is removed before the last copy."""

MOST: Final = 1000
"""Maximum number of changes of a collection while it is moved before the move fails."""

NO_KEY: Final = "no such key"
"""Error text of RENAME if there is no entry."""


def across(cx: Context, source: bytes, target: bytes) -> Op[object]:
    """Move an entry, with its expiry, to a key on another server.

    The entry is copied, then removed if it is unchanged; otherwise the copy is repeated. For a moment it is in both
    places, never in neither. Rests on GET, PEXPIRETIME and SET … PXAT; on DUMP and RESTORE for collections.

    Raises:
        ServerError: there is no entry.
    """
    try:
        there = yield from _value(cx, source, target)
    except WrongTypeError:
        there = yield from _collection(source, target)
    if not there:
        raise ServerError(f"ERR {NO_KEY}", command="RENAME")
    return b"OK"


def _value(cx: Context, source: bytes, target: bytes) -> Op[bool]:
    """Move a value; return True if it existed."""
    for attempt in range(ATTEMPTS):
        [data, ends] = yield OnPrimary((("GET", source), ("PEXPIRETIME", source)))
        if data is None:  # after a copy: removed or expired meanwhile, as it might have been a moment later
            return attempt > 0
        # The absolute time: the two servers see the same end, however long the copy takes.
        yield (_copy(target, data, ends),)
        if (yield from remove_if_equal(cx, source, data)):
            return True
    # The entry changes faster than it can be compared: take it with GETDEL and overwrite the copy.
    [ends, data] = yield (("PEXPIRETIME", source), ("GETDEL", source))
    if data is not None:
        yield (_copy(target, data, ends),)
    return True


def _copy(target: bytes, data: bytes, ends: int) -> Command:
    return ("SET", target, data, *(("PXAT", ends) if ends >= 0 else ()))


def _collection(source: bytes, target: bytes) -> Op[bool]:
    """Move a collection; return True if it existed."""
    for attempt in range(MOST):
        found = yield from _restored(source, target)
        if found is None:
            return attempt > 0
        if found:
            return True
    raise CacheError(f"the entry changed {MOST} times while it was moved")


def _restored(source: bytes, target: bytes) -> Op[bool | None]:
    """Copy a collection; return True if it was then removed unchanged, None if it does not exist."""
    [data, ends] = yield (("DUMP", source), ("PEXPIRETIME", source))
    if data is None:
        return None
    yield (("RESTORE", target, max(ends, 0), data, "REPLACE", "ABSTTL"),)
    try:
        return bool((yield from evaluate(REMOVE_DUMPED, (source,), (data,))))
    except ServerError as error:
        if not refused(error):
            raise
        message = "moving a collection between servers needs a script; allow the user +eval +evalsha"
        raise NotSupportedError(message) from error
