"""The plain policy's part of counters: adding on the server, and storing if nothing changed meanwhile."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dvcache.errors import NotSupportedError, PermissionDenied, ServerError, TryAgainError
from dvcache.operations.context import Context
from dvcache.scripts import INCREMENT, SWAP, evaluate
from dvcache.types import Arg, Command, Fresh, Op, Transaction

T = TypeVar("T")


def increment(_: Context, stored: bytes, delta: int, creation: tuple[Arg, ...]) -> Op[Any]:
    """Add to an entry by a script; answer as `INCREMENT` does."""
    return evaluate(INCREMENT, (stored,), (delta, *creation))


def current(_: Context, stored: bytes) -> Op[bytes | None]:
    """Read an entry from the primary."""
    [found] = yield Fresh((("GET", stored),))
    return found  # type: ignore[no-any-return]  # bytes or None


def swap(_: Context, stored: bytes, old: bytes | None, arguments: tuple[Arg, ...], scripts: bool) -> Op[bool]:
    """SET, if the entry still holds the old bytes, or if there still is none."""
    if old is None:
        [reply] = yield (("SET", stored, *arguments, "NX"),)
        return reply is not None
    if scripts:
        try:
            return bool((yield from evaluate(SWAP, (stored,), (old, *arguments))))
        except ServerError as error:
            if not refused(error):
                raise
    reply = yield from set_if_equal(("SET", stored, arguments[0], "IFEQ", old, *arguments[1:]))
    return reply is not None


def set_if_equal(command: Command, *more: Command) -> Op[Any]:
    """Perform a SET with IFEQ, and commands after it in the same round trip; return the reply of the SET.

    A server older than Valkey 8.1 does it in a transaction.

    Raises:
        NotSupportedError: the user may not do that either, or the client knows no transactions. Nothing was written.
    """
    try:
        [reply, *_] = yield (command, *more)
    except ServerError as error:
        if "syntax error" not in error.message:
            raise
        return (yield from _transacted(command, more))
    return reply


def _transacted(command: Command, more: Sequence[Command]) -> Op[Any]:
    at = command.index("IFEQ")
    old, plain = command[at + 1], (*command[:at], *command[at + 2 :])
    others = [each for each in more if "IFEQ" not in each]  # a lease that is not given up lapses
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
        "an atomic change needs EVALSHA and EVAL; or Valkey 8.1; or WATCH, MULTI and EXEC: "
        "allow the user +eval +evalsha"
    )


def given_up(name: bytes, token: bytes) -> Command:
    """Return what ends a lease or a lock where scripts are refused, if it still is one's own."""
    return ("SET", name, b"", "PXAT", 1, "IFEQ", token)


def scripted(by_script: Op[T], otherwise: Callable[[], Op[T]]) -> Op[T]:
    """Do something by a script; otherwise where scripts are refused, or cannot have their keys in time.

    A cluster whose slot is moved key by key refuses scripts whose keys are on both sides of the way, or on none.

    Args:
        by_script: what is done, or fails with nothing done.
        otherwise: does the same by commands on one key each.
    """
    try:
        return (yield from by_script)
    except TryAgainError as error:
        try:
            return (yield from otherwise())
        except NotSupportedError:
            raise error from None
    except ServerError as error:
        if not refused(error):
            raise
    return (yield from otherwise())


def refused(error: ServerError) -> bool:
    """Tell whether a command is refused, by the user's permissions or by a server that does not have it.

    Of a script it may be a command in it.
    """
    return isinstance(error, PermissionDenied) or error.message.casefold().startswith("err unknown command")
