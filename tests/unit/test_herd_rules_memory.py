"""Run the rules of the herd policy on in-memory servers: one server, shards and a cluster, in both modes."""

import itertools
from collections.abc import Iterator
from typing import Any, Final

import pytest

from dvcache.testing import MemoryPoolFactory
from tests.support.herd_rules import HerdRules, World, world_of

PLACES: Final[dict[str, tuple[str | list[str], dict[str, Any]]]] = {
    "one server": ("valkey://production/1", {}),
    "shards": ([f"valkey://shard-{n}/1" for n in range(3)], {"SHARDED": True}),
    "cluster": ("valkey://node:7001", {"CLUSTER": True}),
}


class TestRulesInMemory(HerdRules):
    @pytest.fixture(params=itertools.product(["sync", "async"], PLACES), ids=" on ".join)
    def world(self, request: pytest.FixtureRequest) -> Iterator[World]:
        mode, place = request.param
        location, options = PLACES[place]
        with world_of(mode, location, MemoryPoolFactory(), **options) as world:
            yield world
