"""Many entries at once: get_many, set_many, delete_many, and their older names mget and mset."""

# ruff: noqa: D417  # the context is not the caller's to pass

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from dvcache.operations.context import Context
from dvcache.types import DEFAULT, Key, Op, Timeout


def get_many(cx: Context, keys: Iterable[Key], version: int | None = None) -> Op[dict[Key, object]]:
    """Return the values of the entries that there are, by their keys.

    Args:
        keys: the entries' names, from any iterable; one round trip for each 500.
        version: the version to look in; the alias's own where None.
    """
    return cx.policy.get_many(cx, keys, version)


def set_many(
    cx: Context,
    data: Mapping[Any, object],
    timeout: Timeout = DEFAULT,
    version: int | None = None,
    *,
    herd: bool = True,
) -> Op[list[Key]]:
    """Store the values and return the keys that could not be stored.

    Not atomic: others may see some of the entries before the rest. Every value is serialized before any is sent.

    Args:
        data: the values by their keys; one round trip for each 500.
        timeout: seconds or a timedelta, to the millisecond; None for ever; 0 or less deletes the entries.
        version: the version to store under; the alias's own where None.
        herd: under the herd policy, whether the entries are kept, stale, after their timeout. Without that they end
            with it, and are due to be recomputed so much earlier.

    Raises:
        TypeError: `data` is no mapping.
        SerializationError: a value cannot be stored; nothing was sent.
        ServerError: the server refused every one of them.
    """
    if not herd:
        cx = replace(cx, herd=replace(cx.herd, timeout=0))
    return cx.policy.set_many(cx, _mapping(data), timeout, version)


def delete_many(cx: Context, keys: Iterable[Key], version: int | None = None) -> Op[int]:
    """Remove the entries and return how many there were."""
    return cx.policy.delete_many(cx, keys, version)


def mget(cx: Context, keys: Iterable[Key], version: int | None = None) -> Op[dict[Key, object]]:
    """Do as `get_many`."""
    return cx.policy.get_many(cx, keys, version)


def mset(cx: Context, data: Mapping[Any, object], timeout: Timeout = DEFAULT, version: int | None = None) -> Op[bool]:
    """Store the values as `set_many` does and say whether all of them were stored."""
    return not (yield from cx.policy.set_many(cx, _mapping(data), timeout, version))


def _mapping(data: Mapping[Any, object]) -> Mapping[Any, object]:
    if not hasattr(data, "items"):
        raise TypeError(f"a mapping of keys to values is needed, not a {type(data).__name__}; write dict(…)")
    return data
