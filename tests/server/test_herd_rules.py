"""The rules of the herd policy hold on a real server, in both colours, with and without scripts."""

import itertools
from collections.abc import Iterator

import pytest

from tests.herd_rules import HerdRules, World, world_of
from tests.servers import CACHE_USER, NO_SCRIPTS_USER, PASSWORD, Server

USERS = {"a cache's user": CACHE_USER, "a user without scripts": NO_SCRIPTS_USER}


class TestRulesOnServer(HerdRules):
    @pytest.fixture(params=itertools.product(["sync", "async"], USERS), ids=" for ".join)
    def world(self, request: pytest.FixtureRequest, acl_server: Server) -> Iterator[World]:
        colour, user = request.param
        acl_server.raw("ACL", "SETUSER", USERS[user], "+dbsize")
        with world_of(colour, acl_server.url(1, USERS[user], PASSWORD)) as world:
            yield world
