"""The budget of a connection attempt: the time by which name resolution, TCP, TLS and handshake must be complete.

A ContextVar carries the caller's deadline to connections that a user's pool opens, and to those that such a connection
opens itself to query sentinels.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_UNTIL: Final[ContextVar[float | None]] = ContextVar("dvcache_connect_until", default=None)


def sooner(*moments: float | None) -> float | None:
    """Return the earliest of several `time.monotonic()` times; None stands for no bound."""
    return min((each for each in moments if each is not None), default=None)


def budget(seconds: float | None) -> float | None:
    """Return the time by which a connection attempt that starts now must be complete; None without a limit.

    Args:
        seconds: the attempt's own limit; None applies only that of `connecting_until`.
    """
    return sooner(None if seconds is None else time.monotonic() + seconds, _UNTIL.get())


def left_or_raise(until: float | None) -> float | None:
    """Return the remaining seconds, None without a limit.

    Raises:
        TimeoutError: none remain.
    """
    if until is None:
        return None
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


@contextmanager
def connecting_until(until: float | None) -> Iterator[None]:
    """Apply a deadline to every connection that is opened within the block, in this thread or task."""
    before = _UNTIL.get()
    _UNTIL.set(sooner(until, before))
    try:
        yield
    finally:
        _UNTIL.set(before)  # no token: an eager task ends in another context than it starts in
