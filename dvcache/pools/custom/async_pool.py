"""The async pool of the user's own classes: as `sync_pool`, with one of the user's pools per running event loop."""

import asyncio
from collections.abc import Sequence
from typing import Any

from dvcache.errors import ClosedError
from dvcache.pools.circuit_breaker import CircuitBreaker
from dvcache.pools.custom.loop_pool import LoopPool
from dvcache.pools.per_loop import PerLoop, call_in
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
        self._loop_pools.sweep()
        loop_pool = LoopPool(self._endpoint, asyncio.get_running_loop())
        self._loop_pools.put(loop_pool)
        await self._loop_pools.keep(loop_pool)
        return loop_pool

    async def retire(self) -> None:
        """Replace the connections (see `protocols.Retires`)."""
        if (loop_pool := self._loop_pools.get(asyncio.get_running_loop())) is not None:
            loop_pool.retire()

    def release(self) -> None:
        """End the idle connections. May be called from any thread."""
        for loop_pool in self._loop_pools.living():
            call_in(loop_pool.loop, loop_pool.release)

    def close(self) -> None:
        """End every connection."""
        self._closed = True
        self._loop_pools.close()

    abort = close
