"""The herd policy conforms on a real server, in both colours, with and without scripts."""

import itertools
from collections.abc import Iterator

import pytest

from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from tests.herds import of_a_herd
from tests.servers import CACHE_USER, NO_SCRIPTS_USER, PASSWORD, Server

USERS = {"a cache's user": CACHE_USER, "a user without scripts": NO_SCRIPTS_USER}


class TestHerdOnServer(CacheConformance):
    @pytest.fixture(params=itertools.product(["sync", "async"], USERS), ids=" for ".join)
    def make_cache(self, request: pytest.FixtureRequest, acl_server: Server) -> Iterator[MakeCache]:
        colour, user = request.param
        with wired(colour, acl_server.url(1, USERS[user], PASSWORD)) as make_cache:
            yield of_a_herd(make_cache)
