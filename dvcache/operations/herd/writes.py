"""Writing entries that are kept, stale, for the herd's time after their own (rules 3, 6 and 7)."""

# ruff: noqa: PLR0917  # a policy is called by the operations alone, by position

from collections.abc import Mapping, Sequence
from typing import Any

from dvcache.errors import CacheError, NotSupportedError, TransportError, TryAgainError
from dvcache.leases import is_lease
from dvcache.operations.context import Context
from dvcache.operations.herd.changes import Change, change
from dvcache.operations.herd.leases import GONE, is_fresh, lease
from dvcache.operations.moves import across
from dvcache.operations.plain import set_command, set_commands, stored_or_failed
from dvcache.scripts import COUNT, evaluate
from dvcache.types import Arg, Command, Each, Fresh, Key, Op, Timeout


def set(  # noqa: A001  # the operation's name
    cx: Context, key: Key, value: object, timeout: Timeout, version: int | None, nx: bool, xx: bool
) -> Op[bool]:
    """Write one entry; with a timeout of 0 or less, have none where one would have been written.

    The lease is dropped before and after: were another's commands performed between these, nobody who claimed or
    stored in between would keep a lease on what was there before.
    """
    lifetime = cx.lifetime(timeout)
    if lifetime == 0:
        return (yield from _not_kept(cx, key, version, nx))
    command = set_command(cx, key, value, lifetime, version)
    stored = cx.keys.key(key, version)
    if nx or xx:
        wanted = Change(("SET", *command[2:]), "missing" if nx else "present")
        return (yield from change(cx, stored, wanted)).done
    dropped = ("UNLINK", lease(cx, stored))
    try:
        [_, reply, _] = yield (dropped, command, dropped)
    finally:
        cx.flights.detach(stored)
    return reply is not None


def _not_kept(cx: Context, key: Key, version: int | None, nx: bool) -> Op[bool]:
    if not nx:
        return (yield from delete(cx, key, version))
    if (yield from current(cx, cx.keys.key(key, version))) is not None:
        return False
    yield from delete(cx, key, version)
    return True


def exchange(
    cx: Context, key: Key, value: object, timeout: Timeout, version: int | None, nx: bool, xx: bool
) -> Op[object]:
    """Write one entry as `set` does and return what was there before."""
    stored = cx.keys.key(key, version)
    lifetime = cx.lifetime(timeout)
    if lifetime == 0:
        before = yield from _taken(cx, stored, nx)
    else:
        command = set_command(cx, key, value, lifetime, version)
        wanted = Change(("SET", *command[2:]), "missing" if nx else "present" if xx else "any", get=True)
        before = (yield from change(cx, stored, wanted)).before
    return None if before is None else cx.codec.loads(before, None)


def _taken(cx: Context, stored: bytes, nx: bool) -> Op[bytes | None]:
    if nx:
        return (yield from current(cx, stored))
    try:
        [_, left, data] = yield (("UNLINK", lease(cx, stored)), ("PTTL", stored), ("GETDEL", stored))
    finally:
        cx.flights.detach(stored)
    return data if is_fresh(cx, left) else None


def add(cx: Context, key: Key, value: object, timeout: Timeout, version: int | None) -> Op[bool]:
    """Write one entry where there is none, or a stale one (rule 6)."""
    return (yield from set(cx, key, value, timeout, version, True, False))


def delete(cx: Context, key: Key, version: int | None, prefix: str | None = None) -> Op[bool]:
    """Remove one entry; say whether there was one.

    The lease goes first: what a holder has computed until then is not stored after the entry is gone.
    """
    stored = cx.keys.key(key, version, prefix)
    try:
        [_, removed] = yield (("UNLINK", lease(cx, stored)), ("UNLINK", stored))
    finally:
        cx.flights.detach(stored)
    return bool(removed)


def touch(cx: Context, key: Key, timeout: Timeout, version: int | None) -> Op[bool]:
    """Give one entry a new lifetime; say whether there was one, and not a stale one (rule 6)."""
    lifetime = cx.lifetime(timeout)
    if lifetime == 0:
        return (yield from delete(cx, key, version))
    command: tuple[Arg, ...] = ("PERSIST",) if lifetime is None else ("PEXPIRE", lifetime)
    return (yield from change(cx, cx.keys.key(key, version), Change(command, "present"))).done


