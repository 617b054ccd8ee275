"""Give each batch its deadline; the outermost client.

The deadline covers one batch. The next batch of the same operation gets a new one, so a long operation continues for as
long as it makes progress. Time in the caller's own function, in pauses and in waits for other callers does not count.
"""

import inspect
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar, cast

from typing_extensions import override

from dvcache.effects import Partial
from dvcache.errors import CircuitOpenError, TransportError
from dvcache.types import Batch

C = TypeVar("C")

SHARE: Final = 4
"""Ratio of the time between failures to the time lost in them, after the first deadline was lost: callers lose 1/5."""

LEAST: Final = 0.02
"""Minimum seconds for a batch; with less left, the batch is refused."""

FLOOR: Final = 0.05
"""Minimum share of the deadline for each batch while some servers answer and others do not."""


class Deadlines(Generic[C]):
    """Gives each batch a deadline. It serves sync and async, because it returns the inner client's result unchanged.

    Args:
        client: the client of the topology.
        seconds: limit for each batch.
    """

    __slots__ = ("_execute", "_seconds", "client", "primary")

    def __init__(self, client: C, seconds: float) -> None:
        self.client, self._seconds = client, seconds
        self._execute: Callable[[Batch, float], Any] = client.execute  # type: ignore[attr-defined]  # of either mode
        inner = getattr(client, "primary", None)
        self.primary: Any = self if inner is None else Deadlines(inner, seconds)
        """The client that reads the latest write."""

    def execute(self, batch: Batch, until: float | None = None, /) -> Any:
        """Run the batch (see `protocols.Client`)."""
        return self._execute(batch, time.monotonic() + self._seconds if until is None else until)

    def close(self) -> None:
        """End every connection."""
        self.client.close()  # type: ignore[attr-defined]  # as above


class Losses:
    """Budget for the time that callers of an alias lose to unresponsive servers, where errors are ignored.

    Callers lose one deadline at most and then a fifth of their time, however many servers fail to answer. While some
    servers answer, each batch keeps a minimum part of the deadline. There is no lock, so a forked child cannot inherit
    a held one.

    Args:
        seconds: the deadline of a batch.
        clock: a monotonic clock in seconds.
    """

    __slots__ = ("_answers", "_clock", "_left", "_looked", "_lost", "_seconds")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._left = seconds
        self._looked = self._lost = 0.0
        self._answers = True

    def allowance(self, alias: str) -> float:
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
        raise CircuitOpenError(f"not sent: no server answered; the next attempt is in {wait:.1f} s", alias=alias)

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
    """Gives each batch a deadline, and limits the time lost while servers do not answer (see `Losses`).

    Args:
        client: the client of the topology.
        seconds: limit for each batch.
        alias: the alias, for errors.
        losses: the budget, shared with the client's `primary`.
    """

    __slots__ = ("_alias", "_losses", "client", "primary")

    def __init__(self, client: Any, seconds: float, alias: str, losses: Losses | None = None) -> None:
        self.client, self._alias = client, alias
        self._losses = losses or Losses(seconds)
        inner = getattr(client, "primary", None)
        self.primary: Any = self if inner is None else type(self)(inner, seconds, alias, self._losses)
        """The client that reads the latest write."""

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`)."""
        began = time.monotonic()
        try:
            replies: Sequence[Any] = self.client.execute(batch, until or began + self._losses.allowance(self._alias))
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
            replies: Sequence[Any] = await self.client.execute(
                batch, until or began + self._losses.allowance(self._alias)
            )
        except TransportError:
            self._losses.lose(time.monotonic() - began)
            raise
        self._losses.note(replies, began)
        return replies


class OneArgument:
    """A user's pool or client, of either mode, whose `execute` takes no deadline.

    Args:
        client: the user's object; its other attributes remain available.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def execute(self, batch: Batch, until: float | None = None, /) -> Any:  # noqa: ARG002  # it takes no deadline
        """Run the batch (see `protocols.Client`)."""
        return self._client.execute(batch)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return (lambda batch, _=None, /: found(batch)) if name == "begin" else found


def taking_deadlines(client: C) -> C:
    """Return the client; if its `execute` takes only the batch, return a wrapper that drops the deadline."""
    try:
        inspect.signature(client.execute).bind((), None)  # type: ignore[attr-defined]  # of either mode
    except TypeError:
        return cast("C", OneArgument(client))
    except (AttributeError, ValueError):  # no such method, or no signature: its first call reports it
        pass
    return client
