"""Run the rules of the herd policy on a real server, with and without scripts, sync and async in turn."""

from collections.abc import Iterator

import pytest

from tests.selection import alternate
from tests.support.herd_rules import HerdRules, World, world_of
from tests.support.servers import CACHE_USER, NO_SCRIPTS_USER, PASSWORD, Server

USERS = {"a cache's user": CACHE_USER, "a user without scripts": NO_SCRIPTS_USER}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    alternate(metafunc, "world", list(USERS), " for ")


class TestRulesOnServer(HerdRules):
    @pytest.fixture
    def world(self, request: pytest.FixtureRequest, acl_server: Server) -> Iterator[World]:
        mode, user = request.param
        acl_server.raw("ACL", "SETUSER", USERS[user], "+dbsize")
        with world_of(mode, acl_server.url(1, USERS[user], PASSWORD)) as world:
            yield world
