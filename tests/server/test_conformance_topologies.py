"""Run the conformance suite on replicas and on Sentinel, sync and async in turn.

The suite reads its own writes at once, and a replica may not have them yet. So every write waits here until both
replicas have it: WAIT follows it on its connection. The rest of the wiring is that of users, and reads go to the
replicas; `test_replicas.py` tests writes without a wait.
"""

from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, cast

import pytest

from dvcache import Cache
from dvcache.pools.factory import Pools
from dvcache.protocols import AsyncPool, Pool, PoolFactory
from dvcache.routing.commands import only_reads
from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from dvcache.types import Batch, Endpoint
from tests.selection import alternate
from tests.support.herd_rules import HerdRules, World, world_of
from tests.support.topologies import Replication, SentinelFleet, calls, reset_calls

WAIT: Batch = (("WAIT", 2, 5000),)
"""Waits until two replicas have the write, at most five seconds."""


def awaited(batch: Batch) -> Batch:
    return batch if only_reads(batch) else batch + WAIT


def checked(batch: Batch, replies: Sequence[Any]) -> Sequence[Any]:
    """Return the replies of the batch itself."""
    assert list(replies[len(batch) :]) in ([], [2]), "a replica does not follow"
    return replies[: len(batch)]


class Waiting:
    """A primary's pool; its writes return once they are on the replicas."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.close = pool.close

    def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:
        return checked(batch, self._pool.execute(awaited(batch)))


class AsyncWaiting:
    """The same for an asynchronous pool."""

    def __init__(self, pool: AsyncPool) -> None:
        self._pool = pool
        self.close = pool.close

    async def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:
        return checked(batch, await self._pool.execute(awaited(batch)))


class Shared:
    """A pool that stays open when a container closes it."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def execute(self, batch: Batch, _until: float | None = None, /) -> Any:
        result: Sequence[Any] | Coroutine[Any, Any, Sequence[Any]] = self._pool.execute(batch)
        return result

    def close(self) -> None:
        """Keep the pool open."""


class WaitingPools(PoolFactory):
    """Pools of a module's tests: each is made once, and those of primaries wait for the replicas."""

    def __init__(self) -> None:
        self._pools = Pools()
        self._made: dict[tuple[str, Endpoint], Any] = {}

    def pool(self, endpoint: Endpoint, /) -> Pool:
        return self._shared("sync", endpoint, self._pools.pool, Waiting)

    def async_pool(self, endpoint: Endpoint, /) -> AsyncPool:
        return cast("AsyncPool", self._shared("async", endpoint, self._pools.async_pool, AsyncWaiting))

    def _shared(self, mode: str, endpoint: Endpoint, make: Any, waiting: Any) -> Any:
        if (mode, endpoint) not in self._made:
            pool = make(endpoint)
            self._made[mode, endpoint] = waiting(pool) if endpoint.role == "primary" else pool
        return Shared(self._made[mode, endpoint])

    def close(self) -> None:
        for pool in self._made.values():
            pool.close()


@pytest.fixture(scope="module")
def pools() -> Iterator[WaitingPools]:
    pools = WaitingPools()
    yield pools
    pools.close()


@pytest.fixture(scope="module")
def ways(
    shared_replication: Replication, shared_fleet: SentinelFleet
) -> dict[str, tuple[Any, dict[str, Any], Replication]]:
    """LOCATION, OPTIONS and nodes of each topology, restored."""
    shared_replication.restore()
    service = shared_fleet.replication("service_name")
    shared_fleet.restore()
    options = {"SENTINELS": shared_fleet.addresses, "CLIENT_CLASS": "django_valkey.client.SentinelClient"}
    return {
        "replicas": (shared_replication.urls(1), {}, shared_replication),
        "Sentinel": ("valkey://service_name/1", options, service),
    }


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    alternate(metafunc, "way", ["replicas", "Sentinel"])


@pytest.fixture
def way(request: pytest.FixtureRequest) -> tuple[Any, str]:
    mode, way = request.param
    return mode, way


@pytest.fixture
def make_cache(way: Any, ways: Any, pools: WaitingPools) -> Iterator[MakeCache]:
    mode, name = way
    location, options, _ = ways[name]
    with wired(mode, location, pool_factory=pools) as make:

        def make_cache(**settings: Any) -> Cache:
            return make(**{**settings, "OPTIONS": {**options, **settings.get("OPTIONS", {})}})

        yield make_cache


class TestTopologies(CacheConformance):
    """The conformance suite, on the topology of the fixture above."""


class TestHerdRulesOverTopologies(HerdRules):
    """The rules of the herd policy, on the same topologies."""

    @pytest.fixture
    def world(self, way: Any, ways: Any, pools: WaitingPools) -> Iterator[World]:
        mode, name = way
        location, options, _ = ways[name]
        with world_of(mode, location, pools, **options) as world:
            yield world


def test_conformance_suite_reads_from_the_replicas(make_cache: MakeCache, way: Any, ways: Any) -> None:
    nodes = ways[way[1]][2].nodes
    reset_calls(*nodes)
    cache = make_cache()
    for number in range(200):
        cache.set("k", number)
        assert cache.get("k") == number
    by_role = {node: calls(node, "get") for node in nodes}
    assert by_role[ways[way[1]][2].primary] == 0
    assert min(calls for node, calls in by_role.items() if node is not ways[way[1]][2].primary) > 50
