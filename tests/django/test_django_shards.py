"""Test shards under Django: every way to select them, and their raw clients."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import valkey
import valkey.asyncio
from django.core.cache import caches
from typing_extensions import override

import django_valkey
from django_valkey import async_cache
from django_valkey._config.alias_rules import wipes
from django_valkey.async_cache.client import AsyncShardClient
from django_valkey.client import ShardClient
from dvcache import Settings
from tests.django.conftest import NAMED, Configure, connections
from tests.support.shards import Shards

SYNC, ASYNC = "django_valkey.cache.ValkeyCache", "django_valkey.async_cache.cache.AsyncValkeyCache"
CLIENT, TWIN = "django_valkey.client.ShardClient", "django_valkey.async_cache.client.AsyncShardClient"
NAMES = [f"k{n}" for n in range(30)]

pytestmark = pytest.mark.usefixtures("raw_pools")


class Counting(ShardClient):
    """A custom client."""

    asked = 0

    @override
    def get(self, *args: Any, **kwargs: Any) -> Any:
        type(self).asked += 1
        return super().get(*args, **kwargs)


WAYS: list[tuple[str, dict[str, Any]]] = [
    *((backend, {"CLIENT_CLASS": client}) for backend in (SYNC, ASYNC) for client in (CLIENT, TWIN)),
    *((backend, {"SHARDED": True}) for backend in (SYNC, ASYNC)),
    *((backend, {"SHARDED": True, "HERD": True}) for backend in (SYNC, ASYNC)),
    (SYNC, {"CLIENT_CLASS": CLIENT, "HERD": True, "IGNORE_EXCEPTIONS": True}),
    (SYNC, {"CLIENT_CLASS": "django_valkey.client.HerdClient", "SHARDED": True}),
    (SYNC, {"CLIENT_CLASS": f"{__name__}.Counting"}),
]


@pytest.mark.parametrize(("backend", "options"), WAYS, ids=str)
def test_shards_are_all_reached_by_every_configuration(
    backend: str, options: dict[str, Any], shards: Shards, configured: Configure
) -> None:
    with configured(shards.urls, BACKEND=backend, OPTIONS=options):
        cache: Any = caches["default"]

        async def scenario() -> None:
            assert await cache.aset_many(dict.fromkeys(NAMES, 1)) == []
            assert await cache.aget_many(NAMES) == dict.fromkeys(NAMES, 1)
            if backend == ASYNC:
                assert sorted(await cache.keys("*")) == sorted(NAMES)

        asyncio.run(scenario())
        if backend == SYNC:
            assert cache.get_many(NAMES) == dict.fromkeys(NAMES, 1)
            assert sorted(cache.keys("*")) == sorted(NAMES)
        assert isinstance(cache.client, ShardClient if backend == SYNC else AsyncShardClient)
    assert all(shards.names())
    assert sum(map(len, shards.names())) == len(NAMES)


def test_shards_may_be_given_as_a_set_of_urls(shards: Shards, configured: Configure) -> None:
    with configured(set(shards.urls), OPTIONS={"CLIENT_CLASS": CLIENT}):
        assert caches["default"].set_many(dict.fromkeys(NAMES, 1)) == []
        assert sorted(caches["default"].client.connect()) == sorted(shards.urls)
    assert all(shards.names())


def test_overridden_method_is_used_by_every_operation_on_shards(shards: Shards, configured: Configure) -> None:
    Counting.asked = 0
    with configured(shards.urls, OPTIONS={"CLIENT_CLASS": f"{__name__}.Counting"}):
        cache: Any = caches["default"]
        assert cache.set_many(dict.fromkeys(NAMES, 1)) == []
        assert cache.get("k1") == 1
        assert cache.get_many(NAMES) == dict.fromkeys(NAMES, 1)
    assert Counting.asked == 1 + len(NAMES)


# raw clients ---------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[{"CLIENT_CLASS": CLIENT}, {"SHARDED": True}], ids=str)
def cache(request: pytest.FixtureRequest, shards: Shards, configured: Configure) -> Iterator[Any]:
    with configured(shards.urls, OPTIONS=request.param):
        yield caches["default"]


def test_raw_client_of_a_key_is_that_of_its_shard(cache: Any) -> None:
    cache.set_many({name: n for n, name in enumerate(NAMES)})
    for n, name in enumerate(NAMES):
        stored = cache.make_key(name)
        client = cache.client.get_client(key=stored)
        assert type(client) is valkey.Valkey
        assert client.get(stored) == str(n).encode()
        assert django_valkey.get_valkey_connection("default", key=stored).get(stored) == str(n).encode()
        assert cache.client.get_client(stored.encode()).exists(stored)


def test_shard_is_named_by_its_url(cache: Any, shards: Shards) -> None:
    clients = cache.client.connect()
    assert list(clients) == shards.urls
    names = [cache.client.get_server_name(cache.make_key(name)) for name in NAMES]
    assert {*names} == {*shards.urls}
    cache.set("k0", 1)
    assert clients[names[0]].exists(cache.make_key("k0"))
    assert cache.client.get_client_with_index(write=True)[0].connection_pool.connection_kwargs["db"] == 1


def test_async_raw_clients_are_found_in_the_same_way(cache: Any, shards: Shards) -> None:
    async def scenario() -> None:
        await cache.aset("k0", 7)
        stored = cache.make_key("k0")
        client = await async_cache.get_valkey_connection("default", key=stored)
        assert type(client) is valkey.asyncio.Valkey
        assert await client.get(stored) == b"7"
        async_client = cache.client.client_in("async")
        clients = await async_client.connect()
        assert list(clients) == shards.urls
        assert await clients[async_client.get_server_name(stored)].get(stored) == b"7"
        found, _ = await async_client.get_client_with_index(write=True)
        assert await found.ping()
        await async_client.disconnect()

    asyncio.run(scenario())


def test_connections_are_closed_on_every_shard_after_requests(shards: Shards, configured: Configure) -> None:
    options = {"CLIENT_CLASS": CLIENT, "CLOSE_CONNECTION": True, **NAMED}
    with configured(shards.urls, OPTIONS=options):
        cache: Any = caches["default"]
        cache.set_many(dict.fromkeys(NAMES, 1))
        for client in cache.client.connect().values():
            client.ping()
        assert [connections(server) for server in shards.servers] == [2, 2, 2]
        cache.close()
        shards.servers[0].wait_until(lambda: [connections(server) for server in shards.servers] == [0, 0, 0])
        assert cache.get("k0") == 1


def test_clear_empties_every_shard_and_is_known_to() -> None:
    one = Settings.parse({"LOCATION": ["valkey://a/1", "valkey://b/1"], "OPTIONS": {"SHARDED": True}}, alias="one")
    other = Settings.parse({"LOCATION": "valkey://b/1"}, alias="other")
    assert "CACHES['other'] (on valkey://b:6379/1) too" in wipes(one, [other])
    assert wipes(one, [Settings.parse({"LOCATION": "valkey://b/2"}, alias="other")]) == ""