def set_many(cx: Context, data: Mapping[Any, object], timeout: Timeout, version: int | None) -> Op[list[Key]]:
    """Write the entries; return the keys that the server did not store, or raise its error where it stored none."""
    if cx.milliseconds(timeout) == 0:
        yield from cx.policy.delete_many(cx, data, version)
        return []
    names = list(data)
    stored = [cx.keys.key(name, version) for name in names]
    commands = set_commands(cx, data, timeout, version)
    replies: list[object] = []
    try:
        for start in range(0, len(names), cx.chunk):
            dropped: Command = ("UNLINK", *(lease(cx, key) for key in stored[start : start + cx.chunk]))
            [first, *part, last] = yield Each((dropped, *commands[start : start + cx.chunk], dropped))
            for reply in (first, last):
                # Who lost the answer to a SET as well is told so by its key.
                if isinstance(reply, CacheError) and not any(isinstance(each, TransportError) for each in part):
                    raise reply
            replies += part
    finally:
        cx.flights.detach(*stored)
    return stored_or_failed(names, replies)


def remove(cx: Context, stored: Sequence[bytes]) -> Op[int]:
    """Remove stored keys and their leases; return how many there were, leases not counted (rule 7)."""
    entries = [key for key in stored if not is_lease(key)]
    leases = dict.fromkeys([*(lease(cx, key) for key in entries), *(key for key in stored if is_lease(key))])
    try:
        if not entries:
            yield (("UNLINK", *leases),)
            return 0
        [_, count] = yield (("UNLINK", *leases), ("UNLINK", *entries))
    finally:
        cx.flights.detach(*entries)
    return int(count)


def shown(stored: Sequence[bytes]) -> Sequence[bytes]:
    """Of stored keys that a scan found, those that are no leases (rule 7)."""
    return [key for key in stored if not is_lease(key)]


def pttl(cx: Context, stored: bytes) -> Op[int]:
    """Return what an entry has left before it is stale (rule 6)."""
    [left] = yield (("PTTL", stored),)
    return int(left) if left < 0 else max(0, left - cx.herd.timeout)


def persist(cx: Context, stored: bytes) -> Op[bool]:
    """Take the lifetime of an entry away; say whether it had one, and was not stale (rule 6)."""
    changed = yield from change(cx, stored, Change(("PERSIST",), "present"))
    return changed.done and bool(changed.reply)


def expire_at(cx: Context, stored: bytes, moment: int) -> Op[bool]:
    """Let an entry be stale from a Unix time in milliseconds; one that has passed deletes it (rule 6)."""
    if moment > cx.clock() * 1000:
        wanted = Change(("PEXPIREAT", moment + cx.herd.timeout), "present")
        return (yield from change(cx, stored, wanted)).done
    return bool((yield from cx.policy.remove(cx, [stored])))


def rename(cx: Context, source: bytes, target: bytes) -> Op[object]:
    """Move an entry, fresh or stale, with its lifetime; drop the leases of both places (rule 3)."""
    dropped = ("UNLINK", lease(cx, source), lease(cx, target))
    try:
        try:
            [_, reply, _] = yield (dropped, ("RENAME", source, target), dropped)
        except (NotSupportedError, TryAgainError):  # it was not performed
            yield (dropped,)
            reply = yield from across(source, target)
            yield (dropped,)
    finally:
        cx.flights.detach(source, target)
    return reply


def increment(cx: Context, stored: bytes, delta: int, creation: tuple[Arg, ...]) -> Op[Any]:
    """Add to an entry by a script, atomically, a stale one being none (rule 6)."""
    try:
        return (yield from evaluate(COUNT, (stored, lease(cx, stored)), (cx.herd.timeout, delta, *creation)))
    finally:
        cx.flights.detach(stored)


def current(cx: Context, stored: bytes) -> Op[bytes | None]:
    """Read an entry from the primary; a stale one is none."""
    [data, left] = yield Fresh((("GET", stored), ("PTTL", stored)))
    return data if left != GONE and is_fresh(cx, left) else None


def swap(cx: Context, stored: bytes, old: bytes | None, arguments: tuple[Arg, ...], scripts: bool) -> Op[bool]:
    """SET, if the entry still holds the old bytes and is fresh, or if there still is no fresh one."""
    command = ("SET", *arguments)
    wanted = Change(command, "missing") if old is None else Change(command, "same", old)
    return (yield from change(cx, stored, wanted, scripts=scripts)).done
