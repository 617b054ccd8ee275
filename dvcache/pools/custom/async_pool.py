"""The async pool of the user's own classes: as `sync_pool`, with one of the user's pools per running event loop."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

from dvcache.errors import ClosedError
from dvcache.pools.async_pool import call_in
from dvcache.pools.custom.loop_pool import LoopPool
from dvcache.pools.per_loop import PerLoop
from dvcache.process.fork import renewed_after_fork
from dvcache.types import Batch, Endpoint


class AsyncCustomPool:
    """The connections of this process, per event loop, to one server or to the nodes that the user's pools discover.

    Args:
        endpoint: the server; its pool source makes the user's pools.
    """

    __slots__ = ("__weakref__", "_closed", "_endpoint", "_homes")

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._closed = False
        self._homes: PerLoop[LoopPool] = PerLoop()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Forget every pool: a forked child shares the parent's epoll, so even closing them would disturb it."""
        _inherited.append(self._homes.living())
        self._homes = PerLoop()

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.AsyncClient`)."""
        if not batch:
            return []
        home = self._homes.get(asyncio.get_running_loop()) or await self._moved_in()
        return await home.execute(batch, until)

    async def _moved_in(self) -> LoopPool:
        if self._closed:
            raise ClosedError(f"the connections of {self._endpoint.alias!r} are closed")
        self._sweep()
        home = LoopPool(self._endpoint, asyncio.get_running_loop())
        self._homes.put(home)
        home.keeper = self._keep(home)
        await anext(home.keeper)
        return home

    async def _keep(self, home: LoopPool) -> AsyncGenerator[None, None]:
        """End the connections with their loop, as `MultiplexedPool` does."""
        try:
            yield
        finally:
            home.end()
            self._homes.pop(home)

    def _sweep(self) -> None:
        """Forget the pools of closed loops."""
        for home in self._homes.living():
            if home.loop.is_closed():
                home.end()
                self._homes.pop(home)

    async def retire(self) -> None:
        """Replace the connections (see `protocols.Retires`)."""
        if (home := self._homes.get(asyncio.get_running_loop())) is not None:
            home.retire()

    def release(self) -> None:
        """End the idle connections. May be called from any thread."""
        for home in self._homes.living():
            call_in(home.loop, home.rest)

    def close(self) -> None:
        """End every connection."""
        self._closed = True
        for home in self._homes.living():
            if not call_in(home.loop, home.end):
                home.end()
            self._homes.pop(home)

    abort = close


_inherited: Final[list[object]] = []
"""Pools that a forked child inherited: kept referenced, since finalizing them would reach the parent's epoll."""
