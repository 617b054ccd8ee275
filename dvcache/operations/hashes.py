"""Hashes: hset, hget, hgetall and the others; fields with a lifetime of their own. Entries that `get` does not read.

Rests on the commands of the same names (https://valkey.io/commands/#hash). Fields are stored under the names that
entries have, as django-valkey stores them, and come back under the caller's. How the hash itself is named is the
context's to say (`prefixed_hashes`).
"""

# ruff: noqa: D417  # the context is not the caller's to pass

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from dvcache.errors import NotSupportedError, ServerError
from dvcache.operations.context import Context
from dvcache.operations.hash_names import field_name, field_pattern, hash_name, visible
from dvcache.operations.swaps import lacks
from dvcache.quantities import argument
from dvcache.types import MISSING, Command, Fresh, Key, Op, Pages, Timeout

K = TypeVar("K")

_NO_FIELD: Final = -2
"""What the server says of the lifetime of a field that is not there."""


def hset(  # noqa: PLR0917  # the order of django-valkey's HashClient
    cx: Context,
    name: Key,
    key: Key | None = None,
    value: object = None,
    mapping: Mapping[Any, object] | int | None = None,
    items: Iterable[tuple[Key, object]] | None = None,
    version: int | None = None,
    *,
    timeout: Timeout = None,
) -> Op[int]:
    """Write fields of a hash, which is made where there is none, and return how many were new.

    With a timeout, atomic by HSETEX (Valkey 9.0, Redis 8.0), and it returns how many were written.

    Args:
        name: the entry's name, without prefix and version.
        key: a field.
        value: its value.
        mapping: more fields and their values. An int is the version, as it is for django-valkey's default client.
        items: more fields and their values, in pairs.
        version: the version of the hash and of its fields; the alias's own where None.
        timeout: how long the fields live: seconds or a timedelta, to the millisecond; None for as long as the hash;
            0 or less removes them.

    Raises:
        SerializationError: a value cannot be stored; nothing was sent.
        WrongTypeError: the entry is no hash.
        NotSupportedError: there is a timeout, and the server's fields have none.
    """
    if isinstance(mapping, int):
        mapping, version = None, mapping
    given = [*({} if mapping is None else mapping).items(), *(items or ())]
    if key is not None:
        given.append((key, value))
    fields = {field_name(cx, field, version): cx.codec.dumps(each) for field, each in given}
    if not fields:
        return 0
    stored = hash_name(cx, name, version)
    written = [part for pair in fields.items() for part in pair]
    lifetime = cx.milliseconds(timeout)
    if lifetime is None:
        [count] = yield (("HSET", stored, *written),)
    elif lifetime == 0:
        yield (("HDEL", stored, *fields),)
        return 0
    else:
        count = len(fields)
        yield from _of_fields(("HSETEX", stored, "PX", lifetime, "FIELDS", count, *written))
    return int(count)


def hsetnx(cx: Context, name: Key, key: Key, value: object, version: int | None = None) -> Op[bool]:
    """Write a field of a hash where there is none, and say whether it was written. Errors as for `hset`."""
    stored = hash_name(cx, name, version)
    [written] = yield (("HSETNX", stored, field_name(cx, key, version), cx.codec.dumps(value)),)
    return bool(written)


def hget(cx: Context, name: Key, key: Key, version: int | None = None, *, default: object = None) -> Op[object]:
    """Return the value of a field, or `default` where there is none.

    Args:
        name: the entry's name, without prefix and version.
        key: the field.
        version: the version of the hash and of its fields; the alias's own where None.
        default: what a miss returns. A value that cannot be decoded is a miss.
    """
    [found] = yield (("HGET", hash_name(cx, name, version), field_name(cx, key, version)),)
    return default if found is None else cx.codec.loads(found, default)


