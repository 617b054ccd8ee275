"""A pool factory that wraps another one, and counts the commands for each server."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from dvcache import Container, Settings
from dvcache.pools.factory import Pools
from dvcache.protocols import AsyncPool, Pool, PoolFactory, Releasable
from dvcache.types import Batch, Endpoint


class CountedPool:
    """A pool that passes the batches on and tells their lengths."""

    def __init__(self, pool: Pool, count: Callable[[int], None]) -> None:
        self._pool, self._count = pool, count

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch; arguments and errors are those of the pool."""
        self._count(len(batch))
        return self._pool.execute(batch, until)

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()


class AsyncCountedPool:
    """As `CountedPool`, for event loops."""

    def __init__(self, pool: AsyncPool, count: Callable[[int], None]) -> None:
        self._pool, self._count = pool, count

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch; arguments and errors are those of the pool."""
        self._count(len(batch))
        return await self._pool.execute(batch, until)

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()


class CountingPools:
    """Counts commands by the name of the server, which has no credentials.

    Args:
        pools: makes the pools that are counted.
    """

    def __init__(self, pools: PoolFactory) -> None:
        self._pools, self._lock = pools, threading.Lock()
        self.commands: Counter[str] = Counter()

    def pool(self, endpoint: Endpoint, /) -> Pool:
        """Return a counted pool for the endpoint."""
        return CountedPool(self._pools.pool(endpoint), partial(self._count, endpoint.name))

    def async_pool(self, endpoint: Endpoint, /) -> AsyncPool:
        """Return a counted asynchronous pool for the endpoint."""
        return AsyncCountedPool(self._pools.async_pool(endpoint), partial(self._count, endpoint.name))

    def release(self) -> None:
        """Close idle connections."""
        if isinstance(self._pools, Releasable):
            self._pools.release()

    def _count(self, name: str, commands: int) -> None:
        with self._lock:  # batches run in several threads
            self.commands[name] += commands


if __name__ == "__main__":
    counting = CountingPools(Pools())
    with Container(Settings.parse({"LOCATION": "memory://counted"}), pool_factory=counting) as container:
        container.cache().set("a", 1)
        print(counting.commands)
