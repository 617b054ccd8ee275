"""Test custom connection factories: the operations of the cache use each overridden method."""

import asyncio
import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import valkey
import valkey.asyncio
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import override_settings

from django_valkey.base_pool import BaseConnectionFactory
from django_valkey.pool import ConnectionFactory, get_connection_factory
from dvcache import ConfigurationError, ConfigurationWarning
from tests.support.custom_caches import path
from tests.support.custom_factories import (
    OF,
    Counting,
    Factory,
    SentinelFactory,
)
from tests.support.servers import Server
from tests.support.topologies import SentinelFleet

BACKENDS = {"sync": "django_valkey.cache.ValkeyCache", "async": "django_valkey.async_cache.cache.AsyncValkeyCache"}
OVERRIDDEN = ["make_connection_params", "get_connection_pool", "get_or_create_connection_pool", "get_parser_cls"]


_NUMBERS = itertools.count()


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> Iterator[str]:
    Counting.name = f"own-factory-{next(_NUMBERS)}"
    Counting.calls.clear()
    Counting.pools.clear()
    yield request.param
    for pool in Counting.pools:
        if isinstance(pool, valkey.ConnectionPool):
            pool.disconnect()


def run(mode: str, use: Callable[[Any], Any], alias: str = "default") -> None:
    """Run a function of a cache, in async mode as a coroutine function."""
    if mode == "sync":
        for _ in use(caches[alias]):
            pass
        return

    async def scenario() -> None:
        for awaitable in use(caches[alias]):
            await awaitable

    asyncio.run(scenario())


def named(server: Any) -> int:
    """Return the number of the server's connections from this test's factories."""
    return sum(b" name=%b " % Counting.name.encode() in line for line in server.raw("CLIENT", "LIST").splitlines())


@pytest.mark.parametrize("way", ["OPTIONS", "the global setting", "the client's path", "a client as factory"])
def test_operations_use_every_method_of_a_custom_factory(way: str, mode: str, server: Server) -> None:
    factory, client, _ = OF[mode]
    options: dict[str, Any] = {
        "OPTIONS": {"CONNECTION_FACTORY": path(factory)},
        "the global setting": {},
        "the client's path": {"CLIENT_CLASS": path(client)},
        "a client as factory": {"CONNECTION_FACTORY": client},
    }[way]
    globally = factory if way == "the global setting" else None
    entry = {"BACKEND": BACKENDS[mode], "LOCATION": server.url(1), "OPTIONS": {**options, "CLOSE_CONNECTION": True}}

    def use(cache: Any) -> Iterator[Any]:
        yield cache.set("a", 1)
        yield cache.get_many(["a", "b"])
        assert named(server) == 1
        assert cache.client.connection_factory is cache.driver.factory
        assert Counting.pools[0].connection_kwargs["client_name"] == Counting.name
        before = Counting.calls.get("disconnect", 0)
        cache.close()
        if mode == "async":
            yield asyncio.sleep(0.05)
        assert Counting.calls["disconnect"] > before
        server.wait_until(lambda: named(server) == 0)
        yield cache.set("a", 2)

    with override_settings(CACHES={"default": entry}, DJANGO_VALKEY_CONNECTION_FACTORY=globally):
        if way == "a client as factory":
            with pytest.warns(ConfigurationWarning, match="names a client"):
                assert caches["default"]
        run(mode, use)
    assert {*OVERRIDDEN, "connect", "get_connection", "disconnect"} == Counting.calls.keys()
    assert len(Counting.pools) == 1
    assert server.raw("DBSIZE") == 0
    assert b"db1:keys=1" in server.raw("INFO", "keyspace")


def test_raw_clients_and_the_cache_share_the_pool_of_a_custom_factory(mode: str, server: Server) -> None:
    entry = {"BACKEND": BACKENDS[mode], "LOCATION": server.url(), "OPTIONS": {"CONNECTION_FACTORY": OF[mode][0]}}

    def use(cache: Any) -> Iterator[Any]:
        yield cache.set("a", 1)
        if mode == "sync":
            raw = cache.client.get_client()
            yield raw.get(":1:a")
            assert raw.connection_pool is Counting.pools[0]
        else:

            async def raw_access() -> None:
                raw = await cache.client.get_client()
                assert await raw.get(":1:a") == b"1"
                assert raw.connection_pool is Counting.pools[0]

            yield raw_access()
        assert len(Counting.pools) == 1

    with override_settings(CACHES={"default": entry}):
        run(mode, use)


@pytest.mark.parametrize("client", ["SentinelClient", "DefaultClient"])
def test_sentinel_factory_of_the_project_sends_commands_to_the_role(
    client: str, mode: str, fleet: SentinelFleet
) -> None:
    location: Any = "valkey://service_name/db"
    if client == "DefaultClient":
        location = [f"{location}?is_master=1", f"{location}?is_master=0"]
    options = {
        "CLIENT_CLASS": f"django_valkey.client.{client}",
        "CONNECTION_FACTORY": OF[mode][2],
        "SENTINELS": fleet.addresses,
    }
    entry = {"BACKEND": BACKENDS[mode], "LOCATION": location, "OPTIONS": options}
    nodes = fleet.replication("service_name").nodes
    primary = fleet.primary("service_name")

    def use(cache: Any) -> Iterator[Any]:
        yield cache.set("a", 1)
        yield cache.get("a")
        assert named(primary) == 1
        assert sum(map(named, nodes)) == 2

    with override_settings(CACHES={"default": entry}):
        run(mode, use)
    assert {*OVERRIDDEN, "connect", "get_connection"} <= Counting.calls.keys()
    assert len(Counting.pools) == 2
    assert {pool.is_master for pool in Counting.pools} == {True, False}


