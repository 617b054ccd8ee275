"""Lists: lpush, rpush, lpop, lrange and the others. Entries of their own kind, which `get` does not read.

Rests on the commands of the same names (https://valkey.io/commands/#list). Those that wait for an element (BLPOP) are
not among them: they would hold a connection for as long as they wait.
"""

# ruff: noqa: D417  # the context is not the caller's to pass

from typing import Final, Literal, TypeAlias, overload

from dvcache.errors import ServerError
from dvcache.operations.context import Context
from dvcache.operations.members import decoded, stored
from dvcache.quantities import argument
from dvcache.types import Key, Op

End: TypeAlias = Literal["LEFT", "RIGHT"]
"""An end of a list: its first element is at the left."""


def lpush(cx: Context, key: Key, *values: object, version: int | None = None) -> Op[int]:
    """Put values before the first element of a list, one after another, and return how long it is then.

    Args:
        key: the entry's name, without prefix and version. A list is made where there is none.
        values: the values; without any, nothing is done.
        version: the version to write to; the alias's own where None.

    Raises:
        SerializationError: a value cannot be stored; nothing was sent.
        WrongTypeError: the entry is no list.
    """
    return _pushed(cx, "LPUSH", key, values, version)


def rpush(cx: Context, key: Key, *values: object, version: int | None = None) -> Op[int]:
    """Put values behind the last element of a list and return how long it is then. Arguments and errors as `lpush`."""
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
def lpop(cx: Context, key: Key, count: int | None = None, version: int | None = None) -> Op[object]:
    """Remove the first element of a list and return it, None where there is none; with `count`, a list of so many.

    Args:
        key: the entry's name, without prefix and version.
        count: how many elements at most.
        version: the version to take from; the alias's own where None.
    """
    return _popped(cx, "LPOP", key, count, version)


@overload
def rpop(cx: Context, key: Key, count: None = None, version: int | None = None) -> Op[object]: ...
@overload
def rpop(cx: Context, key: Key, count: int, version: int | None = None) -> Op[list[object]]: ...
def rpop(cx: Context, key: Key, count: int | None = None, version: int | None = None) -> Op[object]:
    """Remove the last element of a list and return it, as `lpop`; with `count`, a list of so many, the last first."""
    return _popped(cx, "RPOP", key, count, version)


def _popped(cx: Context, command: str, key: Key, count: int | None, version: int | None) -> Op[object]:
    name = cx.keys.key(key, version)
    if count is None:
        [found] = yield ((command, name),)
        return None if found is None else cx.codec.loads(found, None)
    [found] = yield ((command, name, argument(count)),)
    return decoded(cx, found or ())


def llen(cx: Context, key: Key, version: int | None = None) -> Op[int]:
    """Return how many elements a list has: 0 where there is none."""
    [length] = yield (("LLEN", cx.keys.key(key, version)),)
    return int(length)


def lrange(cx: Context, key: Key, start: int = 0, end: int = -1, version: int | None = None) -> Op[list[object]]:
    """Return elements of a list, without those that cannot be decoded.

    Args:
        key: the entry's name, without prefix and version.
        start: the first one's index; negative ones count from the end.
        end: the last one's index, which is included.
        version: the version to look in; the alias's own where None.
    """
    [found] = yield (("LRANGE", cx.keys.key(key, version), argument(start), argument(end)),)
    return decoded(cx, found)


def lindex(cx: Context, key: Key, index: int, version: int | None = None) -> Op[object]:
    """Return one element of a list, None where there is none. A negative index counts from the end."""
    [found] = yield (("LINDEX", cx.keys.key(key, version), argument(index)),)
    return None if found is None else cx.codec.loads(found, None)


def lpos(cx: Context, key: Key, value: object, version: int | None = None) -> Op[int | None]:
    """Return the index of the first element that equals a value, None where there is none."""
    [index] = yield (("LPOS", cx.keys.key(key, version), stored(cx, value)),)
    return None if index is None else int(index)


def lset(cx: Context, key: Key, index: int, value: object, version: int | None = None) -> Op[bool]:
    """Replace one element of a list and say whether there was one. A negative index counts from the end."""
    try:
        yield (("LSET", cx.keys.key(key, version), argument(index), stored(cx, value)),)
    except ServerError as error:
        if error.message not in _NO_ELEMENT:
            raise
        return False
    return True


_NO_ELEMENT: Final = frozenset({"ERR no such key", "ERR index out of range"})


def lrem(cx: Context, key: Key, count: int, value: object, version: int | None = None) -> Op[int]:
    """Remove elements of a list that equal a value and return how many there were.

    Args:
        key: the entry's name, without prefix and version.
        count: how many at most, from the left; where negative, from the right; 0 for all.
        value: the value.
        version: the version to remove from; the alias's own where None.
    """
    [removed] = yield (("LREM", cx.keys.key(key, version), argument(count), stored(cx, value)),)
    return int(removed)


def ltrim(cx: Context, key: Key, start: int, end: int, version: int | None = None) -> Op[bool]:
    """Remove all elements of a list but those from one index to another, as `lrange` returns them; return True."""
    yield (("LTRIM", cx.keys.key(key, version), argument(start), argument(end)),)
    return True


def linsert(  # noqa: PLR0917  # the order of LINSERT's own arguments
    cx: Context,
    key: Key,
    where: Literal["BEFORE", "AFTER"],
    pivot: object,
    value: object,
    version: int | None = None,
) -> Op[int]:
    """Put a value beside the first element that equals `pivot` and return how long the list is then.

    Args:
        key: the entry's name, without prefix and version.
        where: on which side of that element.
        pivot: what the element equals.
        value: the value.
        version: the version to write to; the alias's own where None.

    Returns:
        -1 where no element equals `pivot`, 0 where there is no list.
    """
    [length] = yield (("LINSERT", cx.keys.key(key, version), where, stored(cx, pivot), stored(cx, value)),)
    return int(length)


def lmove(  # noqa: PLR0917  # the order of LMOVE's own arguments
    cx: Context,
    source: Key,
    destination: Key,
    src: End = "LEFT",
    dest: End = "RIGHT",
    version: int | None = None,
) -> Op[object]:
    """Move an element from one end of a list to one of another, atomically, and return it, None where there is none.

    Args:
        source: the name of the list that it leaves.
        destination: the name of the list that it goes to, which may be the same.
        src: at which end it leaves.
        dest: at which end it arrives.
        version: the version of both; the alias's own where None.

    Raises:
        NotSupportedError: the two lists are on different servers.
    """
    [found] = yield (("LMOVE", cx.keys.key(source, version), cx.keys.key(destination, version), src, dest),)
    return None if found is None else cx.codec.loads(found, None)
