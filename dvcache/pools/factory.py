"""The default pool factory of a container: select the pool for an endpoint."""

import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from dvcache.pools.async_pool import MultiplexedPool
from dvcache.pools.circuit_breaker import CircuitBreaker
from dvcache.pools.sync_pool import SyncPool
from dvcache.protocols import AsyncPool, Pool, Releasable
from dvcache.types import Endpoint

if TYPE_CHECKING:
    from dvcache.pools.sentinel.pools import AsyncNodePool, NodePool
    from dvcache.pools.sentinel.watcher import Watcher

R = TypeVar("R", bound=Releasable)


class Pools:
    """Makes pools of real connections, and in-memory pools for `memory://`.

    Args:
        breaker: makes the circuit breaker of each server's pool; None: a pool has none.
    """

    __slots__ = ("_breaker", "_made", "_watches")

    def __init__(self, breaker: Callable[[Endpoint], CircuitBreaker] | None = None) -> None:
        self._breaker = breaker
        self._watches: dict[Endpoint, Watcher] = {}
        self._made: set[weakref.ref[Releasable]] = set()

    def pool(self, endpoint: Endpoint, /) -> Pool:
        """Return a new pool for the endpoint; nothing is connected."""
        if endpoint.scheme == "memory":
            from dvcache.memory import MemoryPool, memory_store  # noqa: PLC0415  # only here are they needed

            return MemoryPool(memory_store(endpoint), endpoint)
        if endpoint.service and not _discovers(endpoint):
            from dvcache.pools.sentinel.pools import service_pool  # noqa: PLC0415  # slow import

            return service_pool(endpoint, self._watch(endpoint), self._node)
        return self._node(endpoint)

    def async_pool(self, endpoint: Endpoint, /) -> AsyncPool:
        """Return a new asynchronous pool for the endpoint; nothing is connected."""
        if endpoint.scheme == "memory":
            from dvcache.memory import AsyncMemoryPool, memory_store  # noqa: PLC0415  # as above

            return AsyncMemoryPool(memory_store(endpoint), endpoint)
        if endpoint.service and not _discovers(endpoint):
            from dvcache.pools.sentinel.pools import async_service_pool  # noqa: PLC0415  # slow import

            return async_service_pool(endpoint, self._watch(endpoint), self._async_node)
        return self._async_node(endpoint)

    def release(self) -> None:
        """End the idle connections; the next command opens others. May be called from any thread."""
        for made in list(self._made):
            if (pool := made()) is not None:
                pool.release()

    def _node(self, endpoint: Endpoint) -> "NodePool":
        breaker = None if self._breaker is None else self._breaker(endpoint)
        if endpoint.driver is None:
            return self._remembered(SyncPool(endpoint, breaker))
        from dvcache.pools.custom.sync_pool import CustomPool  # noqa: PLC0415  # slow import

        return self._remembered(CustomPool(endpoint, breaker))

    def _async_node(self, endpoint: Endpoint) -> "AsyncNodePool":
        breaker = None if self._breaker is None else self._breaker(endpoint)
        if endpoint.driver is None:
            return self._remembered(MultiplexedPool(endpoint, breaker))
        from dvcache.pools.custom.async_pool import AsyncCustomPool  # noqa: PLC0415  # slow import

        return self._remembered(AsyncCustomPool(endpoint, breaker))

    def _remembered(self, pool: R) -> R:
        self._made.add(weakref.ref(pool, self._made.discard))
        return pool

    def _watch(self, endpoint: Endpoint) -> "Watcher":
        """Return the watcher of a service, one for all its roles and both modes."""
        from dvcache.pools.sentinel.watcher import Watcher  # noqa: PLC0415  # slow import

        service = replace(endpoint, role="primary")
        watch = self._watches.get(service)
        if watch is None or watch.closed:  # a closed watcher cannot be restarted
            watch = self._watches[service] = Watcher(service)
        return watch


def _discovers(endpoint: Endpoint) -> bool:
    return endpoint.driver is not None and endpoint.driver.discovers
