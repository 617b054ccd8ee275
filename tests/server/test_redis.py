"""Redis conforms, in both colours: Debian's redis-server, where it is installed."""

from collections.abc import Iterator

import pytest
from typing_extensions import override

from dvcache import Cache, NotSupportedError
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

        @override
        def test_fields_have_lifetimes_of_their_own(self, hashes: Cache) -> None:
            """Not before Redis 7.4, which Debian has not: what takes Valkey 9 says so."""
            hashes.hset("hash", "a", 1)
            with pytest.raises(NotSupportedError, match="Valkey 9"):
                hashes.hexpire("hash", "a", 100)

        @override
        def test_fields_are_written_with_a_lifetime(self, hashes: Cache) -> None:
            """As above, and nothing is written."""
            with pytest.raises(NotSupportedError, match="Valkey 9"):
                hashes.hset("hash", "a", 1, timeout=100)
            assert hashes.hgetall("hash") == {}
