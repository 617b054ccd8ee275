"""Test that counters are exact with any permissions: on Valkey and on Redis, with scripts and without."""

import threading
from typing import Any, Final

import pytest

from dvcache import Container, NotSupportedError, PermissionDenied, Settings
from tests.support.servers import NO_SCRIPTS_USER, PASSWORD, Server, user

WAYS: Final = ["Valkey", "Valkey without scripts", "Redis", "Redis without scripts"]


@pytest.fixture(params=WAYS)
def location(request: pytest.FixtureRequest) -> str:
    way = request.param
    server: Server = request.getfixturevalue("redis" if "Redis" in way else "server")
    return server.url(1, NO_SCRIPTS_USER, PASSWORD) if "without" in way else server.url(1)


def cached(location: str) -> Container:
    return Container(Settings.parse({"LOCATION": location}))


@pytest.mark.parametrize("start", [0, 2**64, 0.0])
def test_increments_of_eight_threads_are_not_lost(location: str, start: Any) -> None:
    each = 500 if start == 0 and isinstance(start, int) else 25
    with cached(location) as container:
        cache = container.cache()
        cache.set("counter", start)

        def count() -> None:
            for _ in range(each):
                cache.incr("counter")

        threads = [threading.Thread(target=count) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert cache.get("counter") == start + 8 * each


def test_counter_that_expires_between_two_calls_never_loses_its_lifetime(location: str) -> None:
    with cached(location) as container:
        cache = container.cache()
        for _ in range(200):
            cache.set("counter", 1, 0.001)
            try:
                cache.incr("counter")
            except ValueError:
                assert not cache.has_key("counter")
            else:
                assert cache.pttl("counter") is not None  # 0 once it has expired


def test_permission_error_of_a_script_names_the_command(server: Server) -> None:
    user(server, "poor", "+eval +evalsha +set")
    with cached(server.url(1, "poor", PASSWORD)) as container:
        container.cache().set("counter", 1)
        with pytest.raises(PermissionDenied, match="'get'"):
            container.cache().incr("counter")


def test_user_without_incrby_can_count(server: Server) -> None:
    user(server, "poor", "+eval +evalsha +set +get")
    with cached(server.url(1, "poor", PASSWORD)) as container:
        container.cache().set("counter", 1)
        assert container.cache().incr("counter") == 2


def test_user_without_unlink_can_delete(server: Server) -> None:
    user(server, "poor", "+set +del +scan")
    with cached(server.url(1, "poor", PASSWORD)) as container:
        cache = container.cache()
        cache.set_many({"a": 1, "b": 2, "c": 3, "d": 4})
        assert cache.delete("a") is True
        assert cache.delete_many(["b", "missing"]) == 1
        assert cache.touch("c", 0) is True
        assert cache.delete_pattern("*") == 1
    with cached(server.url(1)) as container:
        assert container.cache().keys("*") == []
    calls = server.info("commandstats")
    assert "cmdstat_del" in calls


def test_redis_user_without_scripts_and_transactions_gets_an_error(redis: Server) -> None:
    user(redis, "poor", "+get +set")
    with cached(redis.url(1, "poor", PASSWORD)) as container:
        cache = container.cache()
        cache.set("counter", 1)
        with pytest.raises(NotSupportedError, match=r"\+eval"):
            cache.incr("counter")
        assert cache.get("counter") == 1
