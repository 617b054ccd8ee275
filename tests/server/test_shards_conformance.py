"""Run the conformance suite on shards, with the plain and the herd policy, sync and async in turn."""

from collections.abc import Iterator
from typing import Any

import pytest

from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from tests.selection import alternate
from tests.support.herd_processes import with_herd_policy
from tests.support.shards import Shards

POLICIES = {"plain": lambda make_cache: make_cache, "herd": with_herd_policy}


@pytest.fixture(scope="module")
def urls(shared_shards: Shards) -> list[str]:
    """URLs of the session's shards, restored; the suite empties them itself."""
    shared_shards.restore()
    return shared_shards.urls


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    alternate(metafunc, "make_cache", list(POLICIES), " ")


class TestShards(CacheConformance):
    @pytest.fixture
    def make_cache(self, request: pytest.FixtureRequest, urls: list[str]) -> Iterator[MakeCache]:
        mode, policy = request.param
        with wired(mode, urls) as make:

            def make_cache(**settings: Any) -> Any:
                return make(**{**settings, "OPTIONS": {"SHARDED": True, **settings.get("OPTIONS", {})}})

            yield POLICIES[policy](make_cache)
