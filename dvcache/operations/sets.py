"""Sets: sadd, srem, smembers, sunion and the others. `get` cannot read these entries.

Rests on the commands of the same names (https://valkey.io/commands/#set). The server compares members by their stored
bytes: 1, 1.0 and True are three members.
"""

from typing import overload

from dvcache.context import Context
from dvcache.effects import OnPrimary, Op, Pages
from dvcache.numeric_arguments import argument
from dvcache.operations.collection_values import all_pages, decoded, matching, one_or_many, stored, together
from dvcache.policies.empty_values import empty_value
from dvcache.types import Key, Members


@empty_value(0)
def sadd(cx: Context, key: Key, *values: object, version: int | None = None) -> Op[int]:
    """Add members to a set, creating it if needed; return how many are new.

    Args:
        key: the entry's name, without prefix and version.
        values: the members; without any, nothing is written.
        version: the key's version; the alias's own if None.

    Raises:
        SerializationError: a member cannot be stored; nothing was sent.
        WrongTypeError: the entry is not a set.
    """
    if not values:
        return 0
    [added] = yield (("SADD", cx.keys.key(key, version), *(stored(cx, value) for value in values)),)
    return int(added)


@empty_value(0)
def srem(cx: Context, key: Key, *members: object, version: int | None = None) -> Op[int]:
    """Remove members from a set; return the number removed. Arguments and errors are those of `sadd`."""
    if not members:
        return 0
    [removed] = yield (("SREM", cx.keys.key(key, version), *(stored(cx, member) for member in members)),)
    return int(removed)


@empty_value(None)
def scard(cx: Context, key: Key, version: int | None = None) -> Op[int]:
    """Return the number of members of a set: 0 if it does not exist."""
    [count] = yield (("SCARD", cx.keys.key(key, version)),)
    return int(count)


@empty_value(False)
def sismember(cx: Context, key: Key, member: object, version: int | None = None) -> Op[bool]:
    """Return True if a value is a member of a set."""
    [found] = yield (("SISMEMBER", cx.keys.key(key, version), stored(cx, member)),)
    return bool(found)


@empty_value(lambda members: [False] * len(members))
def smismember(cx: Context, key: Key, *members: object, version: int | None = None) -> Op[list[bool]]:
    """Return for each value whether it is a member of a set."""
    if not members:
        return []
    [found] = yield (("SMISMEMBER", cx.keys.key(key, version), *(stored(cx, member) for member in members)),)
    return [bool(each) for each in found]


@empty_value(set())
def smembers(cx: Context, key: Key, version: int | None = None) -> Op[Members]:
    """Return the members of a set: a Python set, or a list if a member is not hashable (a list, a dict).

    Members that cannot be decoded are omitted.
    """
    [found] = yield (("SMEMBERS", cx.keys.key(key, version)),)
    return together(decoded(cx, found))


