"""The multiplexed pool: for each running event loop, one line that all its tasks share."""

import asyncio
import copy
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Final

from dvcache.errors import CacheError, ClosedError
from dvcache.pools.forking import renewed_after_fork
from dvcache.pools.line import Line
from dvcache.pools.transactions import atransact
from dvcache.types import Batch, Endpoint, Transaction


class MultiplexedPool:
    """The connections of this process to one server, one for each event loop."""

    __slots__ = ("__weakref__", "_closed", "_endpoint", "_lines", "_openings")

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._closed = False
        self._lines: dict[asyncio.AbstractEventLoop, Line] = {}
        self._openings: dict[asyncio.AbstractEventLoop, asyncio.Task[Line]] = {}
        renewed_after_fork(self)

    def renew(self) -> None:
        """Forget every line: in a forked child they are the parent's, and even closing them would reach its epoll."""
        _inherited.append((self._lines, self._openings))
        self._lines, self._openings = {}, {}

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.AsyncClient` says."""
        if not batch:
            return []
        if type(batch) is Transaction:
            return await self._transacted(batch)
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None or line.lost:
            line = await self._opened(loop)
        if line.is_full:
            await line.room()
        return await line.send(batch)

    def begin(self, batch: Batch, until: float | None = None, /) -> "asyncio.Future[list[Any]] | None":
        """Write the batch and return what will hold its replies, as `protocols.AsyncBegins` says."""
        line = self._lines.get(asyncio.get_running_loop())
        if line is None or line.lost or line.is_full:
            return None
        return line.send(batch)

    async def _transacted(self, batch: Transaction) -> Sequence[Any]:
        """Run a transaction on a line of its own: what other tasks send would be a part of it."""
        if self._closed:
            raise self._is_closed()
        line = Line(self._endpoint, asyncio.get_running_loop())
        try:
            await line.open()
            return await atransact(batch, line.send)
        finally:
            line.abort()

    async def _opened(self, loop: asyncio.AbstractEventLoop) -> Line:
        """Return the loop's new line, opened once for all the tasks that wait for it."""
        if self._closed:
            raise self._is_closed()
        opening = self._openings.get(loop)
        if opening is None:
            self._sweep()
            opening = self._openings[loop] = loop.create_task(self._open(loop))
            opening.add_done_callback(_retrieve)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            if not opening.cancelled():
                raise
            raise self._is_closed() from None
        except CacheError as error:
            raise copy.copy(error) from error  # one each: a traceback grows where it is raised

    async def _open(self, loop: asyncio.AbstractEventLoop) -> Line:
        line = Line(self._endpoint, loop)
        try:
            await line.open()
            self._lines[loop] = line  # before looking: who closes the pool from now on finds it
            if self._closed:
                self._lines.pop(loop, None)
                line.abort()
                raise self._is_closed()
            line.keeper = self._keep(line, loop)
            await anext(line.keeper)
        finally:
            del self._openings[loop]
        return line

    async def _keep(self, line: Line, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[None, None]:
        """End the line with its loop: asyncio.run, uvloop.run and async_to_sync close async generators at their end."""
        try:
            yield
        finally:
            if self._lines.get(loop) is line:
                self._lines.pop(loop, None)
            line.abort()

    def _sweep(self) -> None:
        """Forget the lines of loops that were closed."""
        for loop, line in list(self._lines.items()):  # others may come and go on their loops meanwhile
            if loop.is_closed():
                self._lines.pop(loop, None)
                line.forget()

    def _is_closed(self) -> ClosedError:
        return ClosedError(f"the connections of {self._endpoint.alias!r} are closed")

    def release(self) -> None:
        """End the connections that nobody uses, from any thread."""
        for loop, line in list(self._lines.items()):
            call_in(loop, line.rest)

    def close(self) -> None:
        """End every connection."""
        self._closed = True
        self._sweep()
        for loop, line in list(self._lines.items()):
            self._lines.pop(loop, None)
            if not call_in(loop, line.abort):
                line.forget()

    def abort(self) -> None:
        """End every connection, and those that are being opened: their callers see it lost or closed."""
        self.close()
        for loop, opening in list(self._openings.items()):
            call_in(loop, opening.cancel)


def call_in(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> bool:
    """Have a loop call a function, from any thread; say whether the loop still runs."""
    try:
        loop.call_soon_threadsafe(function)
    except RuntimeError:
        return False
    return True


def _retrieve(opening: asyncio.Task[Line]) -> None:
    """Mark the error as seen: every task that waited for it may have been cancelled."""
    if not opening.cancelled():
        opening.exception()


_inherited: Final[list[object]] = []
