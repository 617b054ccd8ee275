"""Run the conformance suite on Redis, with scripts and without. Skipped without a redis-server."""

from collections.abc import Iterator

import pytest
from typing_extensions import override

from dvcache import Cache, NotSupportedError
from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from tests.support.servers import NO_SCRIPTS_USER, PASSWORD, Server

WAYS = [("sync", "Redis"), ("async", "Redis"), ("sync", "Redis without scripts")]


@pytest.mark.full("the suite is in the fast path once for each topology")
class TestRedis(CacheConformance):
    @pytest.fixture(params=WAYS, ids=" on ".join)
    def make_cache(self, request: pytest.FixtureRequest, redis: Server) -> Iterator[MakeCache]:
        mode, way = request.param
        location = redis.url(1, NO_SCRIPTS_USER, PASSWORD) if "without" in way else redis.url(1)
        with wired(mode, location) as make_cache:
            yield make_cache

    @override
    def test_fields_have_their_own_lifetimes(self, hashes: Cache) -> None:
        """Needs Redis 7.4, which Debian does not have: the error names Valkey 9."""
        hashes.hset("hash", "a", 1)
        with pytest.raises(NotSupportedError, match="Valkey 9"):
            hashes.hexpire("hash", "a", 100)

    @override
    def test_hset_takes_a_timeout(self, hashes: Cache) -> None:
        """Needs Redis 7.4 as above; nothing is written."""
        with pytest.raises(NotSupportedError, match="Valkey 9"):
            hashes.hset("hash", "a", 1, timeout=100)
        assert hashes.hgetall("hash") == {}
