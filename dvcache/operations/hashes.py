"""Hashes: hset, hget, hgetall and the others; fields with their own expiry. `get` cannot read these entries.

Rests on the commands of the same names (https://valkey.io/commands/#hash). Fields are stored under names like those of
entries, as django-valkey does, and returned under the caller's names. The context decides how the hash itself is named
(`prefixed_hashes`).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from dvcache.context import Context
from dvcache.effects import OnPrimary, Op, Pages
from dvcache.errors import NotSupportedError, ServerError
from dvcache.numeric_arguments import argument
from dvcache.operations.collection_values import all_pages
from dvcache.operations.hash_names import decoded_values, field_name, field_pattern, hash_name, named_values, visible
from dvcache.policies.compare_and_set import lacks
from dvcache.policies.empty_values import empty_value
from dvcache.types import Command, Key, Timeout

_NO_FIELD: Final = -2
"""Reply for the expiry of a missing field."""


@empty_value(0)
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
    """Write fields of a hash, creating it if needed; return how many fields are new.

    With a timeout, atomic by HSETEX (Valkey 9.0, Redis 8.0), and the number of fields written is returned.

    Args:
        name: the entry's name, without prefix and version.
        key: a field.
        value: its value.
        mapping: more fields and their values. An int is the version, as in django-valkey's default client.
        items: more fields and their values, in pairs.
        version: the version of the hash and its fields; the alias's own if None.
        timeout: lifetime of the fields: seconds or a timedelta, to the millisecond; None for no expiry of their own; 0
            or less removes them.

    Raises:
        SerializationError: a value cannot be stored; nothing was sent.
        WrongTypeError: the entry is not a hash.
        NotSupportedError: there is a timeout, and the server does not support expiry of fields.
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


@empty_value(False)
def hsetnx(cx: Context, name: Key, key: Key, value: object, version: int | None = None) -> Op[bool]:
    """Write a field of a hash if it does not exist; return whether it was written. Errors are those of `hset`."""
    stored = hash_name(cx, name, version)
    [written] = yield (("HSETNX", stored, field_name(cx, key, version), cx.codec.dumps(value)),)
    return bool(written)


@empty_value(lambda default: default)
def hget(cx: Context, name: Key, key: Key, version: int | None = None, *, default: object = None) -> Op[object]:
    """Return the value of a field, or `default` if it does not exist.

    Args:
        name: the entry's name, without prefix and version.
        key: the field.
        version: the version of the hash and its fields; the alias's own if None.
        default: returned for a missing field or a value that cannot be decoded.
    """
    [found] = yield (("HGET", hash_name(cx, name, version), field_name(cx, key, version)),)
    return default if found is None else cx.codec.loads(found, default)


@empty_value({})
def hmget(cx: Context, name: Key, keys: Iterable[Key], version: int | None = None) -> Op[dict[Key, object]]:
    """Return the values of the existing fields, by name.

    Raises:
        TypeError: the fields are a single text, which would be iterated by letter.
    """
    if isinstance(keys, str | bytes):
        raise TypeError(f"hmget takes the fields in a list, not {type(keys).__name__}; hget takes one field")
    wanted = {key: field_name(cx, key, version) for key in keys}
    if not wanted:
        return {}
    [found] = yield (("HMGET", hash_name(cx, name, version), *wanted.values()),)
    return decoded_values(cx, zip(wanted, found, strict=True))


@empty_value({})
def hgetall(cx: Context, name: Key, version: int | None = None) -> Op[dict[str, object]]:
    """Return the values of all fields, by name."""
    [found] = yield (("HGETALL", hash_name(cx, name, version)),)
    return dict(named_values(cx, found, version))


@empty_value([])
def hkeys(cx: Context, name: Key, version: int | None = None) -> Op[list[str]]:
    """Return the names of all fields.

    Raises:
        NotSupportedError: the KEY_FUNCTION cannot be reversed, and there is no REVERSE_KEY_FUNCTION.
    """
    [found] = yield (("HKEYS", hash_name(cx, name, version)),)
    return [name for _, name in visible(cx, found, version)]


@empty_value([])
def hvals(cx: Context, name: Key, version: int | None = None) -> Op[list[object]]:
    """Return the values of all fields, in the order of `hkeys`, without values that cannot be decoded."""
    [found] = yield (("HVALS", hash_name(cx, name, version)),)
    return list(decoded_values(cx, enumerate(found)).values())


@empty_value(None)
def hlen(cx: Context, name: Key, version: int | None = None) -> Op[int]:
    """Return the number of fields of a hash: 0 if it does not exist."""
    [count] = yield (("HLEN", hash_name(cx, name, version)),)
    return int(count)


@empty_value(False)
def hexists(cx: Context, name: Key, key: Key, version: int | None = None) -> Op[bool]:
    """Return True if a hash has a field."""
    [found] = yield (("HEXISTS", hash_name(cx, name, version), field_name(cx, key, version)),)
    return bool(found)


