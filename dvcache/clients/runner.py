"""Run the flows of a topology, sync and async."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, Generic, TypeVar

from dvcache import deadline
from dvcache.clients.exchange import aexchange, exchange
from dvcache.clients.pool_adapter import Member, with_async_begin, with_begin
from dvcache.deadline import Trail
from dvcache.errors import ConnectError, TransportError
from dvcache.process.pauses import apause, pause
from dvcache.protocols import AsyncBegins, Pending
from dvcache.routing.flow import Attempt, C, Exchange, Flow, Outcome, Question, Reconnect, Routing, Step
from dvcache.types import Batch

T = TypeVar("T")


class _BaseRunner(Generic[C]):
    """Common part of the runners of both modes.

    Args:
        routing: what the topology does with a batch.
        seconds: limit for a batch without a deadline; None sets no limit.
        primary: the client that reads the latest write; None if it is this one.
    """

    __slots__ = ("_first", "_only", "_primary", "_seconds", "_suffices", "routing")

    def __init__(self, routing: Routing[C], seconds: float | None = None, primary: Any = None) -> None:
        self.routing, self._seconds, self._primary = routing, seconds, primary
        self._first, self._suffices = routing.first, routing.suffices
        self._only: C | None = getattr(routing, "only", None)
        """The client of every first attempt, if there is only one: spares a call of `first`, which costs 1 %."""

    @property
    def primary(self) -> Any:
        """The client that reads the latest write."""
        return self if self._primary is None else self._primary

    def _flow(self, batch: Batch, client: C | None, until: float | None) -> Flow[C, Sequence[Any]]:
        """Return the flow, suspended at its first attempt if that was made on a client."""
        flow = self.routing.flow(batch, client, until)
        if client is not None:
            flow.send(None)
        return flow

    def close(self) -> None:
        """Close every connection."""
        self.routing.close()


class Runner(_BaseRunner[Member]):
    """The client of a topology: makes the first attempt itself, and runs a flow only if that does not suffice."""

    __slots__ = ()

    adapted = staticmethod(with_begin)

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`)."""
        if until is None and self._seconds is not None:
            until = monotonic() + self._seconds
        client = self._only or self._first(batch)
        if client is None:
            return perform(self._flow(batch, None, until), batch, until)
        outcome: Outcome
        try:
            outcome = client.execute(batch, until)
        except Exception as error:  # noqa: BLE001  # thrown into the flow, which handles or re-raises it
            outcome = error
        else:
            # A single reply is the common case and is checked here, without a call: `isinstance` would cost 1 %.
            if (
                len(outcome) == 1 and (type(outcome[0]) is bytes or outcome[0] is None or type(outcome[0]) is int)
            ) or self._suffices(outcome):
                return outcome
        try:
            return perform(self._flow(batch, client, until), batch, until, outcome)
        finally:
            del outcome  # break the reference cycle of an error with its traceback

    def connects(self) -> bool:
        """Return True if the next batch would open a connection (see `protocols.Begins`)."""
        client = self._first(())
        return client is not None and client.connects()

    def begin(self, batch: Batch, until: float | None = None, /) -> Pending | None:
        """Write the batch (see `protocols.Begins`); return None if a flow must find the client."""
        client = self._first(batch)
        if client is None:
            return None
        try:
            pending = client.begin(batch, until)
        except Exception as error:  # noqa: BLE001  # as above
            return _Begun(self, client, batch, until, error)
        return None if pending is None else _Begun(self, client, batch, until, pending)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A batch written to the first client, or the error of writing it: `protocols.Pending`."""

    runner: Runner
    client: Member
    batch: Batch
    until: float | None
    pending: Pending | Exception

    def replies(self) -> Sequence[Any]:
        """Read the replies; if they do not suffice, run the flow."""
        outcome: Outcome
        try:
            outcome = self.pending if isinstance(self.pending, Exception) else self.pending.replies()
        except Exception as error:  # noqa: BLE001  # as above
            outcome = error
        if not isinstance(outcome, Exception) and self.runner.routing.suffices(outcome):
            return outcome
        flow = self.runner._flow(self.batch, self.client, self.until)  # noqa: SLF001  # a part of the runner
        return perform(flow, self.batch, self.until, outcome)

    def abandon(self) -> None:
        """Discard the replies."""
        if not isinstance(self.pending, Exception):
            self.pending.abandon()


class AsyncRunner(_BaseRunner[AsyncBegins]):
    """The asynchronous client of a topology. Its hot path has one coroutine: a second one costs 6 %."""

    __slots__ = ()

    adapted = staticmethod(with_async_begin)

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.AsyncClient`)."""
        if until is None and self._seconds is not None:
            until = monotonic() + self._seconds
        client = self._only or self._first(batch)
        if client is None:
            return await aperform(self._flow(batch, None, until), batch, until)
        outcome: Outcome
        try:
            written = client.begin(batch, until)
            outcome = await (client.execute(batch, until) if written is None else written)
        except Exception as error:  # noqa: BLE001  # as above
            outcome = error
        else:
            if (
                len(outcome) == 1 and (type(outcome[0]) is bytes or outcome[0] is None or type(outcome[0]) is int)
            ) or self._suffices(outcome):
                return outcome
        try:
            return await aperform(self._flow(batch, client, until), batch, until, outcome)
        finally:
            del outcome  # as above

    def begin(self, _batch: Batch, _until: float | None = None, /) -> None:
        """Return None: what to do after the replies takes a coroutine."""


