"""The plain policy's part of counters: adding on the server, and storing if nothing changed meanwhile."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from dvcache.errors import NotSupportedError, PermissionDenied, ServerError, TryAgainError, UnavailableError, has_code
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


def swap(cx: Context, stored: bytes, old: bytes | None, arguments: tuple[Arg, ...], scripts: bool) -> Op[bool]:
    """SET, if the entry still holds the old bytes, or if there still is none."""
    if old is None:
        [reply] = yield (("SET", stored, *arguments, "NX"),)
        return reply is not None
    if scripts and SCRIPTS not in cx.refusals:
        try:
            return bool((yield from evaluate(SWAP, (stored,), (old, *arguments))))
        except ServerError as error:
            if not refused(error):
                raise
            remember(cx, SCRIPTS, error)
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
        if isinstance(error, PermissionDenied) or not refused(error):
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


def scripted(cx: Context, by_script: Op[T], otherwise: Callable[[], Op[T]]) -> Op[T]:
    """Do something by a script; otherwise where scripts are refused, or cannot have their keys in time.

    A cluster whose slot is moved key by key refuses scripts whose keys are on both sides of the way, or on none.
    Scripts that were refused once are not tried again.

    Args:
        cx: the context, which remembers the refusal.
        by_script: what is done, or fails with nothing done.
        otherwise: does the same by commands on one key each.
    """
    if SCRIPTS in cx.refusals:
        by_script.close()
        return (yield from otherwise())
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
        remember(cx, SCRIPTS, error)
    return (yield from otherwise())


SCRIPTS: Final = "EVAL"
"""The name by which the context remembers that a server refuses scripts."""


def remember(cx: Context, command: str, error: ServerError) -> None:
    """Note that a proxy, or a server that is no Valkey, refuses a command, whatever is asked of it.

    Permissions can be granted, and a server replaced by a newer one: those are asked again.
    """
    text = error.message.casefold()
    if not isinstance(error, PermissionDenied) and not text.startswith("err unknown command") and "script:" not in text:
        cx.refusals.add(command)


def is_of(command: str, error: ServerError) -> bool:
    """Say whether a command itself is refused, and not what was asked of it, such as one of the keys."""
    return command.casefold() in error.message.casefold() or not isinstance(error, PermissionDenied)


def refused(error: ServerError) -> bool:
    """Say whether an optional command is refused: by the user's permissions, by a server or a proxy that lacks it.

    Proxies refuse in words of their own. So every refusal counts, but those that a code of Valkey's explains, and those
    of the entry. Of a script it may be a command in it.
    """
    if isinstance(error, PermissionDenied):
        return True
    if isinstance(error, UnavailableError):  # it cannot serve now, in the server's words or in ours
        return False
    text = error.message
    return not text.startswith(_OF_THE_ENTRY) if text.startswith("ERR ") else not has_code(text)


_OF_THE_ENTRY: Final = ("ERR Protocol error", "ERR no such key", "ERR max number of clients")
"""Refusals with the code ERR that no other command avoids."""


def lacks(error: ServerError) -> bool:
    """Say whether the server, or a proxy before it, does not know a command, in whatever words."""
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
