"""Write entries that stay stored, as stale, for HERD_TIMEOUT after their timeout (rules 3, 6 and 7 of the package)."""

# ruff: noqa: PLR0917  # policies are called by operations only, with positional arguments

from collections.abc import Mapping, Sequence
from typing import Any

from dvcache.context import Context
from dvcache.effects import OnPrimary, Op, Unchecked
from dvcache.errors import CacheError, NotSupportedError, TransportError, TryAgainError
from dvcache.policies.herd.claims import GONE, is_fresh, lease
from dvcache.policies.herd.conditional_writes import Change, change
from dvcache.policies.plain import set_command, set_commands, stored_or_failed
from dvcache.policies.rename_across import across
from dvcache.routing.lease_keys import is_lease
from dvcache.scripts.counting import COUNT
from dvcache.scripts.script import evaluate
from dvcache.types import Arg, Command, Key, Timeout


def set(  # noqa: A001  # the operation's name
    cx: Context, key: Key, value: object, timeout: Timeout, version: int | None, nx: bool, xx: bool
) -> Op[bool]:
    """Write one entry; with a timeout of 0 or less, delete it instead.

    The lease is removed before and after: if another client's commands run in between, no caller that claimed or stored
    there keeps a lease on the previous value.
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
        # Callers that start after this write must not join a computation that started before it.
        cx.single_flight.detach(stored)
    return reply is not None


def _not_kept(cx: Context, key: Key, version: int | None, nx: bool) -> Op[bool]:
    if not nx:
        return (yield from delete(cx, key, version))
    if (yield from current(cx, cx.keys.key(key, version))) is not None:
        return False
    # A stale entry counts as missing, but is still stored.
    yield from delete(cx, key, version)
    return True


def get_and_set(
    cx: Context, key: Key, value: object, timeout: Timeout, version: int | None, nx: bool, xx: bool
) -> Op[object]:
    """Write one entry as `set` does; return the previous value."""
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
        cx.single_flight.detach(stored)
    return data if is_fresh(cx, left) else None


def add(cx: Context, key: Key, value: object, timeout: Timeout, version: int | None) -> Op[bool]:
    """Write one entry if it is missing or stale (rule 6)."""
    return (yield from set(cx, key, value, timeout, version, True, False))


def delete(cx: Context, key: Key, version: int | None, prefix: str | None = None) -> Op[bool]:
    """Remove one entry; return True if it existed.

    The lease is removed first: a value that its holder computed before is not stored after the entry is gone.
    """
    stored = cx.keys.key(key, version, prefix)
    try:
        [_, removed] = yield (("UNLINK", lease(cx, stored)), ("UNLINK", stored))
    finally:
        cx.single_flight.detach(stored)
    return bool(removed)


def touch(cx: Context, key: Key, timeout: Timeout, version: int | None) -> Op[bool]:
    """Set one entry's lifetime; return True if it exists and is not stale (rule 6)."""
    lifetime = cx.lifetime(timeout)
    if lifetime == 0:
        return (yield from delete(cx, key, version))
    command: tuple[Arg, ...] = ("PERSIST",) if lifetime is None else ("PEXPIRE", lifetime)
    return (yield from change(cx, cx.keys.key(key, version), Change(command, "present"))).done


def set_many(cx: Context, data: Mapping[Any, object], timeout: Timeout, version: int | None) -> Op[list[Key]]:
    """Write the entries; return the keys that were not stored, or raise the server's error if none was stored."""
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
            [first, *part, last] = yield Unchecked((dropped, *commands[start : start + cx.chunk], dropped))
            for reply in (first, last):
                # If SETs lost their replies too, the returned keys report the failure.
                if isinstance(reply, CacheError) and not any(isinstance(each, TransportError) for each in part):
                    raise reply
            replies += part
    finally:
        cx.single_flight.detach(*stored)
    return stored_or_failed(names, replies)


def remove(cx: Context, stored: Sequence[bytes]) -> Op[int]:
    """Remove stored keys and their leases; return the number of entries removed, without leases (rule 7)."""
    # A scan for deletion finds leases too; they are removed but not counted.
    entries = [key for key in stored if not is_lease(key)]
    leases = dict.fromkeys([*(lease(cx, key) for key in entries), *(key for key in stored if is_lease(key))])
    try:
        if not entries:
            yield (("UNLINK", *leases),)
            return 0
        [_, count] = yield (("UNLINK", *leases), ("UNLINK", *entries))
    finally:
        cx.single_flight.detach(*entries)
    return int(count)


def shown(stored: Sequence[bytes]) -> Sequence[bytes]:
    """Return those stored keys, found by a scan, that are not leases (rule 7)."""
    return [key for key in stored if not is_lease(key)]


def pttl(cx: Context, stored: bytes) -> Op[int]:
    """Return an entry's remaining milliseconds before it is stale (rule 6)."""
    [left] = yield (("PTTL", stored),)
    return int(left) if left < 0 else max(0, left - cx.herd.timeout)


def persist(cx: Context, stored: bytes) -> Op[bool]:
    """Remove an entry's expiry; return True if it had one and was not stale (rule 6)."""
    changed = yield from change(cx, stored, Change(("PERSIST",), "present"))
    return changed.done and bool(changed.reply)


def expire_at(cx: Context, stored: bytes, moment: int) -> Op[bool]:
    """Make an entry stale at a Unix time in milliseconds; a past time deletes it (rule 6)."""
    if moment > cx.clock() * 1000:
        wanted = Change(("PEXPIREAT", moment + cx.herd.timeout), "present")
        return (yield from change(cx, stored, wanted)).done
    return bool((yield from cx.policy.remove(cx, [stored])))


def rename(cx: Context, source: bytes, target: bytes) -> Op[object]:
    """Move an entry, fresh or stale, with its expiry; remove the leases of both keys (rule 3)."""
    dropped = ("UNLINK", lease(cx, source), lease(cx, target))
    try:
        try:
            [_, reply, _] = yield (dropped, ("RENAME", source, target), dropped)
        except (NotSupportedError, TryAgainError):  # nothing was performed
            yield (dropped,)
            reply = yield from across(cx, source, target)
            yield (dropped,)
    finally:
        cx.single_flight.detach(source, target)
    return reply


def increment(cx: Context, stored: bytes, delta: int, creation: tuple[Arg, ...]) -> Op[Any]:
    """Add to an entry by a script, atomically; a stale entry counts as missing (rule 6)."""
    try:
        return (yield from evaluate(COUNT, (stored, lease(cx, stored)), (cx.herd.timeout, delta, *creation)))
    finally:
        cx.single_flight.detach(stored)


def current(cx: Context, stored: bytes) -> Op[bytes | None]:
    """Return an entry's bytes from the primary; None if it is missing or stale."""
    [data, left] = yield OnPrimary((("GET", stored), ("PTTL", stored)))
    return data if left != GONE and is_fresh(cx, left) else None


def swap(cx: Context, stored: bytes, old: bytes | None, arguments: tuple[Arg, ...], scripts: bool) -> Op[bool]:
    """SET if the entry still holds the old bytes and is fresh, or is missing or stale if `old` is None."""
    command = ("SET", *arguments)
    wanted = Change(command, "missing") if old is None else Change(command, "same", old)
    return (yield from change(cx, stored, wanted, scripts=scripts)).done
