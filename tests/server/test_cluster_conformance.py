"""A cluster conforms, in both colours, plainly and with the herd policy, with and without scripts."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from tests.clusters import Cluster
from tests.herds import of_a_herd

POLICIES = {"plain": lambda make_cache: make_cache, "herd": of_a_herd}


class TestCluster(CacheConformance):
    @pytest.fixture(params=itertools.product(["sync", "async"], POLICIES), ids=" ".join)
    def make_cache(self, request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[MakeCache]:
        colour, policy = request.param
        with wired(colour, cluster.urls()) as make:

            def make_cache(**settings: Any) -> Any:
                return make(**{**settings, "OPTIONS": {"CLUSTER": True, **settings.get("OPTIONS", {})}})

            yield POLICIES[policy](make_cache)