def perform(flow: Flow[Any, T], batch: Batch = (), until: float | None = None, outcome: object = None) -> T:
    """Perform the steps of a flow and return its result.

    Args:
        flow: the steps; not yet started, or suspended at its first attempt.
        batch: the batch that they are made for; errors name its first command.
        until: the deadline, in seconds of `time.monotonic`.
        outcome: the outcome of the first attempt, if that was made already.

    Raises:
        TransportError: no attempt was answered, or the deadline passed before the next one.
    """
    trail = Trail()
    try:
        while True:
            step = _next(flow, outcome, trail, batch, until)
            try:
                outcome = _performed(step, until)
            except Exception as error:  # noqa: BLE001  # as above
                outcome = error
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration.value is Any; it is the flow's T
    except BaseException as error:
        _end(flow, error, trail)
        raise
    finally:
        del outcome, trail  # as above


async def aperform(flow: Flow[Any, T], batch: Batch = (), until: float | None = None, outcome: object = None) -> T:
    """Perform the steps of a flow as `perform` does, without blocking the event loop."""
    trail = Trail()
    try:
        while True:
            step = _next(flow, outcome, trail, batch, until)
            try:
                outcome = await _aperformed(step, until)
            except Exception as error:  # noqa: BLE001  # as above
                outcome = error
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # as above
    except BaseException as error:
        _end(flow, error, trail)
        raise
    finally:
        del outcome, trail  # as above


_ENDED: Final = frozenset({Attempt, Question})
"""Steps that are not made after the deadline: they end the flow."""


def _next(flow: Flow[Any, Any], outcome: object, trail: Trail, batch: Batch, until: float | None) -> Step[Any]:
    """Send or throw an outcome into the flow and return its next step."""
    step: Step[Any]
    try:
        if isinstance(outcome, Exception):
            trail.add(outcome)
            step = flow.throw(outcome)
        else:
            step = flow.send(outcome)
        if type(step) in _ENDED and deadline.has_passed(until):
            raise trail.passed(batch)
    finally:
        del outcome, trail  # as above: the flow's error has this frame in its traceback
    return step


def _end(flow: Flow[Any, Any], error: BaseException, trail: Trail) -> None:
    """Close a flow that takes no further step; explain the error that ends it."""
    with suppress(RuntimeError):  # the generator yielded while being closed
        flow.close()
    if isinstance(error, TransportError):
        trail.explain(error)


def _performed(step: Step[Any], until: float | None) -> object:
    if isinstance(step, Exchange):
        return exchange(step.requests, _until(step, until))
    if isinstance(step, Attempt):
        return step.client.execute(step.batch, _until(step, until))
    if isinstance(step, Question):
        return _answered(step.start(), until)
    return step.client.retire() if isinstance(step, Reconnect) else pause(step, until)


async def _aperformed(step: Step[Any], until: float | None) -> object:
    if isinstance(step, Exchange):
        return await aexchange(step.requests, _until(step, until))
    if isinstance(step, Attempt):
        return await step.client.execute(step.batch, _until(step, until))
    if isinstance(step, Question):
        return await _aanswered(step.start(), until)
    return await (step.client.retire() if isinstance(step, Reconnect) else apause(step, until))


def _until(step: Attempt[Any] | Exchange[Any], until: float | None) -> float | None:
    return until if step.share == 1 else deadline.part(until, step.share)


def _answered(answer: "Future[Any]", until: float | None) -> Any:
    """Wait for an answer.

    Raises:
        ConnectError: the deadline passed first.
    """
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
