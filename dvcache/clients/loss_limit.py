"""Limit the time that callers lose to unresponsive servers, where errors are ignored."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from typing_extensions import override

from dvcache.effects import Partial
from dvcache.errors import CircuitOpenError, TransportError
from dvcache.types import Batch

SHARE: Final = 4
"""Ratio of the time between failures to the time lost in them, after the first deadline was lost: callers lose 1/5."""

LEAST: Final = 0.02
"""Minimum seconds for a batch; with less left, the batch is refused."""

FLOOR: Final = 0.05
"""Minimum share of the deadline for each batch while some servers answer and others do not."""


class Losses:
    """Budget for the time that callers of an alias lose to unresponsive servers, where errors are ignored.

    Callers lose one deadline at most and then a fifth of their time, however many servers fail to answer. While some
    servers answer, each batch keeps a minimum part of the deadline. There is no lock, so a forked child cannot inherit
    a held one.

    Args:
        seconds: the deadline of a batch.
        alias: the alias, for errors.
        clock: a monotonic clock in seconds.
    """

    __slots__ = ("_alias", "_answers", "_clock", "_left", "_looked", "_lost", "_seconds")

    def __init__(self, seconds: float, alias: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._alias, self._clock = seconds, alias, clock
        self._left = seconds
        self._looked = self._lost = 0.0
        self._answers = True

    def allowance(self) -> float:
        """Return the seconds that a batch may take now.

        Raises:
            CircuitOpenError: the budget is used up and no server has answered since. Nothing was sent.
        """
        if self._left >= self._seconds:
            return self._seconds
        now = self._clock()
        if self._answers and now - self._lost >= self._seconds:
            self._left = self._seconds  # servers have answered for the length of a deadline: restore the budget
        else:
            self._left = min(self._left + (now - self._looked) / (SHARE + 1), self._seconds)
        self._looked = now
        if self._left >= LEAST:
            return self._left
        if self._answers:
            return max(LEAST, self._seconds * FLOOR)  # some servers answer: keep trying, with a short deadline
        wait = (LEAST - self._left) * (SHARE + 1)
        raise CircuitOpenError(f"not sent: no server answered; the next attempt is in {wait:.1f} s", alias=self._alias)

    def lose(self, seconds: float) -> None:
        """Record that a batch waited so many seconds without an answer."""
        self._answers = False
        self._left = max(self._left - seconds, 0.0)
        self._looked = self._lost = self._clock()

    def note(self, replies: Sequence[Any], began: float) -> None:
        """Record an answer. One that lacks a server's part counts as a loss if it took more than `LEAST` seconds."""
        whole = not any(isinstance(each, TransportError) or type(each) is Partial for each in replies)
        if not whole and (seconds := self._clock() - began) > LEAST:
            self.lose(seconds)
        self._answers = self._answers or whole


class LimitedLosses:
    """Limits the time lost while servers do not answer (see `Losses`); the outermost client where errors are ignored.

    Args:
        client: the client of the topology.
        losses: the budget.
    """

    __slots__ = ("_losses", "client", "primary")

    def __init__(self, client: Any, losses: Losses) -> None:
        self.client, self._losses = client, losses
        primary = getattr(client, "primary", client)
        self.primary: Any = self if primary is client else type(self)(primary, losses)
        """The client that reads the latest write."""

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`)."""
        began = time.monotonic()
        try:
            replies: Sequence[Any] = self.client.execute(batch, until or began + self._losses.allowance())
        except TransportError:
            self._losses.lose(time.monotonic() - began)
            raise
        self._losses.note(replies, began)
        return replies

    def close(self) -> None:
        """End every connection."""
        self.client.close()


class AsyncLimitedLosses(LimitedLosses):
    """The async counterpart of `LimitedLosses`."""

    __slots__ = ()

    @override
    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:  # type: ignore[override]  # async
        began = time.monotonic()
        try:
            replies: Sequence[Any] = await self.client.execute(batch, until or began + self._losses.allowance())
        except TransportError:
            self._losses.lose(time.monotonic() - began)
            raise
        self._losses.note(replies, began)
        return replies
