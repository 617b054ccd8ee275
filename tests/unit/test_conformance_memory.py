"""Run the conformance suite on the in-memory server, in both modes."""

from collections import Counter
from collections.abc import Iterator

import pytest

from dvcache.testing import MemoryPoolFactory
from dvcache.testing.conformance import CacheConformance, MakeCache, wired


class TestMemory(CacheConformance):
    @pytest.fixture(params=["sync", "async"])
    def make_cache(self, request: pytest.FixtureRequest) -> Iterator[MakeCache]:
        with wired(request.param, "valkey://production/1", pool_factory=MemoryPoolFactory()) as make_cache:
            yield make_cache


def test_conformance_suite_hides_no_test_of_another_part() -> None:
    names = Counter(name for part in CacheConformance.__bases__ for name in vars(part) if name.startswith("test_"))
    assert [name for name, parts in names.items() if parts > 1] == []
