"""Operations on single entries: get, set, add, delete, touch, has_key, get_or_set."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar, overload

from typing_extensions import TypeForm

from dvcache import value_types
from dvcache.context import Context
from dvcache.effects import Op
from dvcache.policies.empty_values import empty_value
from dvcache.types import DEFAULT, MISSING, Key, Timeout

T = TypeVar("T")
D = TypeVar("D")


@overload
def get(cx: Context, key: Key, default: object = None, version: int | None = None) -> Op[object]: ...
@overload
def get(
    cx: Context, key: Key, default: None = None, version: int | None = None, *, as_: TypeForm[T]
) -> Op[T | None]: ...
@overload
def get(cx: Context, key: Key, default: D, version: int | None = None, *, as_: TypeForm[T]) -> Op[T | D]: ...
@empty_value(lambda default: default)
def get(
    cx: Context, key: Key, default: object = None, version: int | None = None, as_: TypeForm[Any] = object
) -> Op[object]:
    """Return the value of an entry, or `default` if it does not exist.

    Args:
        key: the entry's name, without prefix and version.
        default: returned for a missing entry or one that cannot be decoded.
        version: the key's version; the alias's own if None.
        as_: the type of the value, such as `Basket`, `list[int]` or `int | None`. A value of another type is a miss,
            counted and logged as an entry that cannot be decoded. Checked by `isinstance`: True is an int, and the
            elements of a list are not checked.

    Raises:
        TypeError: `isinstance` cannot check `as_`, such as a `Literal` or a `TypedDict`; nothing was sent.
    """
    if as_ is object:
        return cx.policy.get(cx, key, default, version)
    kind = value_types.value_type(as_)
    return value_types.one(cx.policy.get(cx, key, MISSING, version), kind, cx.codec, default, MISSING)


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
@empty_value(lambda get: None if get else False)
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
    """Store a value; return whether it was stored, or with `get` the previous value, None if there was none.

    Rests on SET, which accepts GET with NX as of Valkey 7.2 and Redis 7.0.

    Args:
        key: the entry's name, without prefix and version.
        value: the value to store.
        timeout: seconds or a timedelta, to the millisecond; None for no expiry; 0 or less deletes the entry.
        version: the version to store under; the alias's own if None.
        nx: whether to store only if the entry does not exist.
        xx: whether to store only if the entry exists.
        get: whether to return the previous value.

    Raises:
        SerializationError: the value cannot be stored; nothing was sent.
        ValueError: both `nx` and `xx`, or a timeout that is NaN.
    """
    if nx and xx:
        raise ValueError("set: nx and xx exclude each other")
    if get:
        return cx.policy.get_and_set(cx, key, value, timeout, version, nx, xx)
    return cx.policy.set(cx, key, value, timeout, version, nx, xx)


@empty_value(False)
def add(cx: Context, key: Key, value: object, timeout: Timeout = DEFAULT, version: int | None = None) -> Op[bool]:
    """Store a value if the entry does not exist; return whether it was stored.

    Arguments and errors are those of `set`.
    """
    return cx.policy.add(cx, key, value, timeout, version)


@empty_value(False)
def delete(cx: Context, key: Key, version: int | None = None, prefix: str | None = None) -> Op[bool]:
    """Remove an entry; return True if it existed.

    Args:
        key: the entry's name, without prefix and version.
        version: the key's version; the alias's own if None.
        prefix: the key's prefix; the alias's own if None.
    """
    return cx.policy.delete(cx, key, version, prefix)


@empty_value(False)
def touch(cx: Context, key: Key, timeout: Timeout = DEFAULT, version: int | None = None) -> Op[bool]:
    """Set an entry's lifetime; return True if the entry exists.

    Args:
        key: the entry's name, without prefix and version.
        timeout: seconds or a timedelta, to the millisecond; None for no expiry; 0 or less deletes the entry.
        version: the key's version; the alias's own if None.
    """
    return cx.policy.touch(cx, key, timeout, version)


@empty_value(False)
def has_key(cx: Context, key: Key, version: int | None = None) -> Op[bool]:
    """Return True if an entry exists."""
    return cx.policy.has_key(cx, key, version)


# get_or_set has no empty value: the caller's function must run once and may raise, so each of its parts is guarded.
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
    """Return the value of an entry; if it does not exist, store `default` and return it.

    Reads from the primary even with replicas: a lagging replica would make every caller compute again. Concurrent
    callers that find no entry all compute; the first value is stored, and all return it. With the herd policy one
    caller computes across all processes; the others wait for its value or get the stale one.

    Args:
        key: the entry's name, without prefix and version.
        default: the value, or a function that returns it. An asynchronous cache awaits an awaitable result.
        timeout: seconds or a timedelta, to the millisecond; None for no expiry; 0 or less stores nothing.
        version: the key's version; the alias's own if None.

    Raises:
        SerializationError: the computed value cannot be stored; it was not sent.
    """
    return cx.policy.get_or_set(cx, key, default, timeout, version)
