"""Single entries: get, set, add, delete, touch, has_key, get_or_set."""

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from dvcache.operations.context import Context
from dvcache.types import DEFAULT, MISSING, Call, Key, Op, Timeout

T = TypeVar("T")


def get(cx: Context, key: Key, default: object = None, version: int | None = None) -> Op[object]:
    """Return the value of an entry, or `default` where there is none.

    Args:
        key: the entry's name, without prefix and version.
        default: what a miss returns. An entry that cannot be decoded is a miss.
        version: the version to look in; the alias's own where None.
    """
    return cx.policy.get(cx, key, default, version)


def set(  # noqa: A001  # the operation's name
    cx: Context,
    key: Key,
    value: object,
    timeout: Timeout = DEFAULT,
    version: int | None = None,
    *,
    nx: bool = False,
    xx: bool = False,
) -> Op[bool]:
    """Store a value and say whether it was stored.

    Args:
        timeout: seconds or a timedelta, to the millisecond; None for ever; 0 or less deletes the entry.
        nx: store only where there is no entry.
        xx: store only where there is one.

    Raises:
        SerializationError: the value cannot be stored; nothing was sent.
        ValueError: both `nx` and `xx`.
    """
    if nx and xx:
        raise ValueError("set: nx and xx exclude each other")
    return cx.policy.set(cx, key, value, timeout, version, nx, xx)


def exchange(
    cx: Context,
    key: Key,
    value: object,
    timeout: Timeout = DEFAULT,
    version: int | None = None,
    *,
    nx: bool = False,
    xx: bool = False,
) -> Op[object]:
    """Store a value and return the one that was there before, or None: `set(…, get=True)`."""
    raise NotImplementedError


def add(cx: Context, key: Key, value: object, timeout: Timeout = DEFAULT, version: int | None = None) -> Op[bool]:
    """Store a value where there is no entry, and say whether it was stored. Arguments as for `set`."""
    return cx.policy.add(cx, key, value, timeout, version)


def delete(cx: Context, key: Key, version: int | None = None) -> Op[bool]:
    """Remove an entry and say whether there was one."""
    return cx.policy.delete(cx, key, version)


def touch(cx: Context, key: Key, timeout: Timeout = DEFAULT, version: int | None = None) -> Op[bool]:
    """Give an entry a new lifetime and say whether there was one. A timeout of 0 or less deletes it."""
    return cx.policy.touch(cx, key, timeout, version)


def has_key(cx: Context, key: Key, version: int | None = None) -> Op[bool]:
    """Say whether there is an entry."""
    return cx.policy.has_key(cx, key, version)


def get_or_set(
    cx: Context,
    key: Key,
    default: Callable[[], Awaitable[T]] | Callable[[], T] | T,
    timeout: Timeout = DEFAULT,
    version: int | None = None,
) -> Op[T]:
    """Return the value of an entry; where there is none, store `default` and return it.

    Args:
        default: the value, or a function that makes it. An asynchronous cache awaits what the function returns.
    """
    found = yield from _guarded(cx, "get", cx.policy.get(cx, key, MISSING, version), (key, MISSING, version))
    if found is not MISSING:
        return cast("T", found)
    value = (yield Call(default)) if callable(default) else default
    added = yield from _guarded(cx, "add", cx.policy.add(cx, key, value, timeout, version), (key, value))
    if not added:
        value = yield from _guarded(cx, "get", cx.policy.get(cx, key, value, version), (key, value, version))
    return cast("T", value)


def _guarded(cx: Context, name: str, op: Op[T], args: tuple[object, ...]) -> Op[T]:
    return op if cx.policy.guard is None else cx.policy.guard(cx, name, op, args, {})
