"""Scatter and gather: run batches on several clients at once."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from threading import Thread
from typing import Any

from dvcache import deadline
from dvcache.clients.pool_adapter import Member
from dvcache.protocols import AsyncBegins, Pending
from dvcache.routing.flow import Outcome
from dvcache.types import Batch


def exchange(requests: Mapping[Member, Batch], until: float | None = None) -> dict[Member, Outcome]:
    """Write to all clients before reading from any, so that the servers work at the same time.

    The order is always the same, so that callers that need connections of the same bounded pools cannot deadlock.
    Clients that must connect first do so concurrently, each in a thread.
    """
    if len(requests) == 1:  # it may be a transaction, which `begin` does not support
        return {client: _outcome(client, None, batch, until) for client, batch in requests.items()}
    begun: dict[Member, Pending] = {}
    outcomes: dict[Member, Outcome] = {}
    connecting = _connecting(requests, until)
    try:
        for client in sorted(requests.keys() - connecting.keys(), key=id):
            found: Pending | Exception | None
            try:
                unsent = deadline.has_passed(until)
                found = deadline.unsent(requests[client]) if unsent else client.begin(requests[client], until)
            except Exception as error:  # noqa: BLE001  # an error is this client's outcome
                found = error
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


def _connecting(requests: Mapping[Member, Batch], until: float | None) -> dict[Member, "Future[Outcome]"]:
    """Run the batches of clients without a connection, each in a thread, if there are several of them."""
    cold = [client for client in requests if client.connects()]
    if len(cold) < 2:  # noqa: PLR2004  # a single connection attempt delays no other
        return {}
    return {client: _threaded(partial(_outcome, client, None, requests[client], until)) for client in cold}


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


def _outcome(client: Member, pending: Pending | None, batch: Batch, until: float | None) -> Outcome:
    try:
        if pending is not None:
            return pending.replies()
        return deadline.unsent(batch) if deadline.has_passed(until) else client.execute(batch, until)
    except Exception as error:  # noqa: BLE001  # as above
        return error


async def aexchange(requests: Mapping[AsyncBegins, Batch], until: float | None = None) -> dict[AsyncBegins, Outcome]:
    """Run the batches on all clients at once, without blocking the event loop."""
    if deadline.has_passed(until):
        return {client: deadline.unsent(batch) for client, batch in requests.items()}
    begun: dict[AsyncBegins, asyncio.Future[Any]] = {}
    outcomes: dict[AsyncBegins, Outcome] = {}
    try:
        for client, batch in requests.items():
            try:
                written = client.begin(batch, until)
                if written is None and len(requests) == 1:  # without a task
                    return {client: await client.execute(batch, until)}
            except Exception as error:  # noqa: BLE001  # as above
                outcomes[client] = error
            else:
                begun[client] = asyncio.ensure_future(client.execute(batch, until)) if written is None else written
        for client, pending in reversed(begun.items()):  # once the last has answered, usually all have
            try:
                outcomes[client] = await pending
            except Exception as error:  # noqa: BLE001  # as above
                outcomes[client] = error
    finally:
        if len(outcomes) < len(requests):  # cancelled: nobody reads the other replies
            for pending in begun.values():
                pending.cancel()
    return outcomes
