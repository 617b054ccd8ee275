"""The user's pool on one event loop: calls are bounded in number and safe to cancel."""

import asyncio
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Coroutine
from contextvars import Context
from time import monotonic
from typing import Any, Final, TypeVar

from valkey.exceptions import ResponseError

from dvcache.effects import Transaction
from dvcache.errors import CacheError, ConnectError, PoolExhausted, ReplyTimeout
from dvcache.pools.custom import replies as custom_replies
from dvcache.pools.custom.calls import Calls, PoolCall
from dvcache.pools.custom.generations import Generation
from dvcache.pools.custom.idle import end, end_all, sentinels
from dvcache.pools.per_loop import timeout_at
from dvcache.pools.transactions import atransact
from dvcache.types import Batch, Endpoint

T = TypeVar("T")

IN_USE: Final = 50
"""Maximum connections in use per event loop if the user's pool sets no limit, as in valkey-py's blocking pool: without
it, many concurrent tasks would open one connection each."""


LOOK: Final = 0.05
"""Seconds after which a waiting caller checks by itself: an exception may have prevented its wake-up."""

SWEEP: Final = 1.0
"""Seconds between checks for idle connections that the server has closed."""


class LoopPool:
    """The user's pool on one event loop. Every method must be called on that loop.

    Each running task counts as one connection in use, so an exception at any instruction ends the task and frees its
    place. The user's pool may count that task's connection as in use forever, so the pool is replaced.
    """

    def __init__(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop | None = None) -> None:
        assert endpoint.driver is not None
        self._endpoint, self._source, self._loop = endpoint, endpoint.driver, loop
        self._made = Generation(None)
        self._making: asyncio.Task[None] | None = None
        self._most = IN_USE
        self._calls = Calls(is_borrowed=getattr(endpoint.driver, "is_borrowed", False))
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._seen: weakref.WeakSet[Any] = weakref.WeakSet()
        self._old: weakref.WeakSet[Any] = weakref.WeakSet()
        """Connections made before the last `retire`; the server's name may resolve to another one since."""
        self._swept = monotonic()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.keeper: AsyncGenerator[None, None] | None = None
        """See `per_loop.OfLoop`."""
        self.closed = False

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop, by default the running one."""
        return self._loop or asyncio.get_running_loop()

    async def _current(self) -> Generation:
        """Return the loop's pool; all tasks share it. Make a new one if it was retired."""
        while self._made.retired:
            if (making := self._making) is not None and not making.done():
                await asyncio.wait([making])
                continue
            making = self._making = Context().run(self._begun, self._make())
            await asyncio.shield(making)
        return self._made

    async def _make(self) -> None:
        sourced = custom_replies.checked(await self._source.amake(self._endpoint), self._endpoint)
        self._most = custom_replies.bound(sourced.pool, IN_USE) or IN_USE
        self._made = Generation(sourced)

    async def execute(self, batch: Batch, until: float | None = None, /) -> list[Any]:
        """Run the batch on a connection taken for it.

        It runs in a separate task, so that a cancelled caller leaves no connection in the middle of a handshake or
        outside the pool.

        Args:
            batch: the commands.
            until: the deadline, in `time.monotonic` seconds.
        """
        began, call = monotonic(), PoolCall(self._made)
        limit: asyncio.Timeout | None = None
        try:
            async with timeout_at(until) as limit:
                return await self._executed(batch, call)
        except TimeoutError as error:
            if isinstance(error, CacheError) or limit is None or not limit.expired():
                raise
        overdue = self._overdue(call, monotonic() - began)
        if isinstance(overdue, ReplyTimeout):
            self._end_idle()
        raise overdue

    async def _executed(self, batch: Batch, call: PoolCall) -> list[Any]:
        call.made = await self._current()
        while self._is_full():
            await self._place(call.made.pool)
            call.made = await self._current()
        if monotonic() - self._swept > SWEEP:
            self._sweep()
        # In an empty context: a connection would keep the objects in its first caller's context alive.
        task = Context().run(self._begun, self._called(batch, call), call)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            call.is_abandoned = True
            # While it still connects, the task goes on and returns the connection to the pool.
            if call.is_exchanging:
                task.cancel()
            raise

    def _overdue(self, call: PoolCall, seconds: float) -> CacheError:
        """Return the error of a call whose deadline has passed."""
        where = {"alias": self._endpoint.alias, "endpoint": self._endpoint.name}
        if call.has_exchanged:
            return ReplyTimeout(f"no answer within {seconds:.3g} s; the deadline has passed", **where)
        if call.is_taking:
            return ConnectError(f"cannot connect: no answer within {seconds:.3g} s; the deadline has passed", **where)
        return PoolExhausted(
            f"all {self._most} connections were busy for {seconds:.3g} s; the deadline has passed", **where
        )

    async def _called(self, batch: Batch, call: PoolCall) -> list[Any]:
        call.is_taking = True
        connection = await self._taken(batch, call)
        call.is_exchanging = call.has_exchanged = not call.is_abandoned
        clean, replies = call.is_abandoned, []
        try:
            if not call.is_abandoned:
                replies = await self._exchanged(connection, batch)
                clean = type(batch) is not Transaction or replies[0] is True  # else MULTI may still be open
        except Exception as error:
            failed = ConnectionError("it was closed") if self.closed else error
            meant = custom_replies.exchange_error(failed, batch, self._endpoint)
            if isinstance(meant, ReplyTimeout):
                self._end_idle()  # the idle ones may be dead too
            raise meant from error
        finally:
            call.is_exchanging = False
            await self._returned(call, clean=clean)
        return replies

    async def _exchanged(self, connection: Any, batch: Batch) -> list[Any]:
        if type(batch) is Transaction:
            return await atransact(batch, lambda part: self._exchanged(connection, part))
        return custom_replies.read(batch, await _exchanged(connection, batch), self._endpoint)

    def _is_full(self) -> bool:
        """Return True if the pool's limit of connections in use is reached; valkey-py's pool would raise at once."""
        if len(self._calls) < self._most:
            return False
        self._calls.settle(self._made.pool)
        return len(self._calls) >= self._most

    async def _place(self, pool: Any) -> None:
        """Wait for a free place, first come, first served."""
        waiter: asyncio.Future[None] = self.loop.create_future()
        self._waiters.append(waiter)
        limit = asyncio.timeout(custom_replies.patience(pool, self._endpoint))
        try:
            async with limit:
                while self._is_full():
                    await asyncio.wait([waiter], timeout=LOOK)
                    if waiter.done() and self._is_full():  # another caller took the place
                        waiter = self.loop.create_future()
                        self._waiters.appendleft(waiter)
        except TimeoutError:
            if not limit.expired():
                raise
            raise custom_replies.exhausted(pool, self._endpoint) from None
        finally:
            if waiter.done():
                self._wake()  # pass the wake-up on to the next waiter
            waiter.cancel()

    def _wake(self) -> None:
        """Wake as many waiting callers as there are free places."""
        free = self._most - len(self._calls)
        while self._waiters and free > 0:
            if not (waiter := self._waiters[0]).done():
                waiter.set_result(None)
                free -= 1
            self._waiters.popleft()

    async def _taken(self, batch: Batch, call: PoolCall) -> Any:
        pool, call.owes = call.made.pool, True
        try:
            call.connection = await pool.get_connection(batch[0][0])
        except Exception as error:
            meant = custom_replies.taking_error(error, pool, self._endpoint)
            call.owes = meant is error  # any other error is valkey-py's, which has taken the connection back
            raise meant from error
        self._seen.add(call.connection)
        if call.connection in self._old:
            await self._anew(pool, call)
        return call.connection

    async def _anew(self, pool: Any, call: PoolCall) -> None:
        """Connect again, because the server's name may resolve to another one now."""
        self._old.discard(call.connection)
        try:
            await call.connection.disconnect(nowait=True)
            await call.connection.connect()
        except Exception as error:
            await self._returned(call, clean=False)
            raise custom_replies.taking_error(error, pool, self._endpoint) from error

    async def _returned(self, call: PoolCall, *, clean: bool) -> None:
        """Release a connection; if its state is unknown, end it first, and the pool connects it again."""
        if not clean or self.closed or call.made.retired:
            end(call.connection)
            await call.connection.disconnect(nowait=True)
        await call.made.pool.release(call.connection)
        call.owes = False

    def _begun(self, work: Coroutine[Any, Any, T], call: PoolCall | None = None) -> asyncio.Task[T]:
        task = self.loop.create_task(work)
        if call is None:
            self._tasks.add(task)
        else:
            self._calls.add(task, call)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._calls.settle(self._made.pool, task)
        self._tasks.discard(task)
        if self._waiters:
            self._wake()
        if not task.cancelled():
            task.exception()  # mark it as retrieved: the caller may be gone

    def _sweep(self) -> None:
        """End the idle connections that the server has closed: valkey-py keeps their sockets until the next use."""
        self._swept = monotonic()
        self._calls.settle(self._made.pool)
        for connection in list(getattr(self._made.pool, "_available_connections", ())):
            stream = getattr(connection, "_reader", None)
            if stream is not None and stream.at_eof():
                end(connection)

    def retire(self) -> None:
        """End the idle connections, and those in use before their next use."""
        self._old = weakref.WeakSet(self._seen)
        self._end_idle()

    def _end_idle(self) -> None:
        """End the idle connections, unless the pool belongs to the caller of an operation."""
        if not self._calls.is_borrowed:
            for connection in list(getattr(self._made.pool, "_available_connections", ())):
                end(connection)

    def release(self) -> None:
        """End the idle connections, in the background."""
        if self._made.sourced is not None:
            self._begun(self._made.sourced.release())

    def abort(self) -> None:
        """End every connection, including those in use. The loop may be closed."""
        self.closed = True
        for connection in list(self._seen):
            end(connection)
        for made in (self._made, *self._calls.leaving):
            for sentinel in sentinels(made.pool):
                end_all(sentinel.connection_pool)

    forget = abort


async def _exchanged(connection: Any, batch: Batch) -> list[Any]:
    """Write the batch and read its replies, with error replies as values."""
    await connection.send_packed_command(connection.pack_commands(batch))
    replies: list[Any] = []
    with custom_replies.parsing():
        for _ in batch:
            try:
                replies.append(await connection.read_response())
            except ResponseError as error:
                replies.append(error)
    return replies
