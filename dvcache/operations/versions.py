"""Moves between versions: incr_version, decr_version."""

from dvcache.context import Context
from dvcache.effects import Op
from dvcache.errors import ServerError
from dvcache.numeric_arguments import whole
from dvcache.policies.empty_values import empty_value
from dvcache.types import Key, StoredKey


@empty_value(None)
def incr_version(cx: Context, key: Key, delta: int = 1, version: int | None = None) -> Op[int]:
    """Move an entry to a later version, atomically and with its expiry; return that version.

    An existing entry of that version is replaced. Rests on RENAME (https://valkey.io/commands/rename/). If the two keys
    are on different servers, the entry is copied, then removed if unchanged: for a moment both versions exist.

    Args:
        key: the entry's name, without prefix and version.
        delta: number to add to the version; 0 only checks that the entry exists.
        version: the version to move from; the alias's own if None.

    Raises:
        ValueError: there is no entry.
        TypeError: `delta` is not an int.
    """
    delta = whole(delta, "the delta of a version")
    old = cx.version if version is None else whole(version, "a version")
    source = cx.keys.key(key, old)
    if delta == 0:
        [found] = yield (("EXISTS", source),)
    else:
        name = cx.keys.original(source, old) if isinstance(key, StoredKey) else key
        found = yield from _renamed(cx, source, cx.keys.key(name, old + delta))
    if not found:
        raise ValueError(f"Key '{key!s}' not found")
    return old + delta


@empty_value(None)
def decr_version(cx: Context, key: Key, delta: int = 1, version: int | None = None) -> Op[int]:
    """Move an entry to an earlier version. Arguments and errors are those of `incr_version`."""
    return incr_version(cx, key, -whole(delta, "the delta of a version"), version)


def _renamed(cx: Context, source: bytes, target: bytes) -> Op[bool]:
    try:
        yield from cx.policy.rename(cx, source, target)
    except ServerError as error:
        if "no such key" not in error.message:
            raise
        return False
    return True
