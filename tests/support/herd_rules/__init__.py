"""The rules of the herd policy as a test suite, for the in-memory server and real ones, in both modes."""

import pytest

from dvcache import Cache
from tests.support.herd_rules.computing import ComputingRules
from tests.support.herd_rules.reads import ReadRules
from tests.support.herd_rules.values import ValueRules
from tests.support.herd_rules.world import World, world_of
from tests.support.herd_rules.writes import WriteRules, each_write

__all__ = ["HerdRules", "World", "each_write", "world_of"]


class HerdRules(ReadRules, WriteRules, ComputingRules, ValueRules):
    """The numbered rules. A subclass has a fixture `world`."""

    @pytest.fixture
    def cache(self, world: World) -> Cache:
        world.raw("FLUSHDB")
        return world.process()