def test_factory_of_the_project_serves_one_mode_and_the_other_is_refused(server: Server) -> None:
    entry = {"BACKEND": BACKENDS["sync"], "LOCATION": server.url(), "OPTIONS": {"CONNECTION_FACTORY": Factory}}
    with override_settings(CACHES={"default": entry}):
        cache, key = caches["default"], r"OPTIONS\['CONNECTION_FACTORY'\]"
        assert cache.set("a", 1)
        with pytest.raises(
            ConfigurationError, match=r"CACHES\['default'\]: OPTIONS\['CONNECTION_FACTORY'\]: names a class"
        ):
            asyncio.run(cache.aget("a"))
        with pytest.raises(ImproperlyConfigured, match=f"{key}: names a class of synchronous"):
            cache.client_in("async").connection_factory  # noqa: B018  # found when it is asked for


@pytest.mark.usefixtures("raw_pools")
def test_forked_child_calls_the_factory_again(server: Server) -> None:
    entry = {"BACKEND": BACKENDS["sync"], "LOCATION": server.url(), "OPTIONS": {"CONNECTION_FACTORY": Factory}}
    with override_settings(CACHES={"default": entry}):
        cache: Any = caches["default"]
        assert cache.set("a", 1)
        pool = Counting.pools[-1]
        child = os.fork()
        if child == 0:
            raw = cache.client.get_client()
            right = cache.get("a") == 1 and raw.get(":1:a") == b"1"
            os._exit(0 if right and pool is not Counting.pools[-1] is raw.connection_pool else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert cache.get("a") == 1
        assert Counting.pools[-1] is pool


class Bare(BaseConnectionFactory[valkey.Valkey, valkey.ConnectionPool]):
    """A factory that inherits from the base alone."""

    path_pool_cls = "valkey.connection.ConnectionPool"
    path_base_cls = "valkey.client.Valkey"

    def connect(self, url: str) -> Any:
        return self.get_connection({**self.make_connection_params(url), "client_name": Counting.name})

    def get_connection(self, params: Any) -> Any:
        return self.base_client_cls(connection_pool=self.get_or_create_connection_pool(params))

    def disconnect(self, connection: Any) -> None:
        connection.connection_pool.disconnect()


class AsyncBare(BaseConnectionFactory[valkey.asyncio.Valkey, valkey.asyncio.ConnectionPool]):
    """The same for asynchronous code."""

    path_pool_cls = "valkey.asyncio.connection.ConnectionPool"
    path_base_cls = "valkey.asyncio.client.Valkey"

    async def connect(self, url: str) -> Any:
        params = {**self.make_connection_params(url), "client_name": Counting.name}
        return self.base_client_cls(connection_pool=self.get_or_create_connection_pool(params))

    async def disconnect(self, connection: Any) -> None:
        await connection.connection_pool.disconnect()


@pytest.mark.usefixtures("raw_pools")
def test_factory_may_inherit_from_the_base_alone(mode: str, server: Server) -> None:
    factory: Any = {"sync": Bare, "async": AsyncBare}[mode]

    def use(cache: Any) -> Iterator[Any]:
        yield cache.set("a", 1)
        assert named(server) == 1

    entry = {"BACKEND": BACKENDS[mode], "LOCATION": server.url(), "OPTIONS": {"CONNECTION_FACTORY": factory}}
    with override_settings(CACHES={"default": entry}):
        for _ in range(2):
            run(mode, use)
    if mode == "async":
        server.wait_until(lambda: named(server) == 0)


def test_factory_in_effect_is_found_as_the_cache_finds_it() -> None:
    plain = "django_valkey.pool.ConnectionFactory"
    assert type(get_connection_factory(plain, {})) is ConnectionFactory
    with override_settings(DJANGO_VALKEY_CONNECTION_FACTORY=path(Factory)):
        assert type(get_connection_factory(plain, {})) is Factory
        assert type(get_connection_factory(plain, {"CONNECTION_FACTORY": plain})) is ConnectionFactory
    with pytest.raises(ImproperlyConfigured, match="there is no module 'mine'"):
        get_connection_factory("mine.Factory", {})


@pytest.mark.parametrize(
    ("options", "key", "cure"),
    [
        ({"CONNECTION_FACTORY": "mine.Factory"}, "CONNECTION_FACTORY", "there is no module 'mine'"),
        ({"CONNECTION_FACTORY": dict}, "CONNECTION_FACTORY", "dict lacks connect and disconnect"),
        ({"CONNECTION_FACTORY": "django_valkey.pool.ConectionFactory"}, "CONNECTION_FACTORY", "did you mean"),
        (
            {
                "CONNECTION_FACTORY": Factory,
                "CLIENT_CLASS": "django_valkey.client.SentinelClient",
                "SENTINELS": [("h", 1)],
            },
            "CONNECTION_FACTORY",
            "inherit SentinelConnectionFactory",
        ),
        ({"CONNECTION_FACTORY": SentinelFactory}, "SENTINELS", "SENTINELS must be provided"),
    ],
)
def test_factory_that_cannot_serve_fails_when_the_cache_is_built(options: Any, key: str, cure: str) -> None:
    entry = {"BACKEND": BACKENDS["sync"], "LOCATION": "valkey://service", "OPTIONS": options}
    with override_settings(CACHES={"default": entry}), pytest.raises(ImproperlyConfigured) as caught:
        assert caches["default"]
    assert f"OPTIONS['{key}']" in str(caught.value)
    assert cure in str(caught.value)
