"""Changes that depend on whether there is an entry, a stale one being none: atomic (rules 3 and 6)."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, TypeAlias

from dvcache.errors import CacheError, WrongTypeError
from dvcache.operations.context import Context
from dvcache.operations.herd.leases import is_fresh, lease
from dvcache.operations.swaps import scripted, set_if_equal
from dvcache.scripts import CHANGE, evaluate
from dvcache.types import Arg, Command, Fresh, Op

Condition: TypeAlias = Literal["missing", "present", "same", "any"]

ATTEMPTS: Final = 1000
"""How often an entry may change under a change without scripts before that gives up."""


@dataclass(frozen=True, slots=True)
class Change:
    """A command on one entry, and what the entry must be for it."""

    command: tuple[Arg, ...]
    """SET, PEXPIRE, PEXPIREAT or PERSIST, without the key."""
    condition: Condition
    same: bytes = b""
    get: bool = False
    """Whether to return what was there."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What came of a change."""

    done: bool
    reply: object = None
    before: bytes | None = None


def change(cx: Context, stored: bytes, wanted: Change, *, scripts: bool = True) -> Op[Changed]:
    """Change an entry, if it is as it must be, and drop its lease.

    Rests on a script; where scripts are refused, on SET … IFEQ (Valkey 8.1).

    Raises:
        NotSupportedError: the server offers no way to do it atomically. Nothing was written.
    """
    by_comparing = partial(_by_comparing, cx, stored, wanted)
    try:
        if scripts:
            return (yield from scripted(cx, _by_script(cx, stored, wanted), by_comparing))
        return (yield from by_comparing())
    finally:
        cx.flights.detach(stored)


def _by_script(cx: Context, stored: bytes, wanted: Change) -> Op[Changed]:
    arguments = (cx.herd.timeout, wanted.condition, wanted.same, "get" if wanted.get else "", *wanted.command)
    done, reply, before = yield from evaluate(CHANGE, (stored, lease(cx, stored)), arguments)
    return Changed(bool(done), reply, before)


def _by_comparing(cx: Context, stored: bytes, wanted: Change) -> Op[Changed]:
    for _ in range(ATTEMPTS):
        try:
            [data, left] = yield Fresh((("GET", stored), ("PTTL", stored)))
        except WrongTypeError:
            if wanted.get or wanted.condition == "same":
                raise
            return (yield from _of_another_kind(cx, stored, wanted))
        before = data if data is not None and is_fresh(cx, left) else None
        if not _is_met(wanted, before):
            return Changed(done=False, before=before)
        if wanted.command[0] == "PERSIST" and left == -1:
            return Changed(done=True, reply=0, before=before)
        if (yield from swap(stored, data, _settings(wanted, data), ("UNLINK", lease(cx, stored)))):
            return Changed(done=True, reply=1, before=before)
    raise CacheError(f"the entry changed {ATTEMPTS} times between being read and being written")


def _of_another_kind(cx: Context, stored: bytes, wanted: Change) -> Op[Changed]:
    """Change a set, a list … as it is: nobody recomputes one, so that nothing of it has to be compared."""
    [left] = yield Fresh((("PTTL", stored),))
    if not _is_met(wanted, b"" if is_fresh(cx, left) else None):
        return Changed(done=False)
    name, *arguments = wanted.command
    [reply, _] = yield ((name, stored, *arguments), ("UNLINK", lease(cx, stored)))
    return Changed(done=True, reply=reply)


def swap(stored: bytes, old: bytes | None, arguments: tuple[Arg, ...], *more: Command) -> Op[bool]:
    """SET, if the entry still holds the old bytes, or if there still is none; perform more commands in any case.

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
    """Return what a SET in place of the command is given."""
    name, *arguments = wanted.command
    match name:
        case "PEXPIRE":
            return data, "PX", *arguments
        case "PEXPIREAT":
            return data, "PXAT", *arguments
        case "PERSIST":
            return (data,)
    return tuple(arguments)
