"""Test attributes assigned to a cache object: they apply to every method, as in Django's own caches."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import pytest
from django.core.cache import caches

from tests.django.conftest import Configure
from tests.support.servers import Server

SYNC: Final = "django_valkey.cache.ValkeyCache"
ASYNC: Final = "django_valkey.async_cache.cache.AsyncValkeyCache"


def stored(server: Server) -> set[str]:
    return {key.decode() for key in server.raw("KEYS", "*")}


WRITES: Final[dict[str, tuple[Any, ...]]] = {
    "set": ("k", 1),
    "add": ("k", 1),
    "get_or_set": ("k", 1),
    "set_many": ({"k": 1},),
    "mset": ({"k": 1},),
    "sadd": ("k", "v"),
    "lpush": ("k", "v"),
    "zadd": ("k", {"v": 1}),
}


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_assigned_prefix_and_version_apply_to_writes(on_server: Server, name: str, asynchronous: bool) -> None:
    cache: Any = caches["default"]
    cache.set("k", "old")
    cache.key_prefix, cache.version = "w1", 7
    if asynchronous:
        asyncio.run(getattr(cache, f"a{name}")(*WRITES[name]))
    else:
        getattr(cache, name)(*WRITES[name])
    assert stored(on_server) == {":1:k", "w1:7:k"}


READS: Final[dict[str, Callable[[Any], object]]] = {
    "get": lambda cache: cache.get("k"),
    "has_key": lambda cache: cache.has_key("k") or None,
    "get_many": lambda cache: cache.get_many(["k"]).get("k"),
    "ttl": lambda cache: cache.ttl("k") or None,
    "keys": lambda cache: cache.keys("*") or None,
    "iter_keys": lambda cache: list(cache.iter_keys("*")) or None,
    "delete": lambda cache: cache.delete("k") or None,
    "delete_many": lambda cache: cache.delete_many(["k"]) or None,
    "delete_pattern": lambda cache: cache.delete_pattern("*") or None,
    "touch": lambda cache: cache.touch("k") or None,
    "client.get": lambda cache: cache.client.get("k"),
    "client.keys": lambda cache: cache.client.keys("*") or None,
    "client.delete_pattern": lambda cache: cache.client.delete_pattern("*") or None,
    "lock": lambda cache: cache.get_lock("k").locked() or None,
    "client.lock": lambda cache: cache.client.get_lock("k").locked() or None,
}


class OwnClient:
    """Base of a custom client, made once Django is set up."""


def own_client() -> str:
    from django_valkey.client import DefaultClient  # noqa: PLC0415  # reads settings

    class Own(DefaultClient):
        def get(self, *args: Any, **kwargs: Any) -> Any:
            return super().get(*args, **kwargs)

    Own.__qualname__, Own.__module__ = "Own", __name__
    globals()["Own"] = Own
    return f"{__name__}.Own"


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("attribute", ["key_prefix", "version", "key_func"])
def test_assigned_names_apply_to_reads_and_patterns(
    server: Server, configured: Configure, name: str, own: bool, attribute: str
) -> None:
    values = {
        "key_prefix": "w1",
        "version": 7,
        "key_func": lambda key, prefix, version: f"own-{prefix}-{version}-{key}",
    }
    with configured(server.url(), OPTIONS={"CLIENT_CLASS": own_client()} if own else {}):
        cache: Any = caches["default"]
        cache.get("k")
        before = getattr(cache, attribute)
        cache.set("k", "value")
        setattr(cache, attribute, values[attribute])
        assert READS[name](cache) is None
        assert cache.make_key("k") != ":1:k"
        assert cache.client.make_key("k") == cache.make_key("k")
        assert stored(server) == {":1:k"}
        setattr(cache, attribute, before)
        assert READS[name](cache) is not None


def test_assigned_timeout_applies_to_writes(on_server: Server) -> None:
    cache: Any = caches["default"]
    for timeout in (50, None, 0):
        cache.default_timeout = timeout
        for name, arguments in list(WRITES.items())[:5]:
            cache.clear()
            getattr(cache, name)(*arguments)
            asyncio.run(getattr(cache, f"a{name}")(*arguments))
            left = on_server.raw("TTL", ":1:k")
            assert left == {50: left if 40 < left <= 50 else "wrong", None: -1, 0: -2}[timeout], name


def test_assigned_names_outlive_a_request_and_belong_to_one_object(on_server: Server) -> None:
    cache: Any = caches["default"]
    cache.key_prefix = "w1"
    cache.close()
    cache.set("k", 1)
    assert stored(on_server) == {"w1:1:k"}
    other: Any = caches.create_connection("default")
    other.set("k", 1)
    assert stored(on_server) == {"w1:1:k", ":1:k"}
    asyncio.run(cache.aclose())
    assert asyncio.run(cache.aget("k")) == 1
    assert cache.incr_version("k") == 2
    assert stored(on_server) == {"w1:2:k", ":1:k"}


def test_assigned_names_limit_clear(server: Server, configured: Configure) -> None:
    with configured(server.url(), OPTIONS={"CLEAR_SCOPE": "prefix"}, KEY_PREFIX="a"):
        cache: Any = caches["default"]
        cache.set("k", 1)
        cache.key_prefix = "b"
        cache.set("k", 1)
        cache.clear()
        assert stored(server) == {"a:1:k"}


def test_assigned_names_apply_to_an_async_cache(server: Server, configured: Configure) -> None:
    async def scenario() -> None:
        cache: Any = caches["default"]
        cache.key_prefix, cache.version = "w1", 2
        await cache.set("k", 1)
        await cache.aset("l", 1)
        async with cache.get_lock("m", timeout=60):
            assert stored(server) == {"w1:2:k", "w1:2:l", "w1:2:m"}
        assert [key async for key in cache.iter_keys("*")]
        assert await cache.delete_pattern("*") == 2

    with configured(server.url(), BACKEND=ASYNC):
        asyncio.run(scenario())


def test_assigned_prefix_applies_to_a_custom_cache_class(server: Server, configured: Configure) -> None:
    from django_valkey.cache import ValkeyCache  # noqa: PLC0415  # reads settings

    class Worker(ValkeyCache):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.key_prefix = "worker"

        def get(self, *args: Any, **kwargs: Any) -> Any:
            return super().get(*args, **kwargs)

        def make_key(self, *args: Any, **kwargs: Any) -> Any:
            return super().make_key(*args, **kwargs)

    globals()["Worker"] = Worker
    Worker.__module__, Worker.__qualname__ = __name__, "Worker"
    with configured(server.url(), BACKEND=f"{__name__}.Worker"):
        cache: Any = caches["default"]
        cache.set("k", 1)
        assert cache.get("k") == 1
        assert asyncio.run(cache.aget("k")) == 1
        assert stored(server) == {"worker:1:k"}
        assert cache.keys("*") == ["k"]
        assert cache.delete_pattern("*") == 1


def test_view_has_its_own_prefix_version_and_timeout(configured: Configure) -> None:
    with configured("memory://views", KEY_PREFIX="p", TIMEOUT=60):
        cache: Any = caches["default"]
        view = cache.with_options(timeout=None, prefix="q", version=3)
        view.set("a", 1)
        assert (view.make_key("a"), view.ttl("a"), view.key_prefix, view.version) == ("q:3:a", None, "q", 3)
        assert (cache.get("a"), cache.make_key("a"), cache.default_timeout) == (None, "p:1:a", 60)
        assert view.client.get("a") == 1
        again = view.with_options(timeout=5)
        assert (again.get("a"), again.touch("a"), again.ttl("a")) == (1, True, 5)
        assert asyncio.run(again.aget("a")) == 1