@empty_value(False)
def smove(cx: Context, source: Key, destination: Key, member: object, version: int | None = None) -> Op[bool]:
    """Move a member from one set to another, atomically; return True if it was a member of the first.

    Args:
        source: the name of the set to remove it from.
        destination: the name of the set to add it to.
        member: the member.
        version: the version of both keys; the alias's own if None.

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
@empty_value(lambda count: None if count is None else set())
def spop(cx: Context, key: Key, count: int | None = None, version: int | None = None) -> Op[object]:
    """Remove and return a random member of a set, None if it is empty; with `count`, up to that many members.

    Args:
        key: the entry's name, without prefix and version.
        count: maximum number of members; they are returned as by `smembers`.
        version: the key's version; the alias's own if None.
    """
    found = yield from one_or_many(cx, "SPOP", key, count, version)
    return found if count is None else together(found)


@overload
def srandmember(cx: Context, key: Key, count: None = None, version: int | None = None) -> Op[object]: ...
@overload
def srandmember(cx: Context, key: Key, count: int, version: int | None = None) -> Op[list[object]]: ...
@empty_value(lambda count: None if count is None else [])
def srandmember(cx: Context, key: Key, count: int | None = None, version: int | None = None) -> Op[object]:
    """Return a random member of a set, None if it is empty; with `count`, a list of members.

    Args:
        key: the entry's name, without prefix and version.
        count: maximum number of distinct members; if negative, exactly that many, possibly repeated.
        version: the key's version; the alias's own if None.
    """
    return one_or_many(cx, "SRANDMEMBER", key, count, version)


@empty_value(set())
def sdiff(cx: Context, *keys: Key, version: int | None = None) -> Op[Members]:
    """Return the members of the first set that are in none of the others, as `smembers` does."""
    return _combined(cx, "SDIFF", keys, version)


@empty_value(set())
def sinter(cx: Context, *keys: Key, version: int | None = None) -> Op[Members]:
    """Return the members common to all sets, as `smembers` does."""
    return _combined(cx, "SINTER", keys, version)


@empty_value(set())
def sunion(cx: Context, *keys: Key, version: int | None = None) -> Op[Members]:
    """Return the members of any of the sets, as `smembers` does."""
    return _combined(cx, "SUNION", keys, version)


def _combined(cx: Context, command: str, keys: tuple[Key, ...], version: int | None) -> Op[Members]:
    [found] = yield ((command, *(cx.keys.key(key, version) for key in keys)),)
    return together(decoded(cx, found))


@empty_value(0)
def sdiffstore(
    cx: Context, dest: Key, *keys: Key, version_dest: int | None = None, version_keys: int | None = None
) -> Op[int]:
    """Store the result of `sdiff`, replacing an existing entry; return the number of members.

    Args:
        dest: the name of the set to write.
        keys: the names of the sets to read.
        version_dest: the version to write to; the alias's own if None.
        version_keys: the version to read from; the alias's own if None.

    Raises:
        NotSupportedError: the sets are on different servers.
    """
    return _kept(cx, "SDIFFSTORE", cx.keys.key(dest, version_dest), keys, version_keys)


@empty_value(0)
def sinterstore(cx: Context, dest: Key, *keys: Key, version: int | None = None) -> Op[int]:
    """Store the result of `sinter`, replacing an existing entry; return the number of members."""
    return _kept(cx, "SINTERSTORE", cx.keys.key(dest, version), keys, version)


@empty_value(0)
def sunionstore(cx: Context, destination: Key, *keys: Key, version: int | None = None) -> Op[int]:
    """Store the result of `sunion`, replacing an existing entry; return the number of members."""
    return _kept(cx, "SUNIONSTORE", cx.keys.key(destination, version), keys, version)


def _kept(cx: Context, command: str, destination: bytes, keys: tuple[Key, ...], version: int | None) -> Op[int]:
    [count] = yield ((command, destination, *(cx.keys.key(key, version) for key in keys)),)
    return int(count)


@empty_value((0, []))
def sscan_page(  # noqa: PLR0917  # the order of SSCAN's own arguments
    cx: Context,
    key: Key,
    cursor: int = 0,
    match: str | None = None,
    count: int | None = None,
    version: int | None = None,
) -> Op[tuple[int, list[object]]]:
    """Return one page of a set's members: the next cursor, 0 on the last page, and the members that match.

    A member may occur more than once, on different pages.

    Args:
        key: the entry's name, without prefix and version.
        cursor: 0 to start, else the cursor returned by the previous page.
        match: a glob over members that are text, bytes or numbers. Matched here, since the server has only the
            serialized members, so the server sends all of them.
        count: number of members that the server examines; the alias's SCAN_COUNT if None.
        version: the key's version; the alias's own if None.
    """
    # A cursor is valid on one server only, so every page is read from the primary.
    [[cursor, found]] = yield OnPrimary(
        (("SSCAN", cx.keys.key(key, version), cursor, "COUNT", argument(count) or cx.scan_count),)
    )
    return int(cursor), list(filter(matching(match), decoded(cx, found)))


@empty_value((0, []))
def sscan_iter(
    cx: Context, key: Key, match: str | None = None, count: int | None = None, version: int | None = None
) -> Pages[object]:
    """Iterate over the matching members of a set, page by page. A member may occur more than once.

    Arguments are those of `sscan_page`.
    """
    return lambda cursor: sscan_page(cx, key, cursor, match, count, version)


@empty_value(set())
def sscan(
    cx: Context, key: Key, match: str | None = None, count: int | None = None, version: int | None = None
) -> Op[Members]:
    """Return all matching members of a set, as `smembers` does.

    Arguments are those of `sscan_page`.
    """
    return together((yield from all_pages(sscan_iter(cx, key, match, count, version))))
