"""Lists: lpush, rpush, lpop, lrange and the others. `get` cannot read these entries.

Rests on the commands of the same names (https://valkey.io/commands/#list). Blocking commands (BLPOP) are not included:
they would occupy a connection while they wait.
"""

from typing import Final, Literal, TypeAlias, overload

from dvcache.context import Context
from dvcache.effects import Op
from dvcache.errors import ServerError
from dvcache.numeric_arguments import argument
from dvcache.operations.collection_values import decoded, one_or_many, stored
from dvcache.policies.empty_values import empty_value
from dvcache.types import Key

End: TypeAlias = Literal["LEFT", "RIGHT"]
"""An end of a list: LEFT is before its first element."""


@empty_value(None)
def lpush(cx: Context, key: Key, *values: object, version: int | None = None) -> Op[int]:
    """Insert values before the first element of a list, one after another; return the new length.

    Args:
        key: the entry's name, without prefix and version. The list is created if needed.
        values: the values; without any, nothing is written.
        version: the key's version; the alias's own if None.

    Raises:
        SerializationError: a value cannot be stored; nothing was sent.
        WrongTypeError: the entry is not a list.
    """
    return _pushed(cx, "LPUSH", key, values, version)


@empty_value(None)
def rpush(cx: Context, key: Key, *values: object, version: int | None = None) -> Op[int]:
    """Append values to a list; return the new length. Arguments and errors are those of `lpush`."""
    return _pushed(cx, "RPUSH", key, values, version)


def _pushed(cx: Context, command: str, key: Key, values: tuple[object, ...], version: int | None) -> Op[int]:
    if not values:
        return (yield from llen(cx, key, version))
    [length] = yield ((command, cx.keys.key(key, version), *(stored(cx, value) for value in values)),)
    return int(length)


@overload
def lpop(cx: Context, key: Key, count: None = None, version: int | None = None) -> Op[object]: ...
@overload
def lpop(cx: Context, key: Key, count: int, version: int | None = None) -> Op[list[object]]: ...
@empty_value(lambda count: None if count is None else [])
def lpop(cx: Context, key: Key, count: int | None = None, version: int | None = None) -> Op[object]:
    """Remove and return the first element of a list, None if it is empty; with `count`, a list of elements.

    Args:
        key: the entry's name, without prefix and version.
        count: maximum number of elements.
        version: the key's version; the alias's own if None.
    """
    return one_or_many(cx, "LPOP", key, count, version)


@overload
def rpop(cx: Context, key: Key, count: None = None, version: int | None = None) -> Op[object]: ...
@overload
def rpop(cx: Context, key: Key, count: int, version: int | None = None) -> Op[list[object]]: ...
@empty_value(lambda count: None if count is None else [])
def rpop(cx: Context, key: Key, count: int | None = None, version: int | None = None) -> Op[object]:
    """Remove and return the last element of a list, as `lpop`; with `count`, a list of elements, the last first."""
    return one_or_many(cx, "RPOP", key, count, version)


@empty_value(None)
def llen(cx: Context, key: Key, version: int | None = None) -> Op[int]:
    """Return the length of a list: 0 if it does not exist."""
    [length] = yield (("LLEN", cx.keys.key(key, version)),)
    return int(length)


@empty_value([])
def lrange(cx: Context, key: Key, start: int = 0, end: int = -1, version: int | None = None) -> Op[list[object]]:
    """Return elements of a list, without values that cannot be decoded.

    Args:
        key: the entry's name, without prefix and version.
        start: index of the first element; negative counts from the end.
        end: index of the last element, inclusive.
        version: the key's version; the alias's own if None.
    """
    [found] = yield (("LRANGE", cx.keys.key(key, version), argument(start), argument(end)),)
    return decoded(cx, found)


@empty_value(None)
def lindex(cx: Context, key: Key, index: int, version: int | None = None) -> Op[object]:
    """Return the element at an index, None if there is none. A negative index counts from the end."""
    [found] = yield (("LINDEX", cx.keys.key(key, version), argument(index)),)
    return None if found is None else cx.codec.loads(found, None)


@empty_value(None)
def lpos(cx: Context, key: Key, value: object, version: int | None = None) -> Op[int | None]:
    """Return the index of the first element equal to a value, None if there is none."""
    [index] = yield (("LPOS", cx.keys.key(key, version), stored(cx, value)),)
    return None if index is None else int(index)


@empty_value(False)
def lset(cx: Context, key: Key, index: int, value: object, version: int | None = None) -> Op[bool]:
    """Replace the element at an index; return True if it existed. A negative index counts from the end."""
    try:
        yield (("LSET", cx.keys.key(key, version), argument(index), stored(cx, value)),)
    except ServerError as error:
        if error.message not in _NO_ELEMENT:
            raise
        return False
    return True


_NO_ELEMENT: Final = frozenset({"ERR no such key", "ERR index out of range"})


@empty_value(0)
def lrem(cx: Context, key: Key, count: int, value: object, version: int | None = None) -> Op[int]:
    """Remove elements equal to a value from a list; return the number removed.

    Args:
        key: the entry's name, without prefix and version.
        count: maximum number of elements, from the left; negative from the right; 0 for all.
        value: the value.
        version: the key's version; the alias's own if None.
    """
    [removed] = yield (("LREM", cx.keys.key(key, version), argument(count), stored(cx, value)),)
    return int(removed)


@empty_value(False)
def ltrim(cx: Context, key: Key, start: int, end: int, version: int | None = None) -> Op[bool]:
    """Remove all elements outside a range of indexes, as in `lrange`; return True."""
    yield (("LTRIM", cx.keys.key(key, version), argument(start), argument(end)),)
    return True


@empty_value(None)
def linsert(  # noqa: PLR0917  # the order of LINSERT's own arguments
    cx: Context,
    key: Key,
    where: Literal["BEFORE", "AFTER"],
    pivot: object,
    value: object,
    version: int | None = None,
) -> Op[int]:
    """Insert a value next to the first element equal to `pivot`; return the new length.

    Args:
        key: the entry's name, without prefix and version.
        where: before or after that element.
        pivot: the value of that element.
        value: the value to insert.
        version: the key's version; the alias's own if None.

    Returns:
        The new length; -1 if no element equals `pivot`, 0 if the list does not exist.
    """
    [length] = yield (("LINSERT", cx.keys.key(key, version), where, stored(cx, pivot), stored(cx, value)),)
    return int(length)


@empty_value(None)
def lmove(  # noqa: PLR0917  # the order of LMOVE's own arguments
    cx: Context,
    source: Key,
    destination: Key,
    src: End = "LEFT",
    dest: End = "RIGHT",
    version: int | None = None,
) -> Op[object]:
    """Move an element from an end of one list to an end of another, atomically; return it, None if there is none.

    Args:
        source: the name of the list to take from.
        destination: the name of the list to insert into; may be the same.
        src: the end to take from.
        dest: the end to insert at.
        version: the version of both keys; the alias's own if None.

    Raises:
        NotSupportedError: the two lists are on different servers.
    """
    [found] = yield (("LMOVE", cx.keys.key(source, version), cx.keys.key(destination, version), src, dest),)
    return None if found is None else cx.codec.loads(found, None)
