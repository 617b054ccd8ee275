"""Redis conforms, in both colours: Debian's redis-server, where it is installed."""

from collections.abc import Iterator

import pytest

from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from tests.redis import REDIS, RedisServer
from tests.servers import Server


@pytest.fixture(scope="module")
def redis() -> Iterator[Server]:
    with RedisServer() as server:
        yield server


if REDIS:

    class TestRedis(CacheConformance):
        @pytest.fixture(params=["sync", "async"])
        def make_cache(self, request: pytest.FixtureRequest, redis: Server) -> Iterator[MakeCache]:
            with wired(request.param, redis.url(1)) as make_cache:
                yield make_cache
