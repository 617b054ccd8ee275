"""Shards conform, in both colours, plainly and with the herd policy, with and without scripts."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from tests.herds import of_a_herd
from tests.shards import Shards

POLICIES = {"plain": lambda make_cache: make_cache, "herd": of_a_herd}


@pytest.fixture(scope="module")
def urls(shared_shards: Shards) -> list[str]:
    """The session's shards, whole; the suite empties them itself."""
    shared_shards.restore()
    return shared_shards.urls


class TestShards(CacheConformance):
    @pytest.fixture(params=itertools.product(["sync", "async"], POLICIES), ids=" ".join)
    def make_cache(self, request: pytest.FixtureRequest, urls: list[str]) -> Iterator[MakeCache]:
        colour, policy = request.param
        with wired(colour, urls) as make:

            def make_cache(**settings: Any) -> Any:
                return make(**{**settings, "OPTIONS": {"SHARDED": True, **settings.get("OPTIONS", {})}})

            yield POLICIES[policy](make_cache)
