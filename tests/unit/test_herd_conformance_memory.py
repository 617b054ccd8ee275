"""Run the conformance suite with the herd policy on the in-memory server, in both modes, with and without scripts."""

from collections.abc import Iterator

import pytest

from dvcache.testing import MemoryPoolFactory
from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from tests.support.herd_processes import with_herd_policy


@pytest.mark.full("the herd is in the fast path over shards and a cluster")
class TestHerdInMemory(CacheConformance):
    @pytest.fixture(params=["sync", "async"])
    def make_cache(self, request: pytest.FixtureRequest) -> Iterator[MakeCache]:
        with wired(request.param, "valkey://production/1", pool_factory=MemoryPoolFactory()) as make_cache:
            yield with_herd_policy(make_cache)