@empty_value(0)
def hdel(cx: Context, name: Key, key: Key, version: int | None = None) -> Op[int]:
    """Remove a field; return the number removed: 1 or 0."""
    [removed] = yield (("HDEL", hash_name(cx, name, version), field_name(cx, key, version)),)
    return int(removed)


@empty_value(None)
def hincrby(cx: Context, name: Key, key: Key, delta: int = 1, version: int | None = None) -> Op[int]:
    """Add to an integer field, atomically, and return the sum. A missing field counts as 0.

    Raises:
        ServerError: the field holds something else, or the sum exceeds 64 bits. Nothing was written.
    """
    [total] = yield (("HINCRBY", hash_name(cx, name, version), field_name(cx, key, version), argument(delta)),)
    return int(total)


@empty_value(None)
def hincrbyfloat(cx: Context, name: Key, key: Key, delta: float, version: int | None = None) -> Op[float]:
    """Add to a numeric field, atomically, and return the sum. A missing field counts as 0.

    Raises:
        ServerError: the field holds something else. Nothing was written.
    """
    [total] = yield (("HINCRBYFLOAT", hash_name(cx, name, version), field_name(cx, key, version), argument(delta)),)
    return float(total)


@empty_value(False)
def hexpire(cx: Context, name: Key, key: Key, timeout: Timeout, version: int | None = None) -> Op[bool]:
    """Set a field's lifetime; return True if it exists. Rests on HPEXPIRE (Valkey 9.0, Redis 7.4).

    Args:
        name: the entry's name, without prefix and version.
        key: the field.
        timeout: seconds or a timedelta, to the millisecond; None for no expiry of its own; 0 or less removes it.
        version: the version of the hash and its fields; the alias's own if None.

    Raises:
        NotSupportedError: the server does not support expiry of fields.
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


@empty_value(False)
def hpersist(cx: Context, name: Key, key: Key, version: int | None = None) -> Op[bool]:
    """Remove a field's expiry; return True if it had one. Errors are those of `hexpire`."""
    field = field_name(cx, key, version)
    [state] = yield from _of_fields(("HPERSIST", hash_name(cx, name, version), "FIELDS", 1, field))
    return bool(state == 1)


@empty_value(0)
def httl(cx: Context, name: Key, key: Key, version: int | None = None) -> Op[int | None]:
    """Return a field's remaining seconds, rounded up: None for no expiry, 0 for no field."""
    left = yield from hpttl(cx, name, key, version)
    return None if left is None else -(-left // 1000)


@empty_value(0)
def hpttl(cx: Context, name: Key, key: Key, version: int | None = None) -> Op[int | None]:
    """Return a field's remaining milliseconds, as `httl`. Errors are those of `hexpire`."""
    field = field_name(cx, key, version)
    [left] = yield from _of_fields(("HPTTL", hash_name(cx, name, version), "FIELDS", 1, field))
    return None if left == -1 else max(0, int(left))


def _of_fields(command: Command) -> Op[Any]:
    """Perform a command on the expiry of fields and return its reply."""
    try:
        [reply] = yield (command,)
    except ServerError as error:
        if not lacks(error):
            raise
        cure = "it needs Valkey 9.0; set the expiry of the whole hash with expire()"
        raise NotSupportedError(f"{command[0]!s}: the server does not support expiry of fields; {cure}") from error
    return reply


@empty_value((0, []))
def hscan_page(  # noqa: PLR0917  # the order of HSCAN's own arguments
    cx: Context,
    name: Key,
    cursor: int = 0,
    match: str | None = None,
    count: int | None = None,
    version: int | None = None,
) -> Op[tuple[int, list[tuple[str, object]]]]:
    """Return one page of a hash's fields: the next cursor, 0 on the last page, and the matching fields with values.

    A field may occur more than once, on different pages.

    Args:
        name: the entry's name, without prefix and version.
        cursor: 0 to start, else the cursor returned by the previous page.
        match: a glob over field names.
        count: number of fields that the server examines; the alias's SCAN_COUNT if None.
        version: the version of the hash and its fields; the alias's own if None.
    """
    pattern = () if match is None else ("MATCH", field_pattern(cx, match, version))
    scan: Command = ("HSCAN", hash_name(cx, name, version), cursor, *pattern, "COUNT", argument(count) or cx.scan_count)
    # A cursor is valid on one server only, so every page is read from the primary.
    [[cursor, found]] = yield OnPrimary((scan,))
    return int(cursor), named_values(cx, found, version)


@empty_value((0, []))
def hscan_iter(
    cx: Context, name: Key, match: str | None = None, count: int | None = None, version: int | None = None
) -> Pages[tuple[str, object]]:
    """Iterate over the matching fields of a hash with their values, page by page. A field may occur more than once.

    Arguments are those of `hscan_page`.
    """
    return lambda cursor: hscan_page(cx, name, cursor, match, count, version)


@empty_value({})
def hscan(
    cx: Context, name: Key, match: str | None = None, count: int | None = None, version: int | None = None
) -> Op[dict[str, object]]:
    """Return all matching fields of a hash with their values.

    Arguments are those of `hscan_page`.
    """
    return dict((yield from all_pages(hscan_iter(cx, name, match, count, version))))
