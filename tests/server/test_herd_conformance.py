"""Run the conformance suite with the herd policy on a real server, with and without scripts, in both modes."""

from collections.abc import Iterator

import pytest

from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from tests.selection import alternate
from tests.support.herd_processes import with_herd_policy
from tests.support.servers import CACHE_USER, NO_SCRIPTS_USER, PASSWORD, Server

USERS = {"a cache's user": CACHE_USER, "a user without scripts": NO_SCRIPTS_USER}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    alternate(metafunc, "make_cache", list(USERS), " for ")


@pytest.mark.full("the herd is in the fast path over shards and a cluster")
class TestHerdOnServer(CacheConformance):
    @pytest.fixture
    def make_cache(self, request: pytest.FixtureRequest, acl_server: Server) -> Iterator[MakeCache]:
        mode, user = request.param
        with wired(mode, acl_server.url(1, USERS[user], PASSWORD)) as make_cache:
            yield with_herd_policy(make_cache)
