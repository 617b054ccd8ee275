"""Bulk operations: get_many, get_or_set_many, set_many, delete_many, and the older names mget and mset."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, overload

from typing_extensions import TypeForm

from dvcache import value_types
from dvcache.context import Context
from dvcache.effects import Op
from dvcache.policies import compute_many
from dvcache.policies.empty_values import empty_value
from dvcache.types import DEFAULT, Awaited, Key, Timeout

K = TypeVar("K", bound=Key)
T = TypeVar("T")


@overload
def get_many(cx: Context, keys: Iterable[Key], version: int | None = None) -> Op[dict[Key, object]]: ...
@overload
def get_many(cx: Context, keys: Iterable[Key], version: int | None = None, *, as_: TypeForm[T]) -> Op[dict[Key, T]]: ...
@empty_value({})
def get_many(
    cx: Context, keys: Iterable[Key], version: int | None = None, as_: TypeForm[Any] = object
) -> Op[dict[Key, Any]]:
    """Return the values of the existing entries, by key.

    Args:
        keys: an iterable of the entries' names; sent in chunks of 500, one round trip each.
        version: the keys' version; the alias's own if None.
        as_: the type of the values, as in `get`; values of another type are left out.

    Raises:
        TypeError: `isinstance` cannot check `as_`; nothing was sent.
    """
    if as_ is object:
        return cx.policy.get_many(cx, keys, version)
    kind = value_types.value_type(as_)
    return value_types.many(cx.policy.get_many(cx, keys, version), kind, cx.codec)


@empty_value(lambda data: [*data])
def set_many(
    cx: Context,
    data: Mapping[Any, object],
    timeout: Timeout = DEFAULT,
    version: int | None = None,
    *,
    herd: bool = True,
) -> Op[list[Key]]:
    """Store the values; return the keys that could not be stored.

    Not atomic: other clients may see some of the entries before the rest. All values are serialized before any is sent.

    Args:
        data: the values by key; sent in chunks of 500, one round trip each.
        timeout: seconds or a timedelta, to the millisecond; None for no expiry; 0 or less deletes the entries.
        version: the version to store under; the alias's own if None.
        herd: with the herd policy, whether entries are kept, stale, after their timeout. If False they expire at their
            timeout, so become due for recomputation earlier.

    Raises:
        TypeError: `data` is not a mapping.
        SerializationError: a value cannot be stored; nothing was sent.
        ServerError: the server refused all of them.
    """
    if not herd:
        cx = replace(cx, herd=replace(cx.herd, timeout=0))
    return cx.policy.set_many(cx, _mapping(data), timeout, version)


@empty_value(0)
def delete_many(cx: Context, keys: Iterable[Key], version: int | None = None) -> Op[int]:
    """Remove the entries; return the number removed."""
    return cx.policy.delete_many(cx, keys, version)


@empty_value({})
def mget(cx: Context, keys: Iterable[Key], version: int | None = None) -> Op[dict[Key, object]]:
    """Return the values, as `get_many` does."""
    return cx.policy.get_many(cx, keys, version)


@empty_value(False)
def mset(cx: Context, data: Mapping[Any, object], timeout: Timeout = DEFAULT, version: int | None = None) -> Op[bool]:
    """Store the values as `set_many` does; return True if all were stored."""
    return not (yield from cx.policy.set_many(cx, _mapping(data), timeout, version))


# No empty value: the caller's function must run once and may raise, so each part of the operation is guarded.
def get_or_set_many(
    cx: Context,
    keys: Iterable[K],
    default: Callable[[list[K]], Awaited[Mapping[K, T]]],
    timeout: Timeout = DEFAULT,
    version: int | None = None,
) -> Op[dict[K, T]]:
    """Return the values of entries, by key; compute and store those that do not exist.

    Reads from the primary, as `get_or_set` does. A value that another caller stored meanwhile is kept and returned.
    With the herd policy one caller computes each stale entry, and the others get the stale value.

    Args:
        keys: an iterable of the entries' names; sent in chunks of 500.
        default: a function, called once with the list of missing keys unless there is none; returns their values by
            key. A key that it leaves out is left out of the result. An asynchronous cache awaits an awaitable result.
        timeout: seconds or a timedelta, to the millisecond; None for no expiry; 0 or less stores nothing.
        version: the keys' version; the alias's own if None.

    Raises:
        TypeError: `default` is no function, or returned no mapping.
        ValueError: `default` returned a key that is not one of the missing ones; nothing was stored.
        SerializationError: a computed value cannot be stored; none was sent.
    """
    if not callable(default):
        raise TypeError(f"get_or_set_many: a function of the missing keys is needed, not {type(default).__name__}")
    compute: Any = cx.policy.get_or_set_many or compute_many.get_or_set_many
    values: Op[dict[K, T]] = compute(cx, keys, default, timeout, version)
    return values


def _mapping(data: Mapping[Any, object]) -> Mapping[Any, object]:
    if not hasattr(data, "items"):
        raise TypeError(f"a mapping of keys to values is needed, not a {type(data).__name__}; write dict(…)")
    return data
