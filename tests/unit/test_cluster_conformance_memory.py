"""Run the conformance suite on a cluster of in-memory nodes, each mode with one policy: real nodes run every pair."""

from collections.abc import Iterator

import pytest

from dvcache.testing import MemoryPoolFactory
from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from tests.support.clusters import on_cluster
from tests.support.herd_processes import with_herd_policy


@pytest.mark.full("the suite is in the fast path on a real cluster")
class TestClusterInMemory(CacheConformance):
    @pytest.fixture(params=["sync", "async herd"])
    def make_cache(self, request: pytest.FixtureRequest) -> Iterator[MakeCache]:
        mode, _, herd = request.param.partition(" ")
        with wired(mode, "valkey://production:7001", pool_factory=MemoryPoolFactory()) as make_cache:
            yield with_herd_policy(on_cluster(make_cache)) if herd else on_cluster(make_cache)
