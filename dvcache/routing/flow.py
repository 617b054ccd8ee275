"""Scatter and gather: batches on several clients at once, and the steps of a routed batch.

A generator of steps is written once for sync and async; `converse` and `aconverse` run it.
"""

import asyncio
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import Any, Generic, TypeAlias, TypeVar

from dvcache import deadline
from dvcache.effects import Sleep, Wait
from dvcache.protocols import AsyncClient, Client, Pending
from dvcache.types import Batch

C = TypeVar("C")
T = TypeVar("T")

Outcome: TypeAlias = Sequence[Any] | Exception
"""The replies of a batch on one client, or its exception."""

Exchange: TypeAlias = Mapping[C, Batch]
"""Batches to run at once, by client. The result is a dictionary of `Outcome`s."""


@dataclass(frozen=True, slots=True)
class Within(Generic[C]):
    """An exchange that may use a share of the time left until the deadline."""

    requests: Exchange[C]
    share: float


Steps: TypeAlias = Generator[Exchange[C] | Within[C] | Sleep | Wait, Any, T]
"""Generator of exchanges on clients of type `C`, and of pauses between them, that returns a `T`."""


def converse(steps: Steps[Client, T], until: float | None = None, outcome: object = None) -> T:
    """Run the steps and return their result.

    Args:
        steps: the generator. It knows the deadline and ends soon after it.
        until: the deadline; nothing is sent once it has passed, and no pause is longer.
        outcome: result of the first step, if `steps` is already suspended there.
    """
    try:
        while True:
            step = steps.send(outcome)
            if isinstance(step, Sleep | Wait):
                pause(step, until)
            elif isinstance(step, Within):
                outcome = exchange(step.requests, deadline.part(until, step.share))
            else:
                outcome = exchange(step, until)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration.value is Any; it is the steps' T
    finally:
        steps.close()


async def aconverse(steps: Steps[AsyncClient, T], until: float | None = None, outcome: object = None) -> T:
    """Run the steps as `converse` does, without blocking the event loop."""
    try:
        while True:
            step = steps.send(outcome)
            if isinstance(step, Sleep | Wait):
                await apause(step, until)
            elif isinstance(step, Within):
                outcome = await aexchange(step.requests, deadline.part(until, step.share))
            else:
                outcome = await aexchange(step, until)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # as above
    finally:
        steps.close()


def exchange(requests: Exchange[Client], until: float | None = None) -> dict[Client, Outcome]:
    """Write to all clients before reading from any, so that the servers work at the same time.

    The order is always the same, so that callers that need connections of the same bounded pools cannot deadlock.
    Clients that must connect first do so concurrently, each in a thread.
    """
    if len(requests) == 1:  # it may be a transaction, which `begin` does not support
        return {client: _outcome(client, None, batch, until) for client, batch in requests.items()}
    begun: dict[Client, Pending] = {}
    outcomes: dict[Client, Outcome] = {}
    connecting = _connecting(requests, until)
    try:
        for client in sorted(requests.keys() - connecting.keys(), key=id):
            found = _begun(client, requests[client], until)
            if isinstance(found, Exception):
                outcomes[client] = found
            elif found is not None:
                begun[client] = found
        for client, batch in requests.items():
            if client in connecting:
                outcomes[client] = connecting[client].result()
            elif client not in outcomes:
                outcomes[client] = _outcome(client, begun.pop(client, None), batch, until)
    finally:
        for pending in begun.values():
            pending.abandon()  # interrupted: a connection with unread replies must not be reused
    return outcomes


def _begun(client: Client, batch: Batch, until: float | None) -> Pending | Exception | None:
    """Write the batch if the client supports it; return the pending replies, None, or the client's error."""
    begin = getattr(client, "begin", None)
    if begin is None:
        return None
    if deadline.has_passed(until):
        return deadline.unsent(batch)
    try:
        pending: Pending | None = begin(batch, until)
    except Exception as error:  # noqa: BLE001  # an error is this client's outcome
        return error
    return pending


def _connecting(requests: Exchange[Client], until: float | None) -> dict[Client, "Future[Outcome]"]:
    """Run the batches of clients without a connection, each in a thread, if there are several of them."""
    cold = [client for client in requests if _connects(client)]
    if len(cold) < 2:  # noqa: PLR2004  # a single connection attempt delays no other
        return {}
    return {client: _threaded(partial(_outcome, client, None, requests[client], until)) for client in cold}


def _connects(client: Client) -> bool:
    """Return True if the client would connect before it writes."""
    connects: Callable[[], bool] | None = getattr(client, "connects", None)
    return connects is not None and connects()


def _threaded(work: Callable[[], Outcome]) -> "Future[Outcome]":
    """Run the work in a thread, or in this one if no thread can be started."""
    done: Future[Outcome] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001  # raised where the result is waited for
            done.set_exception(error)

    try:
        Thread(target=run, name="dvcache connecting", daemon=True).start()
    except RuntimeError:  # the system or the interpreter starts no more threads
        run()
    return done


def _outcome(client: Client, pending: Pending | None, batch: Batch, until: float | None) -> Outcome:
    try:
        if pending is not None:
            return pending.replies()
        return deadline.unsent(batch) if deadline.has_passed(until) else client.execute(batch, until)
    except Exception as error:  # noqa: BLE001  # as above
        return error


async def aexchange(requests: Exchange[AsyncClient], until: float | None = None) -> dict[AsyncClient, Outcome]:
    """Run the batches on all clients at once."""
    if deadline.has_passed(until):
        return {client: deadline.unsent(batch) for client, batch in requests.items()}
    if len(requests) == 1:  # as above
        [(client, batch)] = requests.items()
        try:
            return {client: await client.execute(batch, until)}
        except Exception as error:  # noqa: BLE001  # as above
            return {client: error}
    begun: dict[AsyncClient, asyncio.Future[Any]] = {}
    outcomes: dict[AsyncClient, Outcome] = {}
    try:
        for client, batch in requests.items():
            begin = getattr(client, "begin", None)
            pending = None if begin is None else begin(batch, until)
            begun[client] = asyncio.ensure_future(client.execute(batch, until)) if pending is None else pending
        for client, pending in reversed(begun.items()):  # once the last has answered, usually all have
            try:
                outcomes[client] = await pending
            except Exception as error:  # noqa: BLE001  # as above
                outcomes[client] = error
    finally:
        if len(outcomes) < len(begun):  # cancelled: nobody reads the other replies
            for pending in begun.values():
                pending.cancel()
    return outcomes


def pause(step: Sleep | Wait, until: float | None = None) -> None:
    """Pause this thread, until the deadline at most."""
    seconds = deadline.left(until, step.seconds)
    if isinstance(step, Sleep):
        time.sleep(seconds or 0)
    else:
        wait([step.done], seconds)


async def apause(step: Sleep | Wait, until: float | None = None) -> None:
    """Pause without blocking the event loop, until the deadline at most."""
    seconds = deadline.left(until, step.seconds)
    if isinstance(step, Sleep):
        await asyncio.sleep(seconds or 0)
    else:
        await asyncio.wait([asyncio.wrap_future(step.done)], timeout=seconds)
