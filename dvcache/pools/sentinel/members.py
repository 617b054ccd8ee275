"""The pools of a service's nodes in one role, by address, kept up to date by the watcher."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

from dvcache.pools.sentinel.sentinel import Known
from dvcache.pools.sentinel.watcher import Watcher
from dvcache.process.fork import renewed_after_fork
from dvcache.types import Address, Endpoint


class Abortable(Protocol):
    """A pool that can end connections in use."""

    def close(self) -> None:
        """End every connection; those in use, after their calls."""
        ...

    def abort(self) -> None:
        """End every connection, including those in use."""
        ...


P = TypeVar("P", bound=Abortable)


class MemberPools(Generic[P]):
    """The pools of the nodes that hold a role.

    Args:
        endpoint: the service's endpoint, with the role.
        watch: the service's watcher.
        make: makes the pool of one node.
    """

    def __init__(self, endpoint: Endpoint, watch: Watcher, make: Callable[[Endpoint], P]) -> None:
        self._endpoint, self.watch, self._make = endpoint, watch, make
        self._closed = False
        self.renew()
        renewed_after_fork(self)
        watch.listen(self)

    def renew(self) -> None:
        """Forget all nodes; in a forked child, the watcher must be asked again so that its threads start there."""
        self._lock = threading.RLock()
        self._pools: dict[Address, P] = {}
        self.current: tuple[P, ...] = ()
        """Pools of the nodes that hold the role now; replaced by another tuple after each change."""

    def moved(self, nodes: Known, /) -> None:
        """Make pools for new nodes; abort those of nodes that no longer hold the role."""
        wanted = nodes.replicas if self._endpoint.role == "replica" else (nodes.primary,) if nodes.primary else None
        if wanted is None:  # no primary for now: the old one may return, so its pool is kept
            return
        with self._lock:
            if self._closed or wanted == tuple(self._pools):
                return
            old = self._pools
            self._pools = {address: old.get(address) or self._pool(address) for address in wanted}
            self.current = tuple(self._pools.values())
            gone = [pool for address, pool in old.items() if address not in self._pools]
        for pool in gone:
            # Not `close`: a batch in use would otherwise be acknowledged by a demoted primary.
            pool.abort()

    def _pool(self, address: Address) -> P:
        host, port = address
        return self._make(replace(self._endpoint, host=host, port=port, service="", sentinels=()))

    def close(self) -> None:
        """End every connection, and those to the sentinels if no other listener needs them."""
        with self._lock:
            self._closed = True
            pools, self._pools, self.current = self._pools, {}, ()
        for pool in pools.values():
            pool.close()
        self.watch.leave(self)
