"""The pool factory of a container that was given no other: which pool serves which scheme."""

from dataclasses import replace

from dvcache.pools.lean import LeanPool
from dvcache.pools.memory import AsyncMemoryPool, MemoryPool, memory_store
from dvcache.pools.multiplexed import MultiplexedPool
from dvcache.pools.service import async_service_pool, service_pool
from dvcache.pools.watch import Watch
from dvcache.protocols import AsyncPool, Pool
from dvcache.types import Endpoint


class Pools:
    """Makes real connections, but for `memory://`, whose entries live in this process."""

    __slots__ = ("_watches",)

    def __init__(self) -> None:
        self._watches: dict[Endpoint, Watch] = {}

    def pool(self, endpoint: Endpoint, /) -> Pool:
        """Return a new pool for the endpoint; nothing is connected."""
        if endpoint.scheme == "memory":
            return MemoryPool(memory_store(endpoint), endpoint)
        if endpoint.service:
            return service_pool(endpoint, self._watch(endpoint))
        return LeanPool(endpoint)

    def async_pool(self, endpoint: Endpoint, /) -> AsyncPool:
        """Return a new asynchronous pool for the endpoint; nothing is connected."""
        if endpoint.scheme == "memory":
            return AsyncMemoryPool(memory_store(endpoint), endpoint)
        if endpoint.service:
            return async_service_pool(endpoint, self._watch(endpoint))
        return MultiplexedPool(endpoint)

    def _watch(self, endpoint: Endpoint) -> Watch:
        """Return the watch over a service, one for all its roles and both colours."""
        service = replace(endpoint, role="primary")
        watch = self._watches.get(service)
        if watch is None or watch.closed:
            watch = self._watches[service] = Watch(service)
        return watch
