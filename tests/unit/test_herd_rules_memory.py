"""The rules of the herd policy hold on the in-memory server, in both colours."""

from collections.abc import Iterator

import pytest

from dvcache.testing import MemoryPoolFactory
from tests.herd_rules import HerdRules, World, world_of


class TestRulesInMemory(HerdRules):
    @pytest.fixture(params=["sync", "async"])
    def world(self, request: pytest.FixtureRequest) -> Iterator[World]:
        with world_of(request.param, "valkey://production/1", MemoryPoolFactory()) as world:
            yield world
