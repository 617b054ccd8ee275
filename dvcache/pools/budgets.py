"""The budget of a connection: the time by which name look-up, TCP, TLS and greeting must be over.

A ContextVar carries a caller's deadline to connections that a pool of the user's opens, and to those that such a
connection opens itself to ask sentinels.
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
    """Return until when a connection may take that begins now.

    Args:
        seconds: its own limit; None has no bound beside that of `connecting_until`.
    """
    return sooner(None if seconds is None else time.monotonic() + seconds, _UNTIL.get())


def left(until: float | None) -> float | None:
    """Return the seconds that are left, None without a bound.

    Raises:
        TimeoutError: nothing is left.
    """
    if until is None:
        return None
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


@contextmanager
def connecting_until(until: float | None) -> Iterator[None]:
    """Bound every connection that is opened within the block, in this thread or task."""
    before = _UNTIL.get()
    _UNTIL.set(sooner(until, before))
    try:
        yield
    finally:
        _UNTIL.set(before)  # not by a token: an eager task ends in another context than it begins in
