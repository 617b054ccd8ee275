"""Compare and set, for counters of the plain policy: add on the server, or store if the entry is unchanged."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

from dvcache.context import Context
from dvcache.effects import OnPrimary, Op, Transaction
from dvcache.error_replies import has_code
from dvcache.errors import (
    CacheError,
    ConnectionLost,
    NotSupportedError,
    PermissionDenied,
    ServerError,
    TryAgainError,
    UnavailableError,
)
from dvcache.scripts.counting import INCREMENT, SWAP
from dvcache.scripts.entries import NOTHING
from dvcache.scripts.locks import RELEASE
from dvcache.scripts.script import evaluate
from dvcache.types import Arg, Command

T = TypeVar("T")


def increment(_: Context, stored: bytes, delta: int, creation: tuple[Arg, ...]) -> Op[Any]:
    """Add to an entry by a script; return the reply of `INCREMENT`."""
    return evaluate(INCREMENT, (stored,), (delta, *creation))


def current(_: Context, stored: bytes) -> Op[bytes | None]:
    """Return an entry's bytes from the primary."""
    [found] = yield OnPrimary((("GET", stored),))
    return found  # type: ignore[no-any-return]  # bytes or None


def swap(cx: Context, stored: bytes, old: bytes | None, arguments: tuple[Arg, ...], scripts: bool) -> Op[bool]:
    """SET if the entry still holds the old bytes, or does not exist if `old` is None."""
    if old is None:
        [reply] = yield (("SET", stored, *arguments, "NX"),)
        return reply is not None
    by_comparing = partial(set_if_equal, ("SET", stored, arguments[0], "IFEQ", old, *arguments[1:]))
    if not scripts:
        return (yield from by_comparing()) is not None
    return bool((yield from scripted(cx, stored, evaluate(SWAP, (stored,), (old, *arguments)), by_comparing)))


def set_if_equal(command: Command, *more: Command) -> Op[Any]:
    """Perform a SET with IFEQ, and further commands in the same round trip; return the reply of the SET.

    A server older than Valkey 8.1 does it in a transaction.

    Raises:
        NotSupportedError: the server or the user's ACL refuses both, or the client does not support transactions.
            Nothing was written.
    """
    try:
        [reply, *_] = yield (command, *more)
    except ServerError as error:
        if isinstance(error, PermissionDenied) or not refused(error):
            raise
        return (yield from _transacted(command, more))
    return reply


def _transacted(command: Command, more: Sequence[Command]) -> Op[Any]:
    at = command.index("IFEQ")
    old, plain = command[at + 1], (*command[:at], *command[at + 2 :])
    others = [each for each in more if "IFEQ" not in each]  # a lease that is not released expires
    try:
        [known, replies] = yield Transaction(command[1], lambda found: (plain, *others) if found == old else ())
    except ServerError as error:
        if not refused(error):
            raise
        raise _impossible() from error
    if known is not True:
        raise _impossible()
    return None if replies is None else replies[0]


def _impossible() -> NotSupportedError:
    return NotSupportedError(
        "an atomic change needs EVALSHA and EVAL, or Valkey 8.1, or WATCH, MULTI and EXEC: "
        "allow the user +eval +evalsha"
    )


def remove_if_equal(cx: Context, stored: bytes, old: bytes) -> Op[bool]:
    """Remove an entry, a lock or a lease that still holds the old bytes; return whether it did.

    Raises:
        NotSupportedError: scripts are refused, and so is what `set_if_equal` needs. Nothing was removed.
    """
    by_comparing = partial(set_if_equal, removal(stored, old))
    return bool((yield from scripted(cx, stored, evaluate(RELEASE, (stored,), (old,)), by_comparing)))


def removal(stored: bytes, old: bytes) -> Command:
    """Return the command that removes an entry without a script, if it still holds the old bytes."""
    # There is no conditional UNLINK: an expiry in the past removes the key, and IFEQ compares the bytes.
    return ("SET", stored, b"", "PXAT", 1, "IFEQ", old)


