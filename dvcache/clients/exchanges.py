"""Exchanges: batches on several clients at once, and the steps of which a routed batch is made.

Steps are written once for both colours; `converse` and `aconverse` take them.
"""

import asyncio
import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import wait
from typing import Any, TypeAlias, TypeVar

from dvcache.protocols import AsyncClient, Client, Pending
from dvcache.types import Batch, Sleep, Wait

C = TypeVar("C")
T = TypeVar("T")

Outcome: TypeAlias = Sequence[Any] | Exception
"""The replies of a batch on one client, or what it raised."""

Exchange: TypeAlias = Mapping[C, Batch]
"""What each client is to run, all of them at once. Its result is a dictionary of `Outcome`s."""

Steps: TypeAlias = Generator[Exchange[C] | Sleep | Wait, Any, T]
"""Exchanges on clients of type `C`, and pauses between them, that come to a `T`."""


def converse(steps: Steps[Client, T], outcome: object = None) -> T:
    """Take the steps and return what they come to.

    Args:
        steps: what is to be done.
        outcome: of the first step, if they wait for it already.
    """
    try:
        while True:
            step = steps.send(outcome)
            if isinstance(step, Sleep | Wait):
                pause(step)
            else:
                outcome = exchange(step)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration.value is Any; it is the steps' T
    finally:
        steps.close()


async def aconverse(steps: Steps[AsyncClient, T], outcome: object = None) -> T:
    """Take the steps as `converse`, without blocking the event loop."""
    try:
        while True:
            step = steps.send(outcome)
            if isinstance(step, Sleep | Wait):
                await apause(step)
            else:
                outcome = await aexchange(step)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # as above
    finally:
        steps.close()


def exchange(requests: Exchange[Client]) -> dict[Client, Outcome]:
    """Write to all clients before reading from any, so that they work at once.

    Always in the same order: callers that want connections of the same bounded pools could otherwise wait for each
    other.
    """
    if len(requests) == 1:  # which may be a transaction
        return {client: _outcome(client, None, batch) for client, batch in requests.items()}
    begun: dict[Client, Pending] = {}
    outcomes: dict[Client, Outcome] = {}
    try:
        for client in sorted(requests, key=id):
            begin = getattr(client, "begin", None)
            if begin is not None:
                try:
                    pending = begin(requests[client])
                except Exception as error:  # noqa: BLE001  # it is this client's outcome
                    outcomes[client] = error
                else:
                    if pending is not None:
                        begun[client] = pending
        for client, batch in requests.items():
            if client not in outcomes:
                outcomes[client] = _outcome(client, begun.pop(client, None), batch)
    finally:
        for pending in begun.values():
            pending.abandon()
    return outcomes


def _outcome(client: Client, pending: Pending | None, batch: Batch) -> Outcome:
    try:
        return client.execute(batch) if pending is None else pending.replies()
    except Exception as error:  # noqa: BLE001  # as above
        return error


async def aexchange(requests: Exchange[AsyncClient]) -> dict[AsyncClient, Outcome]:
    """Run the batches on all clients at once."""
    if len(requests) == 1:  # as above
        [(client, batch)] = requests.items()
        try:
            return {client: await client.execute(batch)}
        except Exception as error:  # noqa: BLE001  # as above
            return {client: error}
    begun: dict[AsyncClient, asyncio.Future[Any]] = {}
    outcomes: dict[AsyncClient, Outcome] = {}
    try:
        for client, batch in requests.items():
            begin = getattr(client, "begin", None)
            pending = None if begin is None else begin(batch)
            begun[client] = asyncio.ensure_future(client.execute(batch)) if pending is None else pending
        for client, pending in reversed(begun.items()):  # when the last has answered, most often all have
            try:
                outcomes[client] = await pending
            except Exception as error:  # noqa: BLE001  # as above
                outcomes[client] = error
    finally:
        if len(outcomes) < len(begun):  # cancelled: the others' replies are nobody's
            for pending in begun.values():
                pending.cancel()
    return outcomes


def pause(step: Sleep | Wait) -> None:
    """Pause in this thread."""
    if isinstance(step, Sleep):
        time.sleep(step.seconds)
    else:
        wait([step.done], step.seconds)


async def apause(step: Sleep | Wait) -> None:
    """Pause without blocking the event loop."""
    if isinstance(step, Sleep):
        await asyncio.sleep(step.seconds)
    else:
        await asyncio.wait([asyncio.wrap_future(step.done)], timeout=step.seconds)
