"""The asynchronous driven pool: as `driven`, with a pool of the user's for each running event loop."""

import asyncio
import weakref
from collections.abc import AsyncGenerator, Coroutine, Sequence
from typing import Any, Final, TypeVar

from valkey.exceptions import ResponseError

from dvcache.errors import ClosedError
from dvcache.pools import exchanges
from dvcache.pools.driven import sentinels
from dvcache.pools.forking import renewed_after_fork
from dvcache.pools.line import forget
from dvcache.pools.multiplexed import call_in
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

    async def execute(self, batch: Batch) -> list[Any]:
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
            _end(connection)
            await connection.disconnect(nowait=True)
        await pool.release(connection)

    def _begun(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def rest(self) -> None:
        """End the connections that nobody uses, in the background."""
        if self._driven is not None:
            self._begun(self._driven.rest())

    def end(self) -> None:
        """End every connection, those in use too; the loop may be closed."""
        self.closed = True
        for connection in list(self._seen):
            _end(connection)
        if self._driven is not None:
            for sentinel in sentinels(self._driven.pool):
                end_all(sentinel.connection_pool)


class AsyncDrivenPool:
    """The connections of this process to one server, or to the nodes that the user's pools find, for each event loop.

    Args:
        endpoint: where to; its driver makes the pools.
    """

    __slots__ = ("__weakref__", "_closed", "_endpoint", "_homes")

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._closed = False
        self._homes: dict[asyncio.AbstractEventLoop, Home] = {}
        renewed_after_fork(self)

    def renew(self) -> None:
        """Forget every pool: in a forked child they are the parent's, and even closing them would reach its epoll."""
        _inherited.append(self._homes)
        self._homes = {}

    async def execute(self, batch: Batch, /) -> Sequence[Any]:
        """Run the batch, as `protocols.AsyncClient` says."""
        if not batch:
            return []
        home = self._homes.get(asyncio.get_running_loop()) or await self._moved_in()
        return await home.execute(batch)

    async def _moved_in(self) -> Home:
        if self._closed:
            raise ClosedError(f"the connections of {self._endpoint.alias!r} are closed")
        self._sweep()
        loop = asyncio.get_running_loop()
        home = self._homes[loop] = Home(self._endpoint)
        home.keeper = self._keep(home, loop)
        await anext(home.keeper)
        return home

    async def _keep(self, home: Home, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[None, None]:
        """End the connections with their loop, as `MultiplexedPool` does."""
        try:
            yield
        finally:
            if self._homes.get(loop) is home:
                self._homes.pop(loop, None)
            home.end()

    def _sweep(self) -> None:
        """Forget the pools of loops that were closed."""
        for loop, home in list(self._homes.items()):
            if loop.is_closed():
                self._homes.pop(loop, None)
                home.end()

    def release(self) -> None:
        """End the connections that nobody uses, from any thread."""
        for loop, home in list(self._homes.items()):
            call_in(loop, home.rest)

    def close(self) -> None:
        """End every connection."""
        self._closed = True
        for loop, home in list(self._homes.items()):
            self._homes.pop(loop, None)
            if not call_in(loop, home.end):
                home.end()

    abort = close


_inherited: Final[list[object]] = []


async def _exchanged(connection: Any, batch: Batch) -> list[Any]:
    """Write the batch and read its replies, error replies as values."""
    await connection.send_packed_command(connection.pack_commands(batch))
    replies: list[Any] = []
    for _ in batch:
        try:
            replies.append(await connection.read_response())
        except ResponseError as error:
            replies.append(error)
    return replies


def _end(connection: Any) -> None:
    """End a connection at once: what is in its buffers is not sent, and a hung server not waited for."""
    writer = getattr(connection, "_writer", None)
    if writer is not None:
        forget(writer.transport)
        connection._writer = connection._reader = None  # noqa: SLF001  # else its __del__ warns that it is open


async def end_idle(pool: Any) -> None:
    """End the connections of an asynchronous pool of valkey-py's that nobody uses."""
    for sentinel in sentinels(pool):
        await end_idle(sentinel.connection_pool)
    await pool.disconnect(inuse_connections=False)


def end_all(pool: Any) -> None:
    """End every connection of an asynchronous pool of valkey-py's, at once; its loop may be closed."""
    for sentinel in sentinels(pool):
        end_all(sentinel.connection_pool)
    for name in ("_available_connections", "_in_use_connections"):
        for connection in list(getattr(pool, name, ())):
            _end(connection)
