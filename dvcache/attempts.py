"""Attempts: which client is tried with which batch, until one answers. Written once for sync and async.

A flow yields what is to be attempted and is sent the outcome: the replies of a batch on a client, or what a question
(to sentinels, say) comes to. What the attempt raises is thrown into the flow, which may try another.
"""

import asyncio
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeAlias, TypeVar

from dvcache.protocols import AsyncClient, Client
from dvcache.types import Batch

C = TypeVar("C")

Question: TypeAlias = Callable[[], Future[Any]]
"""Asks somebody else, and returns at once what will hold the answer."""

Flow: TypeAlias = Generator[tuple[C, Batch] | Question, Any, Sequence[Any]]
"""Attempts on clients of type `C`, that return the replies of one of them."""


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


def perform(attempts: Attempts[Client], batch: Batch) -> Sequence[Any]:
    """Make attempts until one of them answers the batch."""
    client = attempts.first()
    if client is None:
        return attempt(attempts.flow(batch))
    try:
        replies = client.execute(batch)
    except Exception as error:  # noqa: BLE001  # the flow decides; what it leaves is raised by throw
        return resume(attempts, batch, client, error)
    return replies if attempts.suffices(replies) else resume(attempts, batch, client, replies)


def resume(attempts: Attempts[C], batch: Batch, client: C, outcome: Sequence[Any] | Exception) -> Sequence[Any]:
    """Go on after a first attempt on the client, which came to an error or to replies that do not do."""
    flow: Flow[Any] = attempts.flow(batch, client)
    flow.send(None)
    return _attempt(flow, flow.throw if isinstance(outcome, Exception) else flow.send, outcome)


async def aperform(attempts: Attempts[AsyncClient], batch: Batch) -> Sequence[Any]:
    """Make attempts as `perform`, without blocking the event loop."""
    client = attempts.first()
    if client is None:
        return await aattempt(attempts.flow(batch))
    try:
        replies = await client.execute(batch)
    except Exception as error:  # noqa: BLE001  # as above
        flow = attempts.flow(batch, client)
        flow.send(None)
        return await _aattempt(flow, flow.throw, error)
    if attempts.suffices(replies):
        return replies
    flow = attempts.flow(batch, client)
    flow.send(None)
    return await _aattempt(flow, flow.send, replies)


def attempt(flow: Flow[Client]) -> Sequence[Any]:
    """Make the attempts of a flow, one after another, and return what it returns."""
    return _attempt(flow, flow.send, None)


async def aattempt(flow: Flow[AsyncClient]) -> Sequence[Any]:
    """Make the attempts of a flow as `attempt`, without blocking the event loop."""
    return await _aattempt(flow, flow.send, None)


def _attempt(flow: Flow[Client], go_on: Callable[[Any], Any], outcome: object) -> Sequence[Any]:
    """Go on with a flow by telling it an outcome."""
    try:
        step = go_on(outcome)
        while True:
            try:
                outcome = step[0].execute(step[1]) if type(step) is tuple else step().result()
            except Exception as error:  # noqa: BLE001  # the flow decides; what it leaves is raised by throw
                step = flow.throw(error)
            else:
                step = flow.send(outcome)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration.value is Any; it is the flow's


async def _aattempt(flow: Flow[AsyncClient], go_on: Callable[[Any], Any], outcome: object) -> Sequence[Any]:
    try:
        step = go_on(outcome)
        while True:
            try:
                outcome = await (step[0].execute(step[1]) if type(step) is tuple else asyncio.wrap_future(step()))
            except Exception as error:  # noqa: BLE001  # as above
                step = flow.throw(error)
            else:
                step = flow.send(outcome)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # as above