def hmget(cx: Context, name: Key, keys: Iterable[Key], version: int | None = None) -> Op[dict[Key, object]]:
    """Return the values of the fields that there are, by their names.

    Raises:
        TypeError: the fields are one text, whose letters would be taken for them.
    """
    if isinstance(keys, str | bytes):
        raise TypeError(f"hmget takes the fields in a list, not {type(keys).__name__}; hget takes one field")
    wanted = {key: field_name(cx, key, version) for key in keys}
    if not wanted:
        return {}
    [found] = yield (("HMGET", hash_name(cx, name, version), *wanted.values()),)
    return _decoded(cx, zip(wanted, found, strict=True))


def hgetall(cx: Context, name: Key, version: int | None = None) -> Op[dict[str, object]]:
    """Return the values of all fields, by their names."""
    [found] = yield (("HGETALL", hash_name(cx, name, version)),)
    return dict(_named(cx, found, version))


def hkeys(cx: Context, name: Key, version: int | None = None) -> Op[list[str]]:
    """Return the names of all fields.

    Raises:
        NotSupportedError: the KEY_FUNCTION cannot be reversed, and there is no REVERSE_KEY_FUNCTION.
    """
    [found] = yield (("HKEYS", hash_name(cx, name, version)),)
    return [name for _, name in visible(cx, found, version)]


def hvals(cx: Context, name: Key, version: int | None = None) -> Op[list[object]]:
    """Return the values of all fields, in the order of `hkeys`, without those that cannot be decoded."""
    [found] = yield (("HVALS", hash_name(cx, name, version)),)
    return list(_decoded(cx, enumerate(found)).values())


def hlen(cx: Context, name: Key, version: int | None = None) -> Op[int]:
    """Return how many fields a hash has: 0 where there is none."""
    [count] = yield (("HLEN", hash_name(cx, name, version)),)
    return int(count)


def hexists(cx: Context, name: Key, key: Key, version: int | None = None) -> Op[bool]:
    """Say whether a hash has a field."""
    [found] = yield (("HEXISTS", hash_name(cx, name, version), field_name(cx, key, version)),)
    return bool(found)


def hdel(cx: Context, name: Key, key: Key, version: int | None = None) -> Op[int]:
    """Remove a field and return how many there were: 1 or 0."""
    [removed] = yield (("HDEL", hash_name(cx, name, version), field_name(cx, key, version)),)
    return int(removed)


def hincrby(cx: Context, name: Key, key: Key, delta: int = 1, version: int | None = None) -> Op[int]:
    """Add to a field that holds an int, atomically, and return the sum. Where there is none it counts as 0.

    Raises:
        ServerError: the field holds something else, or the sum has more than 64 bits. Nothing was written.
    """
    [total] = yield (("HINCRBY", hash_name(cx, name, version), field_name(cx, key, version), argument(delta)),)
    return int(total)


def hincrbyfloat(cx: Context, name: Key, key: Key, delta: float, version: int | None = None) -> Op[float]:
    """Add to a field that holds a number, atomically, and return the sum. Where there is none it counts as 0.

    Raises:
        ServerError: the field holds something else. Nothing was written.
    """
    [total] = yield (("HINCRBYFLOAT", hash_name(cx, name, version), field_name(cx, key, version), argument(delta)),)
    return float(total)


def hexpire(cx: Context, name: Key, key: Key, timeout: Timeout, version: int | None = None) -> Op[bool]:
    """Give a field a new lifetime and say whether there was one. Rests on HPEXPIRE (Valkey 9.0, Redis 7.4).

    Args:
        name: the entry's name, without prefix and version.
        key: the field.
        timeout: seconds or a timedelta, to the millisecond; None for as long as the hash; 0 or less removes it.
        version: the version of the hash and of its fields; the alias's own where None.

    Raises:
        NotSupportedError: the server's fields have no lifetime.
    """
    stored, field = hash_name(cx, name, version), field_name(cx, key, version)
    lifetime = cx.milliseconds(timeout)
    if lifetime == 0:
        return bool((yield from hdel(cx, name, key, version)))
    if lifetime is None:
        [state] = yield from _of_fields(("HPERSIST", stored, "FIELDS", 1, field))
        return bool(state != _NO_FIELD)
    [state] = yield from _of_fields(("HPEXPIRE", stored, lifetime, "FIELDS", 1, field))
    return bool(state != _NO_FIELD)


