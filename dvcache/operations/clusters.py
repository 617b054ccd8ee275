"""Additional operations of clusters, named as in django-valkey's DefaultClusterClient."""

# ruff: noqa: ARG001  # some arguments exist for compatibility only

from collections.abc import Iterable, Mapping
from typing import Any

from dvcache.context import Context
from dvcache.effects import Op
from dvcache.operations import many, scan
from dvcache.policies.empty_values import empty_value
from dvcache.routing.lease_keys import lease_of
from dvcache.routing.slots import slot
from dvcache.scripts.entries import STORE_ALL
from dvcache.scripts.script import evaluate
from dvcache.types import DEFAULT, Batch, Key, Timeout


def keyslot(cx: Context, key: Key, version: int | None = None) -> Op[int]:
    """Return the hash slot of an entry, 0 to 16383.

    Args:
        key: the entry's name, without prefix and version.
        version: the key's version; the alias's own if None.
    """
    yield from ()
    return slot(cx.keys.key(key, version))


@empty_value(False)
def flushall(cx: Context, asynchronous: bool = False) -> Op[bool]:
    """Remove every entry of every database of every primary.

    Rests on FLUSHALL (https://valkey.io/commands/flushall/).

    Args:
        asynchronous: whether the servers free the memory in the background.
    """
    yield (("FLUSHALL", "ASYNC" if asynchronous else "SYNC"),)
    cx.single_flight.detach_all()
    return True


@empty_value([])
def keys(
    cx: Context,
    search: str = "*",
    version: int | None = None,
    *,
    pattern: str | None = None,
    target_nodes: object = None,
) -> Op[list[str]]:
    """Return the names of the entries that match a pattern, without duplicates, from all primaries.

    Args:
        search: a glob over names without prefix and version: `*`, `?`, `[abc]`, backslash to escape.
        version: the version to search; the alias's own if None.
        pattern: another name for `search`.
        target_nodes: accepted and ignored: a single node has only part of the entries.

    Raises:
        ValueError: the pattern is empty.
    """
    return scan.keys(cx, search if pattern is None else pattern, version)


@empty_value(False)
def mset(
    cx: Context,
    data: Mapping[Any, object],
    timeout: Timeout = DEFAULT,
    version: int | None = None,
    *,
    nx: bool = False,
    atomic: bool | None = None,
) -> Op[bool | list[bool]]:
    """Store the values; return whether all were stored, or with `atomic=False` a list with the result of each.

    Args:
        data: the values by key.
        timeout: seconds or a timedelta, to the millisecond; None for no expiry; 0 or less deletes the entries.
        version: the version to store under; the alias's own if None.
        nx: store all of them only if none of the entries exists, atomically.
        atomic: True to store all at once, which requires all keys in one slot; None to do so if they are in one slot,
            else slot by slot; False for `mset_nonatomic`.

    Raises:
        NotSupportedError: the keys are in several slots. Nothing was sent.
    """
    if nx or atomic or (atomic is None and len({slot(cx.keys.key(key, version)) for key in data}) == 1):
        return (yield from _store_all(cx, data, timeout, version, nx=nx))
    if atomic is None:
        return (yield from many.mset(cx, data, timeout, version))
    return (yield from mset_nonatomic(cx, data, timeout, version))


@empty_value(False)
def msetnx(cx: Context, data: Mapping[Any, object], timeout: Timeout = DEFAULT, version: int | None = None) -> Op[bool]:
    """Store all values if none of the entries exists, atomically; return whether they were stored.

    Arguments and errors are those of `mset`; the keys must be in one slot.
    """
    return _store_all(cx, data, timeout, version, nx=True)


@empty_value(lambda data: [False] * len(data))
def mset_nonatomic(
    cx: Context, data: Mapping[Any, object], timeout: Timeout = DEFAULT, version: int | None = None
) -> Op[list[bool]]:
    """Store the values in any slots; return for each whether it was stored. Arguments are those of `set_many`."""
    failed = yield from many.set_many(cx, data, timeout, version)
    return [key not in failed for key in data]


@empty_value({})
def mget_nonatomic(cx: Context, keys: Iterable[Key], version: int | None = None) -> Op[dict[Key, object]]:
    """Return the values, as `get_many` does."""
    return many.get_many(cx, keys, version)


@empty_value(False)
def readonly(cx: Context, target_nodes: object = None) -> Op[bool]:
    """Send reads to replicas from now on, for all users of this cache's connections.

    Args:
        target_nodes: accepted and ignored: all replicas are read in turn.
    """
    yield (("READONLY",),)
    return True


@empty_value(False)
def readwrite(cx: Context, target_nodes: object = None) -> Op[bool]:
    """Send all commands to primaries from now on. Arguments are those of `readonly`."""
    yield (("READWRITE",),)
    return True


def invalidate_key_from_cache(cx: Context) -> Op[None]:
    """Do nothing: there is no client-side cache."""
    yield from ()


def _store_all(cx: Context, data: Mapping[Any, object], timeout: Timeout, version: int | None, *, nx: bool) -> Op[bool]:
    stored = {cx.keys.key(key, version): cx.codec.dumps(value) for key, value in data.items()}
    lifetime = cx.lifetime(timeout)
    if lifetime == 0 or not stored:
        yield from many.delete_many(cx, data, version)
        return True
    leases: Batch = (("UNLINK", *(lease_of(key, cx.placement) for key in stored)),) if cx.herd.timeout else ()
    # The leases go before and after the script: a holder in between must not store its older value (rule 3 of the
    # herd).
    arguments = ("NX" if nx else "", cx.herd.timeout, "" if lifetime is None else lifetime, *stored.values())
    try:
        if leases:
            yield leases
        done = yield from evaluate(STORE_ALL, tuple(stored), arguments)
        if leases:
            yield leases
    finally:
        cx.single_flight.detach(*stored)
    return bool(done)
