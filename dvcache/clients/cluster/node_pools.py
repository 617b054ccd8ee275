"""The pools of a cluster's nodes, by role and address."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final, Generic

from dvcache.errors import ClosedError
from dvcache.routing.flow import C
from dvcache.types import Address, Endpoint, Role

LINGER: Final = 10.0
"""Seconds to keep the pool of a node without slots: callers may still use it."""


class NodePools(Generic[C]):
    """The pools of a cluster's nodes.

    Args:
        seeds: the endpoints of LOCATION; the pools have the options of the first.
        make: makes the pool of one node.
        clock: a monotonic clock in seconds.
    """

    def __init__(self, seeds: Sequence[Endpoint], make: Callable[[Endpoint], C], clock: Callable[[], float]) -> None:
        self._seed, self._make, self._clock = seeds[0], make, clock
        self.primaries: dict[Address, C] = {}
        self.replicas: dict[Address, C] = {}
        self._used: dict[C, float] = {}
        self.closed = False

    def primary(self, address: Address, asked: C | None = None) -> C:
        """Return the pool of a node that may be a primary.

        Args:
            address: its address; an empty host means the host of `asked`.
            asked: the client whose redirection named the address, which is then an announced one and is remapped.
        """
        host, port = address
        if not host:
            host = next((each for (each, _), pool in self._all() if pool is asked), self._seed.host)
        remap = self._seed.remap
        mapped = (host, port) if asked is None or remap is None else remap((host, port))
        pool = self._pool(self.primaries, mapped, "primary")
        if asked is not None:
            self.note_used((pool,))
        return pool

    def replica(self, address: Address) -> C:
        """Return the pool of a replica."""
        return self._pool(self.replicas, address, "replica")

    def _pool(self, pools: dict[Address, C], address: Address, role: Role) -> C:
        found = pools.get(address)
        if found is None:
            self.check_open()
            host, port = address
            endpoint = replace(self._seed, host=host, port=port, role=role, in_cluster=True)
            found = pools.setdefault(address, self._make(endpoint))
        return found

    def _all(self) -> list[tuple[Address, C]]:
        return [*self.primaries.items(), *self.replicas.items()]

    def note_used(self, pools: Iterable[C]) -> None:
        """Record that the pools are used now."""
        self._used.update(dict.fromkeys(pools, self._clock()))

    def end_seeds(self, primaries: Collection[C]) -> None:
        """Close the pools of nodes that have no slots or were asked by another name than the announced one."""
        for address, pool in list(self.primaries.items()):
            # Pools in `_used` are kept for `LINGER` seconds: callers may still use them.
            if pool not in primaries and pool not in self._used:
                self.primaries.pop(address, None)
                pool.close()

    def end_unused(self) -> list[C]:
        """Close the pools that were not used for `LINGER` seconds; return them."""
        now, ended = self._clock(), []
        for pools in (self.primaries, self.replicas):
            for address, pool in list(pools.items()):
                if now - self._used.setdefault(pool, now) > LINGER:
                    pools.pop(address, None)
                    self._used.pop(pool, None)
                    pool.close()
                    ended.append(pool)
        return ended

    def check_open(self) -> None:
        """Raise ClosedError after `close`."""
        if self.closed:
            raise ClosedError(f"the connections of {self._seed.alias!r} are closed")

    def close(self) -> None:
        """Close every pool; make no more."""
        self.closed = True
        for _, pool in self._all():
            pool.close()
