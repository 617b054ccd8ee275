"""The outermost client: it gives each batch its deadline.

A batch that was answered is over; the next one of the same operation has a deadline of its own, so that a long
operation goes on for as long as it makes progress. The caller's own function, pauses and waits for other callers do not
count.
"""

import inspect
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar, cast

from typing_extensions import override

from dvcache.errors import CircuitOpenError, TransportError
from dvcache.types import Batch, Partial

C = TypeVar("C")

SHARE: Final = 4
"""Seconds between two that callers may lose to silent servers, once a deadline was lost."""

LEAST: Final = 0.02
"""Seconds below which a batch is refused: no server is given less."""

FLOOR: Final = 0.05
"""Share of the deadline that each batch has while some servers answer and others are silent."""


class Deadlines(Generic[C]):
    """Gives each batch a deadline. For sync and async: it returns what its client returns.

    Args:
        client: the client of the topology.
        seconds: what each batch may take.
    """

    __slots__ = ("_execute", "_seconds", "client", "primary")

    def __init__(self, client: C, seconds: float) -> None:
        self.client, self._seconds = client, seconds
        self._execute: Callable[[Batch, float], Any] = client.execute  # type: ignore[attr-defined]  # of either mode
        inner = getattr(client, "primary", None)
        self.primary: Any = self if inner is None else Deadlines(inner, seconds)
        """The client that sees the latest write."""

    def execute(self, batch: Batch, until: float | None = None, /) -> Any:
        """Run the batch, as `protocols.Client` says."""
        return self._execute(batch, time.monotonic() + self._seconds if until is None else until)

    def close(self) -> None:
        """End every connection."""
        self.client.close()  # type: ignore[attr-defined]  # as above


class Losses:
    """The time that callers of an alias lost to silent servers, where errors are ignored.

    Callers lose one deadline at most, and after that a fifth of their time, whichever servers are silent. While others
    answer, each batch has a part of the deadline at least. Without a lock, so that a forked child finds none held.

    Args:
        seconds: the deadline of a batch.
        clock: seconds that only ever grow.
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
            CircuitOpenError: too much time was lost a moment ago, and no server answers. Nothing was sent.
        """
        if self._left >= self._seconds:
            return self._seconds
        now = self._clock()
        if self._answers and now - self._lost >= self._seconds:
            self._left = self._seconds
        else:
            self._left = min(self._left + (now - self._looked) / (SHARE + 1), self._seconds)
        self._looked = now
        if self._left >= LEAST:
            return self._left
        if self._answers:
            return max(LEAST, self._seconds * FLOOR)
        wait = (LEAST - self._left) * (SHARE + 1)
        raise CircuitOpenError(f"not asked: no server answered, and the next attempt is in {wait:.1f} s", alias=alias)

    def lose(self, seconds: float) -> None:
        """Record that a batch got no answer for so many seconds."""
        self._answers = False
        self._left = max(self._left - seconds, 0.0)
        self._looked = self._lost = self._clock()

    def note(self, replies: Sequence[Any], began: float) -> None:
        """Record an answer; one that lacks a server's part counts as a loss if it took its time."""
        whole = not any(isinstance(each, TransportError) or type(each) is Partial for each in replies)
        if not whole and (seconds := self._clock() - began) > LEAST:
            self.lose(seconds)
        self._answers = self._answers or whole


class LimitedLosses:
    """Gives each batch a deadline, and callers no more than one in all while no server answers.

    Args:
        client: the client of the topology.
        seconds: what each batch may take.
        alias: the alias, for errors.
        losses: the time that was lost, shared with the client's `primary`.
    """

    __slots__ = ("_alias", "_losses", "client", "primary")

    def __init__(self, client: Any, seconds: float, alias: str, losses: Losses | None = None) -> None:
        self.client, self._alias = client, alias
        self._losses = losses or Losses(seconds)
        inner = getattr(client, "primary", None)
        self.primary: Any = self if inner is None else type(self)(inner, seconds, alias, self._losses)
        """The client that sees the latest write."""

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
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
    """The same for asynchronous code."""

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
    """A user's pool or client of either mode whose `execute` takes the batch alone.

    Args:
        client: the user's object; its other attributes stay visible.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def execute(self, batch: Batch, until: float | None = None, /) -> Any:  # noqa: ARG002  # it takes no deadline
        """Run the batch, as `protocols.Client` says."""
        return self._client.execute(batch)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return (lambda batch, _=None, /: found(batch)) if name == "begin" else found


def taking_deadlines(client: C) -> C:
    """Return the client, or where its `execute` takes the batch alone one that takes a deadline and leaves it out."""
    try:
        inspect.signature(client.execute).bind((), None)  # type: ignore[attr-defined]  # of either mode
    except TypeError:
        return cast("C", OneArgument(client))
    except (AttributeError, ValueError):  # no such method, or no signature: its first call says so
        pass
    return client
