"""The async pool of the user's own classes: as `sync_pool`, with one of the user's pools per running event loop."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

from dvcache.errors import ClosedError
from dvcache.pools.async_pool import call_in
from dvcache.pools.circuit_breaker import CircuitBreaker
from dvcache.pools.custom.loop_pool import LoopPool
from dvcache.pools.per_loop import PerLoop
from dvcache.process.fork import renewed_after_fork
from dvcache.types import Batch, Endpoint


class AsyncCustomPool:
    """The connections of this process, per event loop, to one server or to the nodes that the user's pools discover.

    Args:
        endpoint: the server; its pool source makes the user's pools.
        breaker: refuses batches while the server gives no answer.
    """

    __slots__ = ("__weakref__", "_breaker", "_closed", "_endpoint", "_loop_pools")

    def __init__(self, endpoint: Endpoint, breaker: CircuitBreaker | None = None) -> None:
        self._endpoint, self._breaker = endpoint, breaker
        self._closed = False
        self._loop_pools: PerLoop[LoopPool] = PerLoop()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Forget every pool: a forked child shares the parent's epoll, so even closing them would disturb it."""
        _inherited.append(self._loop_pools.living())
        self._loop_pools = PerLoop()

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.AsyncClient`)."""
        if not batch:
            return []
        loop_pool = self._loop_pools.get(asyncio.get_running_loop()) or await self._opened()
        if self._breaker is None:
            return await loop_pool.execute(batch, until)
        with self._breaker.attempt(batch):
            return await loop_pool.execute(batch, until)

    async def _opened(self) -> LoopPool:
        if self._closed:
            raise ClosedError(f"the connections of {self._endpoint.alias!r} are closed")
        self._sweep()
        loop_pool = LoopPool(self._endpoint, asyncio.get_running_loop())
        self._loop_pools.put(loop_pool)
        loop_pool.keeper = self._keep(loop_pool)
        await anext(loop_pool.keeper)
        return loop_pool

    async def _keep(self, loop_pool: LoopPool) -> AsyncGenerator[None, None]:
        """End the connections with their loop, as `MultiplexedPool` does."""
        try:
            yield
        finally:
            loop_pool.end()
            self._loop_pools.pop(loop_pool)

    def _sweep(self) -> None:
        """Forget the pools of closed loops."""
        for loop_pool in self._loop_pools.living():
            if loop_pool.loop.is_closed():
                loop_pool.end()
                self._loop_pools.pop(loop_pool)

    async def retire(self) -> None:
        """Replace the connections (see `protocols.Retires`)."""
        if (loop_pool := self._loop_pools.get(asyncio.get_running_loop())) is not None:
            loop_pool.retire()

    def release(self) -> None:
        """End the idle connections. May be called from any thread."""
        for loop_pool in self._loop_pools.living():
            call_in(loop_pool.loop, loop_pool.rest)

    def close(self) -> None:
        """End every connection."""
        self._closed = True
        for loop_pool in self._loop_pools.living():
            if not call_in(loop_pool.loop, loop_pool.end):
                loop_pool.end()
            self._loop_pools.pop(loop_pool)

    abort = close


_inherited: Final[list[object]] = []
"""Pools that a forked child inherited: kept referenced, since finalizing them would reach the parent's epoll."""
