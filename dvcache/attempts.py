"""Attempts: which client is tried with which batch, until one answers. Written once for sync and async.

A flow yields what is to be attempted and is sent the outcome: the replies of a batch on a client, or what a blocking
function returned (asking sentinels, say). What the attempt raises is thrown into the flow, which may try another.
"""

import asyncio
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeAlias, TypeVar

from dvcache.protocols import AsyncClient, Client
from dvcache.types import Batch

C = TypeVar("C")

Flow: TypeAlias = Generator[tuple[C, Batch] | Callable[[], object], Any, Sequence[Any]]
"""Attempts on clients of type `C`, that return the replies of one of them."""


def attempt(flow: Flow[Client]) -> Sequence[Any]:
    """Make the attempts of a flow, one after another, and return what it returns."""
    try:
        step = flow.send(None)
        while True:
            try:
                outcome = step[0].execute(step[1]) if type(step) is tuple else _called(step)
            except Exception as error:  # noqa: BLE001  # the flow decides; what it leaves is raised by throw
                step = flow.throw(error)
            else:
                step = flow.send(outcome)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration.value is Any; it is the flow's


async def aattempt(flow: Flow[AsyncClient]) -> Sequence[Any]:
    """Make the attempts of a flow as `attempt`, without blocking the event loop."""
    try:
        step = flow.send(None)
        while True:
            try:
                outcome = await step[0].execute(step[1]) if type(step) is tuple else await _acalled(step)
            except Exception as error:  # noqa: BLE001  # as above
                step = flow.throw(error)
            else:
                step = flow.send(outcome)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # as above


def _called(step: Any) -> object:
    return step()


async def _acalled(step: Any) -> object:
    return await asyncio.to_thread(step)
