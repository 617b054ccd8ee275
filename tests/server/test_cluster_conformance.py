"""Run the conformance suite on a cluster, with the plain and the herd policy, sync and async in turn."""

from collections.abc import Iterator

import pytest

from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from tests.selection import alternate
from tests.support.clusters import Cluster, on_cluster
from tests.support.herd_processes import with_herd_policy

POLICIES = {"plain": lambda make_cache: make_cache, "herd": with_herd_policy}


@pytest.fixture(scope="module")
def urls(shared_cluster: Cluster) -> list[str]:
    """URLs of the session's cluster, restored; the suite empties it itself."""
    shared_cluster.restore()
    return shared_cluster.urls()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    alternate(metafunc, "make_cache", list(POLICIES), " ")


class TestCluster(CacheConformance):
    @pytest.fixture
    def make_cache(self, request: pytest.FixtureRequest, urls: list[str]) -> Iterator[MakeCache]:
        mode, policy = request.param
        with wired(mode, urls) as make_cache:
            yield POLICIES[policy](on_cluster(make_cache))
