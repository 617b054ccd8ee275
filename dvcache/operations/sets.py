"""Sets: sadd, srem, smembers, sunion and the others. Entries of their own kind, which `get` does not read.

Rests on the commands of the same names (https://valkey.io/commands/#set). The server compares the stored bytes of
members: 1, 1.0 and True are three members.
"""

# ruff: noqa: D417  # the context is not the caller's to pass

from typing import overload

from dvcache.operations.context import Context
from dvcache.operations.members import Members, decoded, matching, stored, together
from dvcache.quantities import argument
from dvcache.types import Fresh, Key, Op, Pages


def sadd(cx: Context, key: Key, *values: object, version: int | None = None) -> Op[int]:
    """Add members to a set, which is made where there is none, and return how many were new.

    Args:
        key: the entry's name, without prefix and version.
        values: the members; without any, nothing is done.
        version: the version to write to; the alias's own where None.

    Raises:
        SerializationError: a member cannot be stored; nothing was sent.
        WrongTypeError: the entry is no set.
    """
    if not values:
        return 0
    [added] = yield (("SADD", cx.keys.key(key, version), *(stored(cx, value) for value in values)),)
    return int(added)


def srem(cx: Context, key: Key, *members: object, version: int | None = None) -> Op[int]:
    """Remove members from a set and return how many there were. Arguments and errors as for `sadd`."""
    if not members:
        return 0
    [removed] = yield (("SREM", cx.keys.key(key, version), *(stored(cx, member) for member in members)),)
    return int(removed)


def scard(cx: Context, key: Key, version: int | None = None) -> Op[int]:
    """Return how many members a set has: 0 where there is none."""
    [count] = yield (("SCARD", cx.keys.key(key, version)),)
    return int(count)


def sismember(cx: Context, key: Key, member: object, version: int | None = None) -> Op[bool]:
    """Say whether a value is a member of a set."""
    [found] = yield (("SISMEMBER", cx.keys.key(key, version), stored(cx, member)),)
    return bool(found)


def smismember(cx: Context, key: Key, *members: object, version: int | None = None) -> Op[list[bool]]:
    """Say of each value whether it is a member of a set."""
    if not members:
        return []
    [found] = yield (("SMISMEMBER", cx.keys.key(key, version), *(stored(cx, member) for member in members)),)
    return [bool(each) for each in found]


def smembers(cx: Context, key: Key, version: int | None = None) -> Op[Members]:
    """Return the members of a set: a Python set, or a list where a member cannot be in one (a list, a dict).

    Members that cannot be decoded are left out.
    """
    [found] = yield (("SMEMBERS", cx.keys.key(key, version)),)
    return together(decoded(cx, found))


def smove(cx: Context, source: Key, destination: Key, member: object, version: int | None = None) -> Op[bool]:
    """Move a member from a set to another, atomically, and say whether it was in the former.

    Args:
        source: the name of the set that it leaves.
        destination: the name of the set that it goes to.
        member: the member.
        version: the version of both; the alias's own where None.

    Raises:
        NotSupportedError: the two sets are on different servers.
    """
    keys = cx.keys.key(source, version), cx.keys.key(destination, version)
    [moved] = yield (("SMOVE", *keys, stored(cx, member)),)
    return bool(moved)


@overload
def spop(cx: Context, key: Key, count: None = None, version: int | None = None) -> Op[object]: ...
@overload
def spop(cx: Context, key: Key, count: int, version: int | None = None) -> Op[Members]: ...
def spop(cx: Context, key: Key, count: int | None = None, version: int | None = None) -> Op[object]:
    """Remove a random member of a set and return it, None where there is none; with `count`, up to so many of them.

    Args:
        key: the entry's name, without prefix and version.
        count: how many; they are returned as `smembers` returns members.
        version: the version to take from; the alias's own where None.
    """
    return (yield from _drawn(cx, "SPOP", key, count, version, distinct=True))


@overload
def srandmember(cx: Context, key: Key, count: None = None, version: int | None = None) -> Op[object]: ...
@overload
def srandmember(cx: Context, key: Key, count: int, version: int | None = None) -> Op[list[object]]: ...
def srandmember(cx: Context, key: Key, count: int | None = None, version: int | None = None) -> Op[object]:
    """Return a random member of a set, None where there is none; with `count`, a list of up to so many of them.

    Args:
        key: the entry's name, without prefix and version.
        count: how many different ones; where negative, as many as its amount, which may be the same.
        version: the version to look in; the alias's own where None.
    """
    return (yield from _drawn(cx, "SRANDMEMBER", key, count, version, distinct=False))


