"""Locks: acquire, release, extend, and who holds one.

A lock is a key that holds its owner's token. valkey-py's and redis-py's locks are the same, so that they and these
exclude each other. Rests on SET NX PX and on scripts that compare the token (https://valkey.io/topics/distributed-locks/).

Of those who wait for a lock in this process the first in line alone asks, every `PAUSES` seconds at the most, and at
once when the lock is released in this process.
"""

from contextlib import suppress
from typing import Final

from dvcache.errors import CacheError, ConnectError, ConnectionLost, PoolExhausted, ServerError
from dvcache.liveness import Alive
from dvcache.operations.context import Context
from dvcache.operations.swaps import given_up, refused, set_if_equal
from dvcache.scripts import EXTEND, RELEASE, evaluate
from dvcache.turns import Turn
from dvcache.types import Command, Fresh, Op, Wait

PAUSES: Final = (0.001, 0.01)
"""The first and the longest pause between two questions, in seconds; each lasts half to all of it, by chance."""

LOOK: Final = 0.5
"""Seconds between two looks of a caller in line at whether those before it are still there."""


def acquire(
    cx: Context,
    stored: bytes,
    token: bytes,
    lifetime: int | None,
    *,
    patience: float | None = None,
    longest: float = PAUSES[1],
) -> Op[bool]:
    """Take a lock and say whether that was possible in time. Who waited longer in this process gets it first.

    Args:
        cx: the context.
        stored: the lock's stored key.
        token: what says whose it is.
        lifetime: milliseconds after which it lapses; None for never.
        patience: seconds to wait for it; 0 not at all, None for as long as it takes.
        longest: the longest pause between two questions, in seconds.
    """
    if patience is not None and patience <= 0:
        return (yield from _take(cx, stored, token, lifetime))
    deadline = None if patience is None else cx.now() + patience
    owner, turn = Alive(), None
    try:
        turn = cx.turns.join(stored, owner)
        if not (yield from _in_line(cx, turn, deadline)):
            return False
        return (yield from _insist(cx, turn, token, lifetime, deadline, min(longest, PAUSES[1])))
    finally:
        owner.over = True
        if turn is not None:
            turn.leave()


def _in_line(cx: Context, turn: Turn, deadline: float | None) -> Op[bool]:
    """Wait for the front of the line; return False if the time ran out. A caller that cannot wait asks for itself."""
    while not turn.look():
        began = cx.now()
        pause = LOOK if deadline is None else min(LOOK, max(0.0, deadline - began))
        if (yield Wait(turn.come, pause, thread=turn.ahead)):
            break
        now = cx.now()
        if deadline is not None and now >= deadline:
            return False
        if now - began < pause / 2:  # the driver did not wait: the one ahead goes on only after this
            turn.leave()
            break
    return True


def _insist(  # noqa: PLR0917  # what `acquire` was given
    cx: Context, turn: Turn, token: bytes, lifetime: int | None, deadline: float | None, longest: float
) -> Op[bool]:
    pause = min(PAUSES[0], longest)
    while True:
        bell = turn.listen()
        if (yield from _take(cx, turn.key, token, lifetime)):
            return True
        seconds = pause * (0.5 + cx.random() / 2)
        if deadline is not None:
            left = deadline - cx.now()
            if left <= 0:
                return False
            seconds = min(seconds, left)
        yield Wait(bell, seconds, anywhere=True)
        pause = min(pause * 1.5, longest)


def _take(cx: Context, stored: bytes, token: bytes, lifetime: int | None) -> Op[bool]:
    """Take a lock if nobody holds it. Where no answer comes, or nobody waits for it any more, it is nobody's."""
    command: Command = ("SET", stored, token, "NX")
    try:
        [reply] = yield (command if lifetime is None else (*command, "PX", lifetime),)
    except (ConnectError, PoolExhausted, ServerError, GeneratorExit):  # nothing was performed, or nothing can be
        raise
    except BaseException:
        with suppress(CacheError):
            yield from release(cx, stored, token)
        raise
    return reply is not None


def release(cx: Context, stored: bytes, token: bytes) -> Op[bool]:
    """Give a lock back, if the token still is its own, and say whether it was.

    Raises:
        NotSupportedError: scripts are refused, and the server is older than Valkey 8.1.
    """
    try:
        return (yield from _release(stored, token))
    except ConnectionLost:  # between the command and its answer, so that it may be done already
        return (yield from _release(stored, token)) or True
    except (Exception, GeneratorExit):
        raise
    except BaseException:  # interrupted, perhaps before it was sent
        with suppress(CacheError):
            yield from _release(stored, token)
        raise
    finally:
        cx.turns.ring(stored)


def _release(stored: bytes, token: bytes) -> Op[bool]:
    try:
        return bool((yield from evaluate(RELEASE, (stored,), (token,))))
    except ServerError as error:
        if not refused(error):
            raise
    return (yield from set_if_equal(given_up(stored, token))) is not None


def extend(stored: bytes, token: bytes, milliseconds: int, *, add: bool) -> Op[bool]:
    """Let a lock last longer, if the token still is its own, and say whether it was.

    Args:
        stored: the lock's stored key.
        token: what says whose it is.
        milliseconds: how long.
        add: on top of what is left of it, or else from now on.

    Raises:
        NotSupportedError: scripts are refused, and the server is older than Valkey 8.1.
    """
    try:
        return bool((yield from evaluate(EXTEND, (stored,), (token, milliseconds, "add" if add else "set"))))
    except ServerError as error:
        if not refused(error):
            raise
    if add:
        [left] = yield Fresh((("PTTL", stored),))
        milliseconds += max(left, 0)
    return (yield from set_if_equal(("SET", stored, token, "IFEQ", token, "PX", milliseconds))) is not None


def holder(stored: bytes) -> Op[bytes | None]:
    """Return the token of who holds a lock, None for nobody."""
    [token] = yield Fresh((("GET", stored),))
    return token  # type: ignore[no-any-return]  # bytes or None
