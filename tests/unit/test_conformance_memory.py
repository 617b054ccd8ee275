"""The in-memory server conforms, in both colours."""

from collections.abc import Iterator

import pytest

from dvcache.testing import MemoryPoolFactory
from dvcache.testing.conformance import CacheConformance, MakeCache, wired


class TestMemory(CacheConformance):
    @pytest.fixture(params=["sync", "async"])
    def make_cache(self, request: pytest.FixtureRequest) -> Iterator[MakeCache]:
        with wired(request.param, "valkey://production/1", pool_factory=MemoryPoolFactory()) as make_cache:
            yield make_cache
