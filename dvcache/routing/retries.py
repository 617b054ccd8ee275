"""Retry and failover: run a batch on one client after another until one answers. Written once for sync and async.

A flow yields attempts (a batch on a client) or questions (to sentinels, for example) and is sent their outcome. An
exception raised by an attempt is thrown into the flow, which may then try another client.
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
"""Start a query and return the future of its answer at once, for example a query to the sentinels."""

Flow: TypeAlias = Generator[tuple[C, Batch] | tuple[C, Batch, float] | Question, Any, Sequence[Any]]
"""Attempts on clients of type `C`; returns the replies of one of them.

The third element of an attempt is the share of the time until the deadline that it may use; all of it if absent.
"""


class Attempts(Protocol[C]):
    """Retry policy of a topology. Called by `perform` and `aperform`, from any thread.

    A flow costs up to a tenth of a round trip on the same machine, and the first attempt nearly always succeeds. So the
    first attempt is made without a flow; only if it fails is a flow started, with that attempt as its first step.
    """

    def first(self) -> C | None:
        """Return the client to try first, or None if only a flow can find it."""
        ...

    def suffices(self, replies: Sequence[Any], /) -> bool:
        """Return True if a flow would return these replies of the first client unchanged."""
        ...

    def flow(self, batch: Batch, begun: C | None = None, /) -> Flow[C]:
        """Return the flow; its first attempt is `(begun, batch)` unless `begun` is None."""
        ...


def perform(attempts: Attempts[Client], batch: Batch, until: float | None = None) -> Sequence[Any]:
    """Make attempts until one of them answers the batch or the deadline passes."""
    client = attempts.first()
    if client is None:
        return attempt(attempts.flow(batch), batch, until)
    try:
        replies = client.execute(batch, until)
    except Exception as error:  # noqa: BLE001  # thrown into the flow, which handles or re-raises it
        return resume(attempts, batch, client, error, until)
    return replies if attempts.suffices(replies) else resume(attempts, batch, client, replies, until)


def resume(
    attempts: Attempts[C], batch: Batch, client: C, outcome: Sequence[Any] | Exception, until: float | None = None
) -> Sequence[Any]:
    """Continue after a first attempt that raised an error or returned insufficient replies."""
    flow: Flow[Any] = attempts.flow(batch, client)
    flow.send(None)
    return _attempt(flow, outcome, batch, until)


async def aperform(attempts: Attempts[AsyncClient], batch: Batch, until: float | None = None) -> Sequence[Any]:
    """Make attempts as `perform` does, without blocking the event loop."""
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
    """Make the attempts of a flow, one after another, and return its result.

    Args:
        flow: the attempts; not yet started.
        batch: the batch that they are made for; errors name its first command.
        until: the deadline, in seconds of `time.monotonic`.
        before: the error of an earlier attempt made without the flow; the last error mentions it.

    Raises:
        TransportError: no attempt was answered, or the deadline passed before the next one.
    """
    return _attempt(flow, None, batch, until, before)


async def aattempt(
    flow: Flow[AsyncClient], batch: Batch = (), until: float | None = None, before: Exception | None = None
) -> Sequence[Any]:
    """Make the attempts of a flow as `attempt` does, without blocking the event loop."""
    return await _aattempt(flow, None, batch, until, before)


def _attempt(
    flow: Flow[Client], outcome: object, batch: Batch, until: float | None, before: Exception | None = None
) -> Sequence[Any]:
    """Continue a flow by sending it an outcome, or throwing it if it is an exception."""
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
            except Exception as error:  # noqa: BLE001  # thrown into the flow, which handles or re-raises it
                outcome = error
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration.value is typed Any
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
    return until if len(step) == 2 else deadline.part(until, step[2])  # noqa: PLR2004  # no share given: all of the time left


def _end(flow: Flow[Any]) -> None:
    """Close a flow that will make no further attempt."""
    with suppress(RuntimeError):  # the generator yielded while being closed
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
    """Return the error for an answer that did not arrive in time; the future's own error if it has one."""
    if isinstance(error, TransportError):
        return error
    # A query to the sentinels records why each of them failed; that explains more than the timeout does.
    own = getattr(answer, "error", None)
    return own if isinstance(own, TransportError) else ConnectError("no answer within the deadline")