def _drawn(
    cx: Context, command: str, key: Key, count: int | None, version: int | None, *, distinct: bool
) -> Op[object]:
    name = cx.keys.key(key, version)
    if count is None:
        [found] = yield ((command, name),)
        return None if found is None else cx.codec.loads(found, None)
    [found] = yield ((command, name, argument(count)),)
    members = decoded(cx, found)
    return together(members) if distinct else members


def sdiff(cx: Context, *keys: Key, version: int | None = None) -> Op[Members]:
    """Return the members of the first set that are in none of the others, as `smembers` returns members."""
    return _combined(cx, "SDIFF", keys, version)


def sinter(cx: Context, *keys: Key, version: int | None = None) -> Op[Members]:
    """Return the members that all of the sets have, as `smembers` returns members."""
    return _combined(cx, "SINTER", keys, version)


def sunion(cx: Context, *keys: Key, version: int | None = None) -> Op[Members]:
    """Return the members that any of the sets has, as `smembers` returns members."""
    return _combined(cx, "SUNION", keys, version)


def _combined(cx: Context, command: str, keys: tuple[Key, ...], version: int | None) -> Op[Members]:
    [found] = yield ((command, *(cx.keys.key(key, version) for key in keys)),)
    return together(decoded(cx, found))


def sdiffstore(
    cx: Context, dest: Key, *keys: Key, version_dest: int | None = None, version_keys: int | None = None
) -> Op[int]:
    """Store what `sdiff` returns, in the place of what is there, and return how many members that are.

    Args:
        dest: the name of the set to write.
        keys: the names of the sets to read.
        version_dest: the version to write to; the alias's own where None.
        version_keys: the version to read from; the alias's own where None.

    Raises:
        NotSupportedError: the sets are on different servers.
    """
    return _kept(cx, "SDIFFSTORE", cx.keys.key(dest, version_dest), keys, version_keys)


def sinterstore(cx: Context, dest: Key, *keys: Key, version: int | None = None) -> Op[int]:
    """Store what `sinter` returns, in the place of what is there, and return how many members that are."""
    return _kept(cx, "SINTERSTORE", cx.keys.key(dest, version), keys, version)


def sunionstore(cx: Context, destination: Key, *keys: Key, version: int | None = None) -> Op[int]:
    """Store what `sunion` returns, in the place of what is there, and return how many members that are."""
    return _kept(cx, "SUNIONSTORE", cx.keys.key(destination, version), keys, version)


def _kept(cx: Context, command: str, destination: bytes, keys: tuple[Key, ...], version: int | None) -> Op[int]:
    [count] = yield ((command, destination, *(cx.keys.key(key, version) for key in keys)),)
    return int(count)


def sscan_page(  # noqa: PLR0917  # the order of SSCAN's own arguments
    cx: Context,
    key: Key,
    cursor: int = 0,
    match: str | None = None,
    count: int | None = None,
    version: int | None = None,
) -> Op[tuple[int, list[object]]]:
    """Look at a part of a set: return where to go on, 0 at the end, and the members in it that match.

    A member may come more than once, on several pages.

    Args:
        key: the entry's name, without prefix and version.
        cursor: where to go on; 0 to begin.
        match: a glob over members that are text, bytes or numbers. It is the members that are matched, not what is
            stored of them, so that the server sends all of them.
        count: how many members the server looks at; the alias's SCAN_COUNT where None.
        version: the version to look in; the alias's own where None.
    """
    # A cursor means nothing to another server: every page is the primary's.
    [[cursor, found]] = yield Fresh(
        (("SSCAN", cx.keys.key(key, version), cursor, "COUNT", argument(count) or cx.scan_count),)
    )
    return int(cursor), list(filter(matching(match), decoded(cx, found)))


def sscan_iter(
    cx: Context, key: Key, match: str | None = None, count: int | None = None, version: int | None = None
) -> Pages[object]:
    """Yield the members of a set that match, page by page. A member may come more than once.

    Arguments are those of `sscan_page`.
    """
    return lambda cursor: sscan_page(cx, key, cursor, match, count, version)


def sscan(
    cx: Context, key: Key, match: str | None = None, count: int | None = None, version: int | None = None
) -> Op[Members]:
    """Return the members of a set that match, of all its pages, as `smembers` returns members.

    Arguments are those of `sscan_page`.
    """
    cursor, found = yield from sscan_page(cx, key, 0, match, count, version)
    while cursor:
        cursor, more = yield from sscan_page(cx, key, cursor, match, count, version)
        found += more
    return together(found)
