"""The async pool: per running event loop, one multiplexed connection shared by all its tasks."""

import asyncio
import copy
from collections.abc import Coroutine, Sequence
from contextvars import Context
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any, Final, TypeVar, cast

from dvcache.effects import Transaction
from dvcache.errors import CacheError, ClosedError, ConnectError
from dvcache.pools.async_connection import MultiplexedConnection
from dvcache.pools.circuit_breaker import CircuitBreaker
from dvcache.pools.health_check import check_regularly, interval
from dvcache.pools.per_loop import PerLoop, call_in, timeout_at
from dvcache.pools.read_buffers import multiplexed_connection
from dvcache.pools.sync_pool import SyncPool
from dvcache.pools.transactions import atransact
from dvcache.types import Batch, Endpoint

T = TypeVar("T")


class Opening:
    """A connection being opened, shared by the tasks of a loop that wait for it."""

    __slots__ = ("__weakref__", "loop", "task")
    keeper = None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.task: asyncio.Task[MultiplexedConnection] | None = None

    def abort(self) -> None:
        """Cancel the task."""
        if self.task is not None:
            self.task.cancel()

    def forget(self) -> None:
        """Do nothing: the task ended with its loop."""


class MultiplexedPool:
    """The connections of this process to one server, one for each event loop.

    Args:
        endpoint: the server.
        breaker: refuses batches while the server gives no answer.
    """

    __slots__ = ("__weakref__", "_apart", "_breaker", "_closed", "_connections", "_endpoint", "_openings")

    def __init__(self, endpoint: Endpoint, breaker: CircuitBreaker | None = None) -> None:
        self._endpoint, self._breaker = endpoint, breaker
        self._closed = False
        self._apart = SyncPool(replace(endpoint, max_connections=_APART))
        """Separate connections for large batches: a server may refuse these by closing the connection."""
        self._connections: PerLoop[MultiplexedConnection] = PerLoop()
        self._openings: PerLoop[Opening] = PerLoop()

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.AsyncClient`)."""
        if not batch:
            return []
        breaker = self._breaker
        began = 0.0 if breaker is None else breaker.begin()
        try:
            if type(batch) is Transaction:
                replies = await self._transacted(batch, until)
            else:
                loop = asyncio.get_running_loop()
                ref = self._connections.refs.get(id(loop))
                connection = None if ref is None else ref()
                if connection is None or connection.unusable:
                    connection = await self._opened(loop, until)
                replies = await connection.send(batch, until)
        except BaseException as error:
            if breaker is not None:
                breaker.fail(error, began, batch)
            raise
        if breaker is not None:
            breaker.mend()
        return replies

    def begin(self, batch: Batch, until: float | None = None, /) -> "asyncio.Future[list[Any]] | None":
        """Write the batch and return the future of its replies (see `protocols.AsyncBegins`); None with a breaker."""
        ref = self._connections.refs.get(id(asyncio.get_running_loop()))
        connection = None if ref is None or self._breaker is not None else ref()
        if connection is None or connection.unusable or type(batch) is Transaction or not batch:
            return None
        return connection.send(batch, until)

    async def _transacted(self, batch: Transaction, until: float | None) -> list[Any]:
        """Run a transaction on a connection of its own; commands of other tasks would become part of it."""
        if self._closed:
            raise self._is_closed()
        connection = multiplexed_connection(self._endpoint, asyncio.get_running_loop())
        try:
            await self._within(until, connection.open())
            return await atransact(batch, lambda part: connection.send(part, until))
        finally:
            connection.abort()

    async def _opened(self, loop: asyncio.AbstractEventLoop, until: float | None) -> MultiplexedConnection:
        """Return the loop's new connection, opened once for all tasks that wait for it."""
        # The second attempt is for an opening that was cancelled by another task, or a connection that ended at once.
        for last in (False, True):
            opening = self._begun(loop)
            try:
                connection = await self._within(until, asyncio.shield(opening))
            except asyncio.CancelledError:
                if not opening.cancelled() or _is_cancelled():
                    raise
                if self._closed:
                    raise self._is_closed() from None
                if last:
                    raise
            except CacheError as error:
                raise copy.copy(error) from error  # a copy each: raising extends an error's traceback
            else:
                if last or not connection.unusable:
                    return connection
        raise AssertionError("unreachable")

    def _begun(self, loop: asyncio.AbstractEventLoop) -> asyncio.Task[MultiplexedConnection]:
        """Return the task that opens the loop's connection."""
        opening = self._openings.get(loop)
        if opening is not None and opening.task is not None and not opening.task.done():
            return opening.task
        self._connections.sweep()
        if self._closed:
            raise self._is_closed()
        opening = Opening(loop)
        self._openings.put(opening)  # before the task is made: an eager one may end at once
        # In an empty context: the connection would keep the objects in its first caller's context alive.
        task = opening.task = Context().run(_task, loop, self._open(opening))
        task.add_done_callback(_retrieve)
        return task

    async def _open(self, opening: Opening) -> MultiplexedConnection:
        connection = multiplexed_connection(self._endpoint, opening.loop)
        try:
            await connection.open()
            connection.apart = partial(_carried_apart, self._apart)
            if seconds := interval(self._endpoint):
                check_regularly(connection, seconds)
            self._replace(connection)
            await self._connections.keep(connection)
        except BaseException:
            self._connections.pop(connection)
            connection.abort()
            raise
        finally:
            self._openings.pop(opening)
        return connection

    def _replace(self, connection: MultiplexedConnection) -> None:
        """Make a new connection the loop's, unless the pool was closed meanwhile."""
        old = self._connections.get(connection.loop)
        self._connections.put(connection)  # before the check: a concurrent `close` finds it from here on
        if self._closed:
            raise self._is_closed()
        if old is not None:
            old.abort()  # usually it has failed already; an exception may have interrupted that
            self._connections.pop(old)

    async def _within(self, until: float | None, work: "Coroutine[Any, Any, T] | asyncio.Future[T]") -> T:
        """Await the opening of a connection, at most until the caller's deadline."""
        if until is None:
            return await work
        began = monotonic()
        limit: asyncio.Timeout | None = None
        try:
            async with timeout_at(until) as limit:
                return await work
        except TimeoutError:
            if limit is None or not limit.expired():
                raise
        message = f"cannot connect: no answer within {monotonic() - began:.3g} s; the deadline has passed"
        raise ConnectError(message, alias=self._endpoint.alias, endpoint=self._endpoint.name)

    def _is_closed(self) -> ClosedError:
        return ClosedError(f"the connections of {self._endpoint.alias!r} are closed")

    async def retire(self) -> None:
        """Replace the connection (see `protocols.Retires`); other tasks' replies still arrive on the old one."""
        connection = self._connections.get(asyncio.get_running_loop())
        if connection is not None:
            self._connections.pop(connection)
            _end_when_idle(connection)
        self._apart.retire()

    def release(self) -> None:
        """End the idle connections. May be called from any thread."""
        for connection in self._connections.living():
            call_in(connection.loop, connection.end_if_idle)  # transports are not thread-safe
        self._apart.release()

    def close(self) -> None:
        """End every connection."""
        self._closed = True
        self._apart.close()
        self._connections.close()

    def abort(self) -> None:
        """End every connection, and those being opened; their callers get an error."""
        self.close()
        self._apart.abort()
        self._openings.close()


_APART: Final = 8
"""Maximum number of connections for large batches."""

_LOOK: Final = 0.02
"""Seconds between checks whether a retired connection is idle."""


def _carried_apart(pool: SyncPool, batch: Batch, until: float | None) -> "asyncio.Future[list[Any]]":
    """Run a large batch on a separate connection, in a thread: losing that connection fails no other task's call."""
    work = asyncio.to_thread(pool.execute, batch, until)
    return asyncio.get_running_loop().create_task(cast("Coroutine[Any, Any, list[Any]]", work))


def _end_when_idle(connection: MultiplexedConnection) -> None:
    """End a connection as soon as no reply is awaited on it."""
    connection.end_if_idle()
    if not connection.unusable:
        connection.loop.call_later(_LOOK, _end_when_idle, connection)


def _task(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    return loop.create_task(work)


def _is_cancelled() -> bool:
    """Return True if the running task itself was cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _retrieve(opening: asyncio.Task[MultiplexedConnection]) -> None:
    """Mark the error as retrieved: every task that waited for it may have been cancelled."""
    if not opening.cancelled():
        opening.exception()
