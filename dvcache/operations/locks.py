"""Locks: acquire, release, extend and find the holder.

A lock is a key that holds its owner's token. Locks of valkey-py and redis-py have the same form, so they exclude each
other. Rests on SET NX PX and on scripts that compare the token (https://valkey.io/topics/distributed-locks/).

Of the waiters for a lock in this process only the first tries to acquire it, with pauses of at most `PAUSES[1]`
seconds, and at once after a release in this process.
"""

from contextlib import suppress
from functools import partial
from typing import Any, Final

from dvcache.context import Context
from dvcache.effects import OnPrimary, Op, Wait
from dvcache.errors import CacheError, ConnectError, ConnectionLost, PoolExhausted, ServerError
from dvcache.policies.compare_and_set import remove_if_equal, scripted, set_if_equal
from dvcache.process.liveness import Alive
from dvcache.process.lock_queue import Waiter
from dvcache.scripts.locks import EXTEND
from dvcache.scripts.script import evaluate
from dvcache.types import Command

PAUSES: Final = (0.001, 0.01)
"""First and longest pause between two attempts, in seconds; each is shortened randomly by up to half."""

LOOK: Final = 0.5
"""Seconds between two checks by a queued waiter that those before it are alive."""


def acquire(
    cx: Context,
    stored: bytes,
    token: bytes,
    lifetime: int | None,
    *,
    patience: float | None = None,
    longest: float = PAUSES[1],
) -> Op[bool]:
    """Acquire a lock; return True if it was acquired in time. Waiters of this process get it in order of arrival.

    Args:
        cx: the context.
        stored: the lock's stored key.
        token: identifies the owner.
        lifetime: milliseconds until the lock expires; None for no expiry.
        patience: seconds to wait; 0 does not wait, None waits without a limit.
        longest: maximum seconds between two attempts.
    """
    # A caller that does not wait needs no place in the queue.
    if patience is not None and patience <= 0:
        return (yield from _take(cx, stored, token, lifetime))
    deadline = None if patience is None else cx.now() + patience
    owner, waiter = Alive(), None
    try:
        waiter = cx.lock_queue.join(stored, owner)
        if not (yield from _in_queue(cx, waiter, deadline)):
            return False
        return (yield from _insist(cx, waiter, token, lifetime, deadline, min(longest, PAUSES[1])))
    finally:
        # A plain store first: `leave` may fail (a full stack, a signal handler), and a dead frame must not block the
        # queue.
        owner.over = True
        if waiter is not None:
            waiter.leave()


def _in_queue(cx: Context, waiter: Waiter, deadline: float | None) -> Op[bool]:
    """Wait to become first in the queue; return False on timeout. A caller that cannot wait tries at once."""
    while not waiter.look():
        began = cx.now()
        pause = LOOK if deadline is None else min(LOOK, max(0.0, deadline - began))
        if (yield Wait(waiter.at_front, pause, thread=waiter.ahead)):
            break
        now = cx.now()
        if deadline is not None and now >= deadline:
            return False
        if now - began < pause / 2:  # the driver did not wait: the code ahead resumes only after this call
            waiter.leave()
            break
    return True


def _insist(  # noqa: PLR0917  # as `acquire`
    cx: Context, waiter: Waiter, token: bytes, lifetime: int | None, deadline: float | None, longest: float
) -> Op[bool]:
    pause = min(PAUSES[0], longest)
    while True:
        # Listen before trying: a release between the attempt and the pause would otherwise be missed.
        released = waiter.listen()
        if (yield from _take(cx, waiter.key, token, lifetime)):
            return True
        seconds = pause * (0.5 + cx.random() / 2)
        if deadline is not None:
            left = deadline - cx.now()
            if left <= 0:
                return False
            seconds = min(seconds, left)
        yield Wait(released, seconds, anywhere=True)
        pause = min(pause * 1.5, longest)


def _take(cx: Context, stored: bytes, token: bytes, lifetime: int | None) -> Op[bool]:
    """Acquire a free lock. Without a reply, or after an interruption, release it, since it may have been acquired."""
    command: Command = ("SET", stored, token, "NX")
    try:
        [reply] = yield (command if lifetime is None else (*command, "PX", lifetime),)
    except (ConnectError, PoolExhausted, ServerError, GeneratorExit):  # nothing was performed, or nothing can be sent
        raise
    except BaseException:
        with suppress(CacheError):
            yield from release(cx, stored, token)
        raise
    return reply is not None


def release(cx: Context, stored: bytes, token: bytes) -> Op[bool]:
    """Release a lock if the token still owns it; return whether it did.

    Raises:
        NotSupportedError: scripts are refused, and the server is older than Valkey 8.1.
    """
    try:
        return (yield from remove_if_equal(cx, stored, token))
    except ConnectionLost:  # the command may have been performed
        return (yield from remove_if_equal(cx, stored, token)) or True
    except (Exception, GeneratorExit):
        raise
    except BaseException:  # interrupted, perhaps before sending
        with suppress(CacheError):
            yield from remove_if_equal(cx, stored, token)
        raise
    finally:
        cx.lock_queue.wake(stored)


def extend(cx: Context, stored: bytes, token: bytes, milliseconds: int, *, add: bool) -> Op[bool]:
    """Extend a lock's lifetime if the token still owns it; return whether it did.

    Args:
        cx: the context.
        stored: the lock's stored key.
        token: identifies the owner.
        milliseconds: the time.
        add: whether to add it to the remaining time; otherwise it counts from now.

    Raises:
        NotSupportedError: scripts are refused, and the server is older than Valkey 8.1.
    """
    by_script = evaluate(EXTEND, (stored,), (token, milliseconds, "add" if add else "set"))
    by_comparing = partial(_extend_by_comparing, stored, token, milliseconds, add=add)
    return bool((yield from scripted(cx, stored, by_script, by_comparing)))


def _extend_by_comparing(stored: bytes, token: bytes, milliseconds: int, *, add: bool) -> Op[Any]:
    if add:
        [left] = yield OnPrimary((("PTTL", stored),))
        milliseconds += max(left, 0)
    return (yield from set_if_equal(("SET", stored, token, "IFEQ", token, "PX", milliseconds)))


def holder(stored: bytes) -> Op[bytes | None]:
    """Return the token of a lock's owner, None if the lock is free."""
    # A replica may still have a lock that was released, or not yet one that was acquired.
    [token] = yield OnPrimary((("GET", stored),))
    return token  # type: ignore[no-any-return]  # bytes or None
