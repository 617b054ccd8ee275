"""A cluster conforms, in both colours, plainly and with the herd policy."""

import itertools
from collections.abc import Iterator

import pytest

from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from tests.clusters import Cluster, on_cluster
from tests.herds import of_a_herd

POLICIES = {"plain": lambda make_cache: make_cache, "herd": of_a_herd}


@pytest.fixture(scope="module")
def urls(shared_cluster: Cluster) -> list[str]:
    """The session's cluster, whole; the suite empties it itself."""
    shared_cluster.restore()
    return shared_cluster.urls()


class TestCluster(CacheConformance):
    @pytest.fixture(params=itertools.product(["sync", "async"], POLICIES), ids=" ".join)
    def make_cache(self, request: pytest.FixtureRequest, urls: list[str]) -> Iterator[MakeCache]:
        colour, policy = request.param
        with wired(colour, urls) as make_cache:
            yield POLICIES[policy](on_cluster(make_cache))