def hpersist(cx: Context, name: Key, key: Key, version: int | None = None) -> Op[bool]:
    """Let a field live as long as its hash and say whether that is new. Errors as for `hexpire`."""
    field = field_name(cx, key, version)
    [state] = yield from _of_fields(("HPERSIST", hash_name(cx, name, version), "FIELDS", 1, field))
    return bool(state == 1)


def httl(cx: Context, name: Key, key: Key, version: int | None = None) -> Op[int | None]:
    """Return how many seconds a field has left, rounded up: None for as long as the hash, 0 where there is none."""
    left = yield from hpttl(cx, name, key, version)
    return None if left is None else -(-left // 1000)


def hpttl(cx: Context, name: Key, key: Key, version: int | None = None) -> Op[int | None]:
    """Return how many milliseconds a field has left, as `httl`. Errors as for `hexpire`."""
    field = field_name(cx, key, version)
    [left] = yield from _of_fields(("HPTTL", hash_name(cx, name, version), "FIELDS", 1, field))
    return None if left == -1 else max(0, int(left))


def _of_fields(command: Command) -> Op[Any]:
    """Perform a command of fields' lifetimes and return its reply."""
    try:
        [reply] = yield (command,)
    except ServerError as error:
        if not lacks(error):
            raise
        cure = "it takes Valkey 9.0; give the hash a lifetime with expire()"
        raise NotSupportedError(f"{command[0]!s}: the server gives fields no lifetime; {cure}") from error
    return reply


def hscan_page(  # noqa: PLR0917  # the order of HSCAN's own arguments
    cx: Context,
    name: Key,
    cursor: int = 0,
    match: str | None = None,
    count: int | None = None,
    version: int | None = None,
) -> Op[tuple[int, list[tuple[str, object]]]]:
    """Look at a part of a hash: return where to go on, 0 at the end, and the fields in it that match, with values.

    A field may come more than once, on several pages.

    Args:
        name: the entry's name, without prefix and version.
        cursor: where to go on; 0 to begin.
        match: a glob over the names of fields.
        count: how many fields the server looks at; the alias's SCAN_COUNT where None.
        version: the version of the hash and of its fields; the alias's own where None.
    """
    pattern = () if match is None else ("MATCH", field_pattern(cx, match, version))
    scan: Command = ("HSCAN", hash_name(cx, name, version), cursor, *pattern, "COUNT", argument(count) or cx.scan_count)
    # A cursor means nothing to another server: every page is the primary's.
    [[cursor, found]] = yield Fresh((scan,))
    return int(cursor), _named(cx, found, version)


def hscan_iter(
    cx: Context, name: Key, match: str | None = None, count: int | None = None, version: int | None = None
) -> Pages[tuple[str, object]]:
    """Yield the fields of a hash that match, with their values, page by page. A field may come more than once.

    Arguments are those of `hscan_page`.
    """
    return lambda cursor: hscan_page(cx, name, cursor, match, count, version)


def hscan(
    cx: Context, name: Key, match: str | None = None, count: int | None = None, version: int | None = None
) -> Op[dict[str, object]]:
    """Return the fields of a hash that match, of all its pages, with their values.

    Arguments are those of `hscan_page`.
    """
    cursor, found = yield from hscan_page(cx, name, 0, match, count, version)
    while cursor:
        cursor, more = yield from hscan_page(cx, name, cursor, match, count, version)
        found += more
    return dict(found)


def _named(cx: Context, found: list[bytes], version: int | None) -> list[tuple[str, object]]:
    """Return the fields of a reply by the caller's names, without those whose values cannot be decoded."""
    values = dict(zip(found[::2], found[1::2], strict=True))
    pairs = ((name, values[field]) for field, name in visible(cx, found[::2], version))
    return list(_decoded(cx, pairs).items())


def _decoded(cx: Context, pairs: Iterable[tuple[K, bytes | None]]) -> dict[K, object]:
    """Return the values of what is there and can be decoded."""
    read = ((key, MISSING if data is None else cx.codec.loads(data, MISSING)) for key, data in pairs)
    return {key: value for key, value in read if value is not MISSING}
