"""Moving an entry to another key: at once on one server, copied and then removed where the keys are on two."""

from typing import Final

from dvcache.errors import CacheError, NotSupportedError, ServerError, WrongTypeError
from dvcache.operations.swaps import refused, set_if_equal
from dvcache.scripts import RELEASE, REMOVE_DUMPED, evaluate
from dvcache.types import Fresh, Op

ATTEMPTS: Final = 1000
"""How often an entry may change while it is moved before that gives up."""

NO_KEY: Final = "no such key"
"""What the server says of RENAME where there is no entry."""


def across(source: bytes, target: bytes) -> Op[object]:
    """Move an entry, with its lifetime, to a key on another server.

    It is copied, and removed where it was if it is still the same; else the copy is made anew. For a moment it is in
    both places, and in none at no time. Rests on GET, PEXPIRETIME and SET … PXAT; on DUMP and RESTORE for collections.

    Raises:
        ServerError: there is no entry.
    """
    copied = False
    for _ in range(ATTEMPTS):
        try:
            found = yield from _copied(source, target)
        except WrongTypeError:
            found = yield from _restored(source, target)
        if found is None:  # after a copy: removed or ended meanwhile, as it might have been a moment later
            if copied:
                return b"OK"
            raise ServerError(f"ERR {NO_KEY}", command="RENAME")
        copied = True
        if found:
            return b"OK"
    raise CacheError(f"the entry changed {ATTEMPTS} times while it was moved")


def _copied(source: bytes, target: bytes) -> Op[bool | None]:
    """Copy a value; say whether it was then removed unchanged, or None where there is none."""
    [data, ends] = yield Fresh((("GET", source), ("PEXPIRETIME", source)))
    if data is None:
        return None
    yield (("SET", target, data, *(("PXAT", ends) if ends >= 0 else ())),)
    try:
        return bool((yield from evaluate(RELEASE, (source,), (data,))))
    except ServerError as error:
        if not refused(error):
            raise
    return (yield from set_if_equal(("SET", source, b"", "PXAT", 1, "IFEQ", data))) is not None


def _restored(source: bytes, target: bytes) -> Op[bool | None]:
    """Copy a collection, as `_copied`."""
    [data, ends] = yield (("DUMP", source), ("PEXPIRETIME", source))
    if data is None:
        return None
    yield (("RESTORE", target, max(ends, 0), data, "REPLACE", "ABSTTL"),)
    try:
        return bool((yield from evaluate(REMOVE_DUMPED, (source,), (data,))))
    except ServerError as error:
        if not refused(error):
            raise
        message = "a collection is moved between servers by a script; allow the user +eval +evalsha"
        raise NotSupportedError(message) from error
