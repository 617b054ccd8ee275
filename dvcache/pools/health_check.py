"""`health_check_interval` on an event loop: send PING after each interval, so that a dead connection is noticed.

An unanswered PING ends the connection as any command does, without a caller that waits for it.
"""

import asyncio
import weakref
from typing import Any, Final, Protocol

from dvcache.types import Batch, Endpoint

PING: Final[Batch] = (("PING",),)


class Sends(Protocol):
    """A multiplexed connection."""

    unusable: bool
    """True if it has ended."""

    def send(self, batch: Batch, /) -> "asyncio.Future[Any]":
        """Write the batch; return the future of its replies."""
        ...


def interval(endpoint: Endpoint) -> float:
    """Return the idle seconds after which a connection is checked before use; 0 for never."""
    seconds: Any = endpoint.options.get("health_check_interval", 0)
    return float(seconds)


def check_regularly(connection: Sends, seconds: float) -> None:
    """Send PING on a connection at this interval for as long as it lives."""
    _Checks(connection, seconds).schedule()


class _Checks:
    """Scheduled PINGs of one connection, which they reference weakly."""

    def __init__(self, connection: Sends, seconds: float) -> None:
        self._connection, self._seconds = weakref.ref(connection), seconds
        self._loop = asyncio.get_running_loop()

    def schedule(self) -> None:
        """Schedule the next PING."""
        self._loop.call_later(self._seconds, self._check)

    def _check(self) -> None:
        connection = self._connection()
        if connection is not None and not connection.unusable:
            connection.send(PING).add_done_callback(_seen)
            self.schedule()


def _seen(done: "asyncio.Future[Any]") -> None:
    if not done.cancelled():
        done.exception()
