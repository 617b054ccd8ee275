"""Run the conformance suite on custom pools, connections and parsers and on RESP3, sync and async in turn."""

from collections.abc import Iterator
from typing import Any

import pytest

from dvcache import Cache
from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from tests.selection import alternate
from tests.support.custom_pools import (
    Counted,
    OwnAsyncBlockingPool,
    OwnAsyncConnection,
    OwnAsyncPool,
    OwnBlockingPool,
    OwnConnection,
    OwnPool,
)
from tests.support.servers import Server

KWARGS = "CONNECTION_POOL_KWARGS"
WAYS: dict[str, dict[str, dict[str, Any]]] = {
    "RESP3": {
        "sync": {KWARGS: {"protocol": 3}},
        "async": {KWARGS: {"protocol": 3}},
    },
    "a blocking pool of own connections": {
        "sync": {
            "CONNECTION_POOL_CLASS": OwnBlockingPool,
            KWARGS: {"max_connections": 4, "connection_class": OwnConnection, "nickname": "it"},
        },
        "async": {
            "CONNECTION_POOL_CLASS": OwnAsyncBlockingPool,
            KWARGS: {"max_connections": 4, "connection_class": f"{OwnAsyncConnection.__module__}.OwnAsyncConnection"},
        },
    },
    "a pool, RESP3 and a parser in Python": {
        "sync": {
            "CONNECTION_POOL_CLASS": OwnPool,
            "PARSER_CLASS": "valkey._parsers.resp3._RESP3Parser",
            KWARGS: {"protocol": 3},
        },
        "async": {
            "CONNECTION_POOL_CLASS": OwnAsyncPool,
            "PARSER_CLASS": "valkey._parsers.resp3._RESP3Parser",
            KWARGS: {"protocol": 3},
        },
    },
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    alternate(metafunc, "way", list(WAYS))


@pytest.fixture
def way(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.full("the suite is in the fast path once for each topology")
class TestCustomPools(CacheConformance):
    @pytest.fixture
    def make_cache(self, way: Any, server: Server) -> Iterator[MakeCache]:
        mode, name = way
        Counted.reset()
        with wired(mode, server.url(1)) as make:

            def make_cache(**settings: Any) -> Cache:
                return make(**{**settings, "OPTIONS": {**WAYS[name][mode], **settings.get("OPTIONS", {})}})

            yield make_cache
        assert name == "RESP3" or Counted.calls
