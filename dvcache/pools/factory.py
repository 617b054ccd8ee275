"""The pool factory of a container that was given no other: which pool serves which scheme."""

from dvcache.pools.lean import LeanPool
from dvcache.pools.memory import AsyncMemoryPool, MemoryPool, memory_store
from dvcache.pools.multiplexed import MultiplexedPool
from dvcache.protocols import AsyncPool, Pool
from dvcache.types import Endpoint


class Pools:
    """Makes real connections, but for `memory://`, whose entries live in this process."""

    __slots__ = ()

    def pool(self, endpoint: Endpoint, /) -> Pool:
        """Return a new pool for the endpoint; nothing is connected."""
        if endpoint.scheme == "memory":
            return MemoryPool(memory_store(endpoint), endpoint)
        return LeanPool(endpoint)

    def async_pool(self, endpoint: Endpoint, /) -> AsyncPool:
        """Return a new asynchronous pool for the endpoint; nothing is connected."""
        if endpoint.scheme == "memory":
            return AsyncMemoryPool(memory_store(endpoint), endpoint)
        return MultiplexedPool(endpoint)
