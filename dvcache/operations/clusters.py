"""What a cluster has beside the other operations, by the names of django-valkey's DefaultClusterClient."""

# ruff: noqa: ARG001, D417  # the context is not the caller's to pass; some arguments are accepted as there

from collections.abc import Iterable, Mapping
from typing import Any

from dvcache.operations import many, scan
from dvcache.operations.context import Context
from dvcache.operations.herd.leases import lease
from dvcache.scripts import STORE_ALL, evaluate
from dvcache.slots import slot
from dvcache.types import DEFAULT, Batch, Key, Op, Timeout


def keyslot(cx: Context, key: Key, version: int | None = None) -> Op[int]:
    """Return the slot of an entry, 0 to 16383.

    Args:
        key: the entry's name, without prefix and version.
        version: the version to look in; the alias's own where None.
    """
    yield from ()
    return slot(cx.keys.key(key, version))


def flushall(cx: Context, asynchronous: bool = False) -> Op[bool]:
    """Remove every entry of every database of every primary.

    Rests on FLUSHALL (https://valkey.io/commands/flushall/).

    Args:
        asynchronous: whether the servers free the memory later.
    """
    yield (("FLUSHALL", "ASYNC" if asynchronous else "SYNC"),)
    cx.flights.detach_all()
    return True


def keys(
    cx: Context,
    search: str = "*",
    version: int | None = None,
    *,
    pattern: str | None = None,
    target_nodes: object = None,
) -> Op[list[str]]:
    """Return the names of the entries that match a pattern, each once, from all primaries.

    Args:
        search: a glob over names without prefix and version: `*`, `?`, `[abc]`, a backslash before what is literal.
        version: the version to look in; the alias's own where None.
        pattern: another name for `search`.
        target_nodes: accepted, and not used: one node alone would know a part of them.

    Raises:
        ValueError: the pattern is empty.
    """
    return scan.keys(cx, search if pattern is None else pattern, version)


def mset(
    cx: Context,
    data: Mapping[Any, object],
    timeout: Timeout = DEFAULT,
    version: int | None = None,
    *,
    nx: bool = False,
    atomic: bool | None = None,
) -> Op[bool | list[bool]]:
    """Store the values and say whether all of them were stored.

    Args:
        data: the values by their keys.
        timeout: seconds or a timedelta, to the millisecond; None for ever; 0 or less deletes the entries.
        version: the version to store under; the alias's own where None.
        nx: store all of them, or none where there is one of the entries, atomically.
        atomic: True to store all at once, for which their keys must lie in one slot; None for that where they do, else
            by slot; False for `mset_nonatomic`.

    Raises:
        NotSupportedError: the keys lie in several slots. Nothing was sent.
    """
    if nx or atomic or (atomic is None and len({slot(cx.keys.key(key, version)) for key in data}) == 1):
        return (yield from _store_all(cx, data, timeout, version, nx=nx))
    if atomic is None:
        return (yield from many.mset(cx, data, timeout, version))
    return (yield from mset_nonatomic(cx, data, timeout, version))


def msetnx(cx: Context, data: Mapping[Any, object], timeout: Timeout = DEFAULT, version: int | None = None) -> Op[bool]:
    """Store all of the values, or none where there is one of the entries, atomically. Say whether they were stored.

    Arguments and errors as for `mset`; the keys must lie in one slot.
    """
    return _store_all(cx, data, timeout, version, nx=True)


def mset_nonatomic(
    cx: Context, data: Mapping[Any, object], timeout: Timeout = DEFAULT, version: int | None = None
) -> Op[list[bool]]:
    """Store the values, whatever their slots, and say of each whether it was stored. Arguments as for `set_many`."""
    failed = yield from many.set_many(cx, data, timeout, version)
    return [key not in failed for key in data]


def mget_nonatomic(cx: Context, keys: Iterable[Key], version: int | None = None) -> Op[dict[Key, object]]:
    """Do as `get_many`."""
    return many.get_many(cx, keys, version)


def readonly(cx: Context, target_nodes: object = None) -> Op[bool]:
    """Have what only reads go to replicas from now on, for everybody who shares this cache's connections.

    Args:
        target_nodes: accepted, and not used: all replicas are read in turn.
    """
    yield (("READONLY",),)
    return True


def readwrite(cx: Context, target_nodes: object = None) -> Op[bool]:
    """Have everything go to primaries from now on. Arguments as for `readonly`."""
    yield (("READWRITE",),)
    return True


def invalidate_key_from_cache(cx: Context) -> Op[None]:
    """Do nothing: no values are kept on the client's side."""
    yield from ()


def _store_all(cx: Context, data: Mapping[Any, object], timeout: Timeout, version: int | None, *, nx: bool) -> Op[bool]:
    stored = {cx.keys.key(key, version): cx.codec.dumps(value) for key, value in data.items()}
    lifetime = cx.lifetime(timeout)
    if lifetime == 0 or not stored:
        yield from many.delete_many(cx, data, version)
        return True
    leases: Batch = (("UNLINK", *(lease(cx, key) for key in stored)),) if cx.herd.timeout else ()
    arguments = ("NX" if nx else "", cx.herd.timeout, "" if lifetime is None else lifetime, *stored.values())
    try:
        if leases:
            yield leases
        done = yield from evaluate(STORE_ALL, tuple(stored), arguments)
        if leases:
            yield leases
    finally:
        cx.flights.detach(*stored)
    return bool(done)