def scripted(cx: Context, stored: bytes, by_script: Op[T], otherwise: Callable[[], Op[T]]) -> Op[T]:
    """Perform a script, or the alternative if scripts are refused or the script's keys are being migrated.

    During a slot's migration a cluster refuses scripts with keys on both nodes or on neither. Refused scripts are not
    tried again.

    Args:
        cx: the context; remembers the refusal.
        stored: a key of the script.
        by_script: the operation by script; if it fails, nothing was performed.
        otherwise: the same operation by single-key commands.
    """
    if SCRIPTS in cx.refusals:
        by_script.close()
        return (yield from otherwise())
    try:
        return (yield from _attempted(cx, stored, by_script))
    except TryAgainError as error:
        try:
            return (yield from otherwise())
        except NotSupportedError:
            raise error from None
    except ServerError as error:
        if not refused(error):
            raise
    return (yield from otherwise())


SCRIPTS: Final = "EVAL"
"""Name under which the context remembers that a server refuses scripts."""

_PERFORMED: Final = "EVAL: performed"
"""Mark among a server's refusals: it has run a script, so no proxy in between rejects scripts."""


def _attempted(cx: Context, stored: bytes, by_script: Op[T]) -> Op[T]:
    """Run an operation that uses a script; remember if scripts work, and raise the operation's error.

    Some proxies close the connection at a command they lack. A script whose reply was lost may have run nevertheless,
    so it is not repeated: its caller gets the error, and only later calls use the portable commands.
    """
    try:
        done = yield from by_script
    except ServerError as error:
        if refused(error):
            remember(cx, SCRIPTS, error)
        raise
    except ConnectionLost as error:
        if type(error) is ConnectionLost and _PERFORMED not in cx.refusals:
            with suppress(CacheError):
                yield from _find_out(cx, stored)
        raise
    if _PERFORMED not in cx.refusals:
        cx.refusals.add(_PERFORMED)
    return done


def _find_out(cx: Context, stored: bytes) -> Op[None]:
    """Remember that scripts are refused if a harmless script loses the connection twice, but a read does not.

    Raises:
        CacheError: the server does not answer the read either.
    """
    for _ in range(2):
        try:
            yield from evaluate(NOTHING, (stored,), ())
        except ConnectionLost:
            yield OnPrimary((("EXISTS", stored),))
        else:
            return
    cx.refusals.add(SCRIPTS)


def remember(cx: Context, command: str, error: ServerError) -> None:
    """Remember that a proxy, or a server other than Valkey, never accepts a command.

    Not remembered: missing permissions, which may be granted, and unknown commands, since the server may be upgraded.
    """
    text = error.message.casefold()
    if not isinstance(error, PermissionDenied) and not text.startswith("err unknown command") and "script:" not in text:
        cx.refusals.add(command)


def is_of(command: str, error: ServerError) -> bool:
    """Return True if the command itself is refused, not its arguments, such as one of the keys."""
    return command.casefold() in error.message.casefold() or not isinstance(error, PermissionDenied)


def refused(error: ServerError) -> bool:
    """Return True if an optional command is refused: by the ACL, or by a server or proxy that lacks it.

    Proxies word refusals differently. So every error counts, except those with a code known to Valkey and those caused
    by the entry. For a script, the refused command may be one inside it.
    """
    if isinstance(error, PermissionDenied):
        return True
    if isinstance(error, UnavailableError):  # temporarily unavailable, as reported by the server or by this library
        return False
    text = error.message
    return not text.startswith(_OF_THE_ENTRY) if text.startswith("ERR ") else not has_code(text)


_OF_THE_ENTRY: Final = ("ERR Protocol error", "ERR no such key", "ERR max number of clients")
"""Errors with the code ERR that any command would get."""


def lacks(error: ServerError) -> bool:
    """Return True if the server, or a proxy before it, does not know a command."""
    text = error.message.casefold()
    return refused(error) and not isinstance(error, PermissionDenied) and any(word in text for word in _UNKNOWN)


_UNKNOWN: Final = (
    "unknown",
    "unsupported",
    "not support",
    "not implement",
    "invalid request",
    "not allowed",
    "disabled",
)
