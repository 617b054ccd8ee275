"""Fakes for tests: a factory of in-memory pools, and a clock that the test advances."""

import time
from collections.abc import Mapping

from typing_extensions import override

from dvcache.memory import AsyncMemoryPool, MemoryPool
from dvcache.memory.cluster import MemoryClusters, Store
from dvcache.memory.store import MemoryStore
from dvcache.protocols import AsyncPool, Pool, PoolFactory
from dvcache.provider_checks import check
from dvcache.scripts.script import ScriptFunction
from dvcache.types import Clock, Endpoint


class ManualClock:
    """A clock that moves only by `advance`; exact to the microsecond.

    Args:
        now: the initial time in seconds since the epoch.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._microseconds = round(now * 1_000_000)

    def __call__(self) -> float:
        """Return the time in seconds since the epoch."""
        return self._microseconds / 1_000_000

    def advance(self, seconds: float) -> None:
        """Advance the clock by this many seconds."""
        self._microseconds += round(seconds * 1_000_000)


class MemoryPoolFactory(PoolFactory):
    """A factory of pools of in-memory servers. Production settings run on it unchanged; it opens no socket.

    Each server in the settings (host and port, path, or service) is one in-memory server with numbered databases. Its
    sync and async pools share its data, and so do those of its replicas, which never lag. Each primary of a cluster is
    one in-memory server. Factories share no data with each other.

    Args:
        clock: the clock for expiry, for example a `ManualClock`; the real time if None.
        scripts: Python versions of the Lua scripts that a test runs in addition to the library's, by their source.
        nodes: the number of primaries in a cluster; each replies MOVED for keys of the others.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        scripts: Mapping[str, ScriptFunction] | None = None,
        *,
        nodes: int = 3,
    ) -> None:
        if clock is not None:
            check({"clock": clock})
        self._clock = clock or time.time
        self._scripts = scripts
        self._stores: dict[tuple[str, int, str], MemoryStore] = {}
        self._servers: list[MemoryStore] = []
        self._clusters = MemoryClusters(nodes, self._made)
        self._primaries: dict[str, MemoryStore] = {}
        """The primary of each alias. Pools of its replicas use the same store."""

    @override
    def pool(self, endpoint: Endpoint, /) -> Pool:
        return MemoryPool(self._node(endpoint), endpoint)

    @override
    def async_pool(self, endpoint: Endpoint, /) -> AsyncPool:
        return AsyncMemoryPool(self._node(endpoint), endpoint)

    def _node(self, endpoint: Endpoint) -> Store:
        if endpoint.in_cluster:
            return self._clusters.node(endpoint.alias, (endpoint.host, endpoint.port))
        return self.store(endpoint)

    def _made(self) -> MemoryStore:
        store = MemoryStore(self._clock, self._scripts)
        self._servers.append(store)
        return store

    def clear(self) -> None:
        """Remove every entry of every server. Pools stay valid."""
        for store in self._servers:
            store.execute(0, [b"FLUSHALL"])

    def store(self, endpoint: Endpoint, /) -> MemoryStore:
        """Return the in-memory server of an endpoint."""
        if endpoint.role == "replica" and endpoint.alias in self._primaries:
            return self._primaries[endpoint.alias]
        if endpoint.service:
            place = (endpoint.service, 0, "")
        else:
            place = ("", 0, endpoint.path) if endpoint.scheme == "unix" else (endpoint.host, endpoint.port, "")
        store = self._stores.get(place) or self._stores.setdefault(place, self._made())
        if endpoint.role == "primary":
            self._primaries.setdefault(endpoint.alias, store)
        return store
