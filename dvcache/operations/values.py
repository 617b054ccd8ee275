"""Single entries: get, set, add, delete, touch, has_key, get_or_set."""

# ruff: noqa: D417  # the context is not the caller's to pass

from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar, overload

from dvcache.operations.context import Context
from dvcache.types import DEFAULT, Key, Op, Timeout

T = TypeVar("T")


def get(cx: Context, key: Key, default: object = None, version: int | None = None) -> Op[object]:
    """Return the value of an entry, or `default` where there is none.

    Args:
        key: the entry's name, without prefix and version.
        default: what a miss returns. An entry that cannot be decoded is a miss.
        version: the version to look in; the alias's own where None.
    """
    return cx.policy.get(cx, key, default, version)


@overload
def set(  # noqa: A001  # the operation's name
    cx: Context,
    key: Key,
    value: object,
    timeout: Timeout = DEFAULT,
    version: int | None = None,
    *,
    nx: bool = False,
    xx: bool = False,
    get: Literal[False] = False,
) -> Op[bool]: ...
@overload
def set(  # noqa: A001  # the operation's name
    cx: Context,
    key: Key,
    value: object,
    timeout: Timeout = DEFAULT,
    version: int | None = None,
    *,
    nx: bool = False,
    xx: bool = False,
    get: bool,
) -> Op[object]: ...
def set(  # noqa: A001  # the operation's name
    cx: Context,
    key: Key,
    value: object,
    timeout: Timeout = DEFAULT,
    version: int | None = None,
    *,
    nx: bool = False,
    xx: bool = False,
    get: bool = False,
) -> Op[object]:
    """Store a value and say whether it was stored; with `get`, return the value that was there before, or None.

    Rests on SET, whose GET goes with NX as of Valkey 7.2 and Redis 7.0.

    Args:
        key: the entry's name, without prefix and version.
        value: what to store.
        timeout: seconds or a timedelta, to the millisecond; None for ever; 0 or less deletes the entry.
        version: the version to store under; the alias's own where None.
        nx: store only where there is no entry.
        xx: store only where there is one.
        get: return the previous value.

    Raises:
        SerializationError: the value cannot be stored; nothing was sent.
        ValueError: both `nx` and `xx`, or a timeout that is not a number.
    """
    if nx and xx:
        raise ValueError("set: nx and xx exclude each other")
    if get:
        return cx.policy.exchange(cx, key, value, timeout, version, nx, xx)
    return cx.policy.set(cx, key, value, timeout, version, nx, xx)


def add(cx: Context, key: Key, value: object, timeout: Timeout = DEFAULT, version: int | None = None) -> Op[bool]:
    """Store a value where there is no entry, and say whether it was stored. Arguments and errors as for `set`."""
    return cx.policy.add(cx, key, value, timeout, version)


def delete(cx: Context, key: Key, version: int | None = None, prefix: str | None = None) -> Op[bool]:
    """Remove an entry and say whether there was one.

    Args:
        key: the entry's name, without prefix and version.
        version: the version to look in; the alias's own where None.
        prefix: the prefix to look under; the alias's own where None.
    """
    return cx.policy.delete(cx, key, version, prefix)


def touch(cx: Context, key: Key, timeout: Timeout = DEFAULT, version: int | None = None) -> Op[bool]:
    """Give an entry a new lifetime and say whether there was one.

    Args:
        key: the entry's name, without prefix and version.
        timeout: seconds or a timedelta, to the millisecond; None for ever; 0 or less deletes the entry.
        version: the version to look in; the alias's own where None.
    """
    return cx.policy.touch(cx, key, timeout, version)


def has_key(cx: Context, key: Key, version: int | None = None) -> Op[bool]:
    """Say whether there is an entry."""
    return cx.policy.has_key(cx, key, version)


@overload
def get_or_set(
    cx: Context, key: Key, default: Callable[[], Awaitable[T]], timeout: Timeout = DEFAULT, version: int | None = None
) -> Op[T]: ...
@overload
def get_or_set(
    cx: Context, key: Key, default: Callable[[], T], timeout: Timeout = DEFAULT, version: int | None = None
) -> Op[T]: ...
@overload
def get_or_set(cx: Context, key: Key, default: T, timeout: Timeout = DEFAULT, version: int | None = None) -> Op[T]: ...
def get_or_set(
    cx: Context,
    key: Key,
    default: object,
    timeout: Timeout = DEFAULT,
    version: int | None = None,
) -> Op[object]:
    """Return the value of an entry; where there is none, store `default` and return it.

    It reads from the primary, also where there are replicas: one that lags would have everybody compute again. Of
    callers that find no entry at once, each computes; the first one's value is stored, and all return that. With the
    herd policy one computes, everywhere, and the others wait for its value or are served the stale one.

    Args:
        key: the entry's name, without prefix and version.
        default: the value, or a function that makes it. An asynchronous cache awaits what the function returns.
        timeout: seconds or a timedelta, to the millisecond; None for ever; 0 or less stores nothing.
        version: the version to use; the alias's own where None.

    Raises:
        SerializationError: the value cannot be stored; nothing was sent after it was made.
    """
    return cx.policy.get_or_set(cx, key, default, timeout, version)
