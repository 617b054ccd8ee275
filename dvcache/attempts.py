"""Attempts: which client is tried with which batch, until one answers. Written once for sync and async.

A flow yields what is to be attempted and is sent the outcome: the replies of a batch on a client, or what a question
(to sentinels, say) comes to. What the attempt raises is thrown into the flow, which may try another.
"""

import asyncio
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Protocol, TypeAlias, TypeVar

from dvcache import deadline
from dvcache.deadline import Trail
from dvcache.errors import ConnectError, TransportError
from dvcache.protocols import AsyncClient, Client
from dvcache.types import Batch

C = TypeVar("C")

Question: TypeAlias = Callable[[], Future[Any]]
"""Asks somebody else, and returns at once what will hold the answer."""

Flow: TypeAlias = Generator[tuple[C, Batch] | tuple[C, Batch, float] | Question, Any, Sequence[Any]]
"""Attempts on clients of type `C`, that return the replies of one of them.

The third element of an attempt is its share of the time that is left until the deadline; all of it without one.
"""


class Attempts(Protocol[C]):
    """Which attempts a batch is worth. Called by `perform` and `aperform`, from any thread.

    A flow costs as much as a tenth of a round trip on the same machine, and almost always its first attempt is its
    last. So that attempt is made without it; where it does not do, a flow is begun that takes it for its first step.
    """

    def first(self) -> C | None:
        """Return the client to try first, or None where that takes a flow to find out."""
        ...

    def suffices(self, replies: Sequence[Any], /) -> bool:
        """Say whether a flow would return these replies of the first client as they are."""
        ...

    def flow(self, batch: Batch, begun: C | None = None, /) -> Flow[C]:
        """Return the attempts; their first is `(begun, batch)` unless that is None."""
        ...


def perform(attempts: Attempts[Client], batch: Batch, until: float | None = None) -> Sequence[Any]:
    """Make attempts until one of them answers the batch, or the deadline passes."""
    client = attempts.first()
    if client is None:
        return attempt(attempts.flow(batch), batch, until)
    try:
        replies = client.execute(batch, until)
    except Exception as error:  # noqa: BLE001  # the flow decides; what it leaves is raised by throw
        return resume(attempts, batch, client, error, until)
    return replies if attempts.suffices(replies) else resume(attempts, batch, client, replies, until)


def resume(
    attempts: Attempts[C], batch: Batch, client: C, outcome: Sequence[Any] | Exception, until: float | None = None
) -> Sequence[Any]:
    """Go on after a first attempt on the client, which came to an error or to replies that do not do."""
    flow: Flow[Any] = attempts.flow(batch, client)
    flow.send(None)
    return _attempt(flow, outcome, batch, until)


async def aperform(attempts: Attempts[AsyncClient], batch: Batch, until: float | None = None) -> Sequence[Any]:
    """Make attempts as `perform`, without blocking the event loop."""
    client = attempts.first()
    if client is None:
        return await aattempt(attempts.flow(batch), batch, until)
    outcome: Sequence[Any] | Exception
    try:
        outcome = await client.execute(batch, until)
    except Exception as error:  # noqa: BLE001  # as above
        outcome = error
    else:
        if attempts.suffices(outcome):
            return outcome
    flow = attempts.flow(batch, client)
    flow.send(None)
    return await _aattempt(flow, outcome, batch, until)


def attempt(
    flow: Flow[Client], batch: Batch = (), until: float | None = None, before: Exception | None = None
) -> Sequence[Any]:
    """Make the attempts of a flow, one after another, and return what it returns.

    Args:
        flow: the attempts, not yet begun.
        batch: what they are made for; an error names its first command.
        until: the deadline.
        before: the error of an attempt that was made without the flow; the error of the last attempt names it too.

    Raises:
        TransportError: no attempt was answered, or the deadline passed before the next one.
    """
    return _attempt(flow, None, batch, until, before)


async def aattempt(
    flow: Flow[AsyncClient], batch: Batch = (), until: float | None = None, before: Exception | None = None
) -> Sequence[Any]:
    """Make the attempts of a flow as `attempt`, without blocking the event loop."""
    return await _aattempt(flow, None, batch, until, before)


def _attempt(
    flow: Flow[Client], outcome: object, batch: Batch, until: float | None, before: Exception | None = None
) -> Sequence[Any]:
    """Go on with a flow by sending it an outcome, or by raising it there."""
    trail = Trail(before)
    try:
        while True:
            trail.add(outcome)
            step = flow.throw(outcome) if isinstance(outcome, Exception) else flow.send(outcome)
            if deadline.has_passed(until):
                _end(flow)
                raise trail.passed(batch)
            try:
                if isinstance(step, tuple):
                    outcome = step[0].execute(step[1], _until(step, until))
                else:
                    outcome = _answered(step(), until)
            except Exception as error:  # noqa: BLE001  # the flow decides; what it leaves is raised by throw
                outcome = error
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration.value is Any; it is the flow's
    except TransportError as error:
        trail.explain(error)
        raise


async def _aattempt(
    flow: Flow[AsyncClient], outcome: object, batch: Batch, until: float | None, before: Exception | None = None
) -> Sequence[Any]:
    trail = Trail(before)
    try:
        while True:
            trail.add(outcome)
            step = flow.throw(outcome) if isinstance(outcome, Exception) else flow.send(outcome)
            if deadline.has_passed(until):
                _end(flow)
                raise trail.passed(batch)
            try:
                if isinstance(step, tuple):
                    outcome = await step[0].execute(step[1], _until(step, until))
                else:
                    outcome = await _aanswered(step(), until)
            except Exception as error:  # noqa: BLE001  # as above
                outcome = error
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # as above
    except TransportError as error:
        trail.explain(error)
        raise


def _until(step: tuple[Any, ...], until: float | None) -> float | None:
    return until if len(step) == 2 else deadline.part(until, step[2])  # noqa: PLR2004  # no share: all of it


def _end(flow: Flow[Any]) -> None:
    """Close a flow that is to make no further attempt."""
    with suppress(RuntimeError):  # a generator that yields once more while it is closed
        flow.close()


def _answered(answer: "Future[Any]", until: float | None) -> Any:
    """Wait for an answer.

    Raises:
        ConnectError: the deadline passed first.
    """
    if until is None:
        return answer.result()
    try:
        return answer.result(deadline.left(until))
    except TimeoutError as error:
        raise _unanswered(answer, error) from None


async def _aanswered(answer: "Future[Any]", until: float | None) -> Any:
    try:
        async with asyncio.timeout(deadline.left(until)):
            return await asyncio.wrap_future(answer)
    except TimeoutError as error:
        raise _unanswered(answer, error) from None


def _unanswered(answer: "Future[Any]", error: TimeoutError) -> Exception:
    """Return the error of an answer that did not come in time; the answer's own, if it says more."""
    if isinstance(error, TransportError):
        return error
    own = getattr(answer, "error", None)
    return own if isinstance(own, TransportError) else ConnectError("no answer within the deadline")
