"""Atomic changes that depend on whether an entry exists; a stale entry counts as missing (rules 3 and 6)."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, TypeAlias

from dvcache.context import Context
from dvcache.effects import OnPrimary, Op
from dvcache.errors import CacheError, WrongTypeError
from dvcache.policies.compare_and_set import scripted, set_if_equal
from dvcache.policies.herd.claims import is_fresh, lease
from dvcache.scripts.herd import CHANGE
from dvcache.scripts.script import evaluate
from dvcache.types import Arg, Command

Condition: TypeAlias = Literal["missing", "present", "same", "any"]

ATTEMPTS: Final = 1000
"""Maximum number of concurrent changes of an entry before a change without scripts fails."""


@dataclass(frozen=True, slots=True)
class Change:
    """A command on one entry and its condition."""

    command: tuple[Arg, ...]
    """SET, PEXPIRE, PEXPIREAT or PERSIST, with its arguments but without the key."""
    condition: Condition
    same: bytes = b""
    get: bool = False
    """True to return the previous bytes."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Result of a change."""

    done: bool
    reply: object = None
    before: bytes | None = None


def change(cx: Context, stored: bytes, wanted: Change, *, scripts: bool = True) -> Op[Changed]:
    """Change an entry if its condition holds, and remove its lease.

    Rests on a script; if scripts are refused, on SET … IFEQ (Valkey 8.1).

    Raises:
        NotSupportedError: the server cannot do it atomically. Nothing was written.
    """
    by_comparing = partial(_by_comparing, cx, stored, wanted)
    try:
        if scripts:
            return (yield from scripted(cx, stored, _by_script(cx, stored, wanted), by_comparing))
        return (yield from by_comparing())
    finally:
        # Callers that start after this write must not join a computation that started before it.
        cx.single_flight.detach(stored)


def _by_script(cx: Context, stored: bytes, wanted: Change) -> Op[Changed]:
    # The script removes the lease itself, so no holder can store its older value after the change (rule 3).
    arguments = (cx.herd.timeout, wanted.condition, wanted.same, "get" if wanted.get else "", *wanted.command)
    done, reply, before = yield from evaluate(CHANGE, (stored, lease(cx, stored)), arguments)
    return Changed(bool(done), reply, before)


def _by_comparing(cx: Context, stored: bytes, wanted: Change) -> Op[Changed]:
    for _ in range(ATTEMPTS):
        try:
            [data, left] = yield OnPrimary((("GET", stored), ("PTTL", stored)))
        except WrongTypeError:
            if wanted.get or wanted.condition == "same":
                raise
            return (yield from _of_another_kind(cx, stored, wanted))
        before = data if data is not None and is_fresh(cx, left) else None
        if not _is_met(wanted, before):
            return Changed(done=False, before=before)
        # There is no expiry to remove; a SET would only write the same bytes again.
        if wanted.command[0] == "PERSIST" and left == -1:
            return Changed(done=True, reply=0, before=before)
        if (yield from swap(stored, data, _settings(wanted, data), ("UNLINK", lease(cx, stored)))):
            return Changed(done=True, reply=1, before=before)
    raise CacheError(f"the entry changed {ATTEMPTS} times between being read and being written")


def _of_another_kind(cx: Context, stored: bytes, wanted: Change) -> Op[Changed]:
    """Change a collection without comparing: collections are never recomputed."""
    [left] = yield OnPrimary((("PTTL", stored),))
    if not _is_met(wanted, b"" if is_fresh(cx, left) else None):
        return Changed(done=False)
    name, *arguments = wanted.command
    [reply, _] = yield ((name, stored, *arguments), ("UNLINK", lease(cx, stored)))
    return Changed(done=True, reply=reply)


def swap(stored: bytes, old: bytes | None, arguments: tuple[Arg, ...], *more: Command) -> Op[bool]:
    """SET if the entry still holds the old bytes, or does not exist if `old` is None; always perform `more`.

    Raises:
        NotSupportedError: the server is older than Valkey 8.1.
    """
    if old is None:
        [reply, *_] = yield (("SET", stored, *arguments, "NX"), *more)
        return reply is not None
    command = ("SET", stored, arguments[0], "IFEQ", old, *arguments[1:])
    return (yield from set_if_equal(command, *more)) is not None


def _is_met(wanted: Change, before: bytes | None) -> bool:
    match wanted.condition:
        case "missing":
            return before is None
        case "present":
            return before is not None
        case "same":
            return before == wanted.same
    return True


def _settings(wanted: Change, data: bytes | None) -> tuple[Any, ...]:
    """Return the arguments of a SET that replaces the command."""
    name, *arguments = wanted.command
    match name:
        case "PEXPIRE":
            return data, "PX", *arguments
        case "PEXPIREAT":
            return data, "PXAT", *arguments
        case "PERSIST":
            return (data,)
    return tuple(arguments)
