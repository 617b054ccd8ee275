"""The plain policy's part of counters: adding on the server, and storing if nothing changed meanwhile."""

from typing import Any

from dvcache.errors import NotSupportedError, PermissionDenied, ServerError
from dvcache.operations.context import Context
from dvcache.scripts import INCREMENT, SWAP, evaluate
from dvcache.types import Arg, Command, Fresh, Op


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

    Raises:
        NotSupportedError: the server is older than Valkey 8.1.
    """
    try:
        [reply, *_] = yield (command, *more)
    except ServerError as error:
        if "syntax error" not in error.message:
            raise
        cure = "allow the user +eval +evalsha"
        raise NotSupportedError(f"an atomic change needs EVALSHA and EVAL, or Valkey 8.1: {cure}") from error
    return reply


def given_up(name: bytes, token: bytes) -> Command:
    """Return what ends a lease or a lock where scripts are refused, if it still is one's own."""
    return ("SET", name, b"", "PXAT", 1, "IFEQ", token)


def refused(error: ServerError) -> bool:
    """Tell whether a command is refused, by the user's permissions or by a server that does not have it.

    Of a script it may be a command in it.
    """
    return isinstance(error, PermissionDenied) or error.message.casefold().startswith("err unknown command")
