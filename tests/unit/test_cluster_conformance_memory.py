"""A cluster of in-memory nodes conforms, in both colours, plainly and with the herd policy."""

import itertools
from collections.abc import Iterator

import pytest

from dvcache.testing import MemoryPoolFactory
from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from tests.clusters import on_cluster
from tests.herds import of_a_herd

POLICIES = {"plain": lambda make_cache: make_cache, "herd": of_a_herd}


class TestClusterInMemory(CacheConformance):
    @pytest.fixture(params=itertools.product(["sync", "async"], POLICIES), ids=" ".join)
    def make_cache(self, request: pytest.FixtureRequest) -> Iterator[MakeCache]:
        colour, policy = request.param
        with wired(colour, "valkey://production:7001", pool_factory=MemoryPoolFactory()) as make_cache:
            yield POLICIES[policy](on_cluster(make_cache))
