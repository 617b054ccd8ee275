"""Run the conformance suite on a real server, by every kind of connection, sync and async in turn."""

from collections.abc import Iterator

import pytest

from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from tests.selection import alternate
from tests.support.servers import CACHE_USER, NO_SCRIPTS_USER, PASSWORD, Server, TlsProxy

WAYS = ["TCP as ACL user", "TCP as ACL user without scripts", "unix socket", "TLS"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    alternate(metafunc, "make_cache", WAYS)


class TestServer(CacheConformance):
    @pytest.fixture
    def make_cache(self, request: pytest.FixtureRequest, server: Server, tls_proxy: TlsProxy) -> Iterator[MakeCache]:
        mode, way = request.param
        locations = {
            "TCP as ACL user": server.url(1, CACHE_USER, PASSWORD),
            "TCP as ACL user without scripts": server.url(1, NO_SCRIPTS_USER, PASSWORD),
            "unix socket": server.unix_url(1),
            "TLS": tls_proxy.url(1),
        }
        with wired(mode, locations[way]) as make_cache:
            yield make_cache
