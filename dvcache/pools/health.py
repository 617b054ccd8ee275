"""`health_check_interval` of an event loop's connection: PING after each interval, so that an end is noticed in time.

A PING without an answer ends the connection as any command does, and no caller has waited for it.
"""

import asyncio
import weakref
from typing import Any, Final, Protocol

from dvcache.types import Batch, Endpoint

PING: Final[Batch] = (("PING",),)


class Sends(Protocol):
    """A connection of an event loop."""

    unusable: bool
    """Whether it has ended."""

    def send(self, batch: Batch, /) -> "asyncio.Future[Any]":
        """Write the batch; the future holds its replies."""
        ...


def interval(endpoint: Endpoint) -> float:
    """Return the seconds of rest after which a connection is looked at before it is used; 0 for never."""
    seconds: Any = endpoint.options.get("health_check_interval", 0)
    return float(seconds)


def check_regularly(line: Sends, seconds: float) -> None:
    """Send PING on a connection every so many seconds for as long as it lives."""
    _Checks(line, seconds).schedule()


class _Checks:
    """The PINGs of one connection, which they do not keep alive."""

    def __init__(self, line: Sends, seconds: float) -> None:
        self._line, self._seconds = weakref.ref(line), seconds
        self._loop = asyncio.get_running_loop()

    def schedule(self) -> None:
        """Have the next PING sent."""
        self._loop.call_later(self._seconds, self._check)

    def _check(self) -> None:
        line = self._line()
        if line is not None and not line.unusable:
            line.send(PING).add_done_callback(_seen)
            self.schedule()


def _seen(done: "asyncio.Future[Any]") -> None:
    if not done.cancelled():
        done.exception()
