"""The home of one event loop's calls on a pool of valkey-py's kind: bounded, and safe when callers are cancelled."""

import asyncio
import weakref
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, Final, TypeVar

from valkey.exceptions import ResponseError

from dvcache.pools import exchanges
from dvcache.pools.idle import end, end_all, sentinels
from dvcache.pools.transactions import atransact
from dvcache.types import Batch, Driven, Endpoint, Transaction

T = TypeVar("T")

IN_USE: Final = 50
"""Connections that one event loop has in use at most where the user's pool names no bound, as valkey-py's blocking
pool: a crowd of tasks would open one each."""


class _Call:
    """How far a call is, and whether its caller is gone."""

    __slots__ = ("is_abandoned", "is_exchanging")

    def __init__(self) -> None:
        self.is_abandoned = self.is_exchanging = False


class Home:
    """The pool of one event loop, to which every method belongs."""

    def __init__(self, endpoint: Endpoint) -> None:
        assert endpoint.driver is not None
        self._endpoint, self._driver = endpoint, endpoint.driver
        self._opening = asyncio.Lock()
        self._driven: Driven | None = None
        self._places = asyncio.Semaphore(IN_USE)
        self._seen: weakref.WeakSet[Any] = weakref.WeakSet()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.keeper: AsyncGenerator[None, None] | None = None
        """What ends the connections with the loop."""
        self.closed = False

    async def driven(self) -> Driven:
        """Return the loop's pool, made once for all its tasks."""
        async with self._opening:
            if self._driven is None:
                driven = exchanges.checked(await self._driver.adriven(self._endpoint), self._endpoint)
                self._places = asyncio.Semaphore(exchanges.bound(driven.pool, IN_USE) or IN_USE)
                self._driven = driven
            return self._driven

    async def execute(self, batch: Batch, until: float | None = None, /) -> list[Any]:
        """Run the batch on a connection of its own.

        It has a task of its own, so that a caller who is cancelled leaves no connection half greeted, and none outside
        its pool.
        """
        pool = (self._driven or await self.driven()).pool
        await self._place(pool)
        call = _Call()
        task = self._begun(self._called(pool, batch, call))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            call.is_abandoned = True
            if call.is_exchanging:
                task.cancel()
            raise

    async def _called(self, pool: Any, batch: Batch, call: "_Call") -> list[Any]:
        try:
            connection = await self._taken(pool, batch)
            call.is_exchanging = not call.is_abandoned
            clean, replies = call.is_abandoned, []
            try:
                if not call.is_abandoned:
                    replies = await self._exchanged(connection, batch)
                    clean = type(batch) is not Transaction or replies[0] is True  # else it may be in the midst of it
            except Exception as error:
                failed = ConnectionError("it was closed") if self.closed else error
                raise exchanges.exchange_error(failed, batch, self._endpoint) from error
            finally:
                call.is_exchanging = False
                await self._returned(pool, connection, clean=clean)
        finally:
            self._places.release()
        return replies

    async def _exchanged(self, connection: Any, batch: Batch) -> list[Any]:
        if type(batch) is Transaction:
            return await atransact(batch, lambda part: self._exchanged(connection, part))
        return exchanges.read(batch, await _exchanged(connection, batch), self._endpoint)

    async def _place(self, pool: Any) -> None:
        """Wait until fewer connections are in use than the pool allows: valkey-py's own would refuse at once."""
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(exchanges.patience(pool, self._endpoint)):
                await self._places.acquire()
        except TimeoutError:
            raise exchanges.exhausted(pool, self._endpoint) from None

    async def _taken(self, pool: Any, batch: Batch) -> Any:
        try:
            connection = await pool.get_connection(batch[0][0])
        except Exception as error:
            raise exchanges.taking_error(error, pool, self._endpoint) from error
        self._seen.add(connection)
        return connection

    async def _returned(self, pool: Any, connection: Any, *, clean: bool) -> None:
        """Give a connection back: one whose state is unknown is ended first, and its pool connects it again."""
        if not clean or self.closed:
            end(connection)
            await connection.disconnect(nowait=True)
        await pool.release(connection)

    def _begun(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen: whoever waited for it may be gone

    def rest(self) -> None:
        """End the connections that nobody uses, in the background."""
        if self._driven is not None:
            self._begun(self._driven.rest())

    def end(self) -> None:
        """End every connection, those in use too; the loop may be closed."""
        self.closed = True
        for connection in list(self._seen):
            end(connection)
        if self._driven is not None:
            for sentinel in sentinels(self._driven.pool):
                end_all(sentinel.connection_pool)


async def _exchanged(connection: Any, batch: Batch) -> list[Any]:
    """Write the batch and read its replies, error replies as values."""
    await connection.send_packed_command(connection.pack_commands(batch))
    replies: list[Any] = []
    with exchanges.parsing():
        for _ in batch:
            try:
                replies.append(await connection.read_response())
            except ResponseError as error:
                replies.append(error)
    return replies
