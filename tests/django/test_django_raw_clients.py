"""Test raw clients of an alias's servers: `get_valkey_connection`, BASE_CLIENT_CLASS and `cache.client`."""

import asyncio
import os
from typing import Any, ClassVar

import pytest
import valkey
import valkey.asyncio
import valkey.asyncio.connection
import valkey.asyncio.sentinel
import valkey.sentinel
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import override_settings
from typing_extensions import override

from django_valkey import async_cache, container, get_valkey_connection
from django_valkey._raw.pools import shared
from django_valkey.async_cache.client import AsyncDefaultClient
from django_valkey.client import DefaultClient, HerdClient, SentinelClient
from django_valkey.pool import SentinelConnectionFactory
from dvcache import AsyncCache, Cache, ConfigurationWarning, NotSupportedError
from dvcache.pools.embedded.shared import SHARED
from tests.django.conftest import NAMED, Configure, connections
from tests.support.servers import Server
from tests.support.topologies import SentinelFleet, role

pytestmark = pytest.mark.usefixtures("raw_pools")

BACKENDS = ["django_valkey.cache.ValkeyCache", "django_valkey.async_cache.cache.AsyncValkeyCache"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_raw_client_has_the_alias_server_and_the_mode_of_the_function(
    backend: str, server: Server, configured: Configure
) -> None:
    async def asynchronous() -> None:
        for write in (True, False):
            raw = await async_cache.get_valkey_connection(write=write)
            assert type(raw) is valkey.asyncio.Valkey
            assert await raw.get("key") == b"it"

    server.raw("SET", "key", "it")
    with configured([server.url(), server.url()], BACKEND=backend, OPTIONS=NAMED):
        for write in (True, False):
            raw = get_valkey_connection("default", write=write)
            assert type(raw) is valkey.Valkey
            assert raw.get("key") == b"it"
        asyncio.run(asynchronous())


def test_raw_clients_share_one_pool_and_leave_nothing_behind_a_loop(server: Server, configured: Configure) -> None:
    async def twice() -> None:
        for _ in range(2):
            assert await (await async_cache.get_valkey_connection()).ping()
        assert connections(server) == 2

    with configured(server.url(), OPTIONS=NAMED):
        assert all(get_valkey_connection().ping() for _ in range(20))
        assert connections(server) == 1
        for _ in range(3):
            asyncio.run(twice())
            server.wait_until(lambda: connections(server) == 1)
        assert not shared.loops.living()
        get_valkey_connection().connection_pool.disconnect()


def test_event_loop_closed_without_cleanup_is_forgotten(server: Server, configured: Configure) -> None:
    async def once() -> None:
        assert await (await async_cache.get_valkey_connection()).ping()

    with configured(server.url(), OPTIONS=NAMED):
        for _ in range(3):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(once())
            loop.close()
        assert connections(server) <= 1
        asyncio.run(once())
        server.wait_until(lambda: connections(server) == 0)


@pytest.mark.parametrize("function", [get_valkey_connection, async_cache.get_valkey_connection])
def test_other_backends_have_no_raw_clients(function: Any) -> None:
    entry = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    with (
        override_settings(CACHES={"default": entry}),
        pytest.raises(NotImplementedError, match="This backend does not support this feature"),
    ):
        asyncio.run(found) if asyncio.iscoroutine(found := function("default")) else found


class Raw(valkey.Valkey):
    """A custom client with an argument of its own."""

    commands: ClassVar[list[str]] = []

    def __init__(self, *, team: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.team = team

    @override
    def execute_command(self, *args: Any, **options: Any) -> Any:
        self.commands.append(args[0])
        return super().execute_command(*args, **options)


class AsyncRaw(valkey.asyncio.Valkey):
    """The same for asynchronous code."""

    commands: ClassVar[list[str]] = []

    def __init__(self, *, team: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.team = team

    @override
    async def execute_command(self, *args: Any, **options: Any) -> Any:
        self.commands.append(args[0])
        return await super().execute_command(*args, **options)


def test_raw_client_is_of_the_custom_base_client(server: Server, configured: Configure) -> None:
    options = {"BASE_CLIENT_CLASS": f"{__name__}.Raw", "BASE_CLIENT_KWARGS": {"team": "shop"}}
    with configured(server.url(), OPTIONS=options):
        assert caches["default"].set("a", 1)
        raw = get_valkey_connection()
        assert isinstance(raw, Raw)
        assert raw.team == "shop"
        assert raw.get(":1:a") == b"1"
        assert Raw.commands == ["GET"]
        raw.connection_pool.disconnect()
        with pytest.raises(ImproperlyConfigured, match=r"OPTIONS\['BASE_CLIENT_CLASS'\]: names a class of synchronous"):
            asyncio.run(async_cache.get_valkey_connection())


def test_raw_client_is_of_the_async_custom_base_client(server: Server, configured: Configure) -> None:
    async def scenario() -> None:
        raw = await async_cache.get_valkey_connection()
        assert isinstance(raw, AsyncRaw)
        assert raw.team == "shop"
        assert await raw.ping()
        assert AsyncRaw.commands == ["PING"]

    options = {"BASE_CLIENT_CLASS": AsyncRaw, "BASE_CLIENT_KWARGS": {"team": "shop"}}
    with configured(server.url(), BACKEND=BACKENDS[1], OPTIONS=options):
        asyncio.run(scenario())


@pytest.mark.parametrize("wrong", ["mine.Client", "valkey.client.Valky", "valkey.connection.parse_url"])
def test_base_client_that_cannot_be_found_fails_when_the_cache_is_built(wrong: str, configured: Configure) -> None:
    with (
        configured("valkey://host", OPTIONS={"BASE_CLIENT_CLASS": wrong}),
        pytest.raises(ImproperlyConfigured) as caught,
    ):
        assert caches["default"]
    assert "OPTIONS['BASE_CLIENT_CLASS']" in str(caught.value)


@pytest.mark.parametrize("location", ["embedded://", "embedded:///3", "embedded://?db=3&client_name=raw"])
def test_raw_clients_reach_the_embedded_server(location: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHARED, f"{os.getppid()}:{server.path}")  # as in a child of its process
    with override_settings(CACHES={"default": {"BACKEND": BACKENDS[0], "LOCATION": location}}):
        cache = caches["default"]
        assert cache.set("apples", 3)

        async def there() -> object:
            return await (await async_cache.get_valkey_connection("default")).get(cache.make_key("apples"))

        assert get_valkey_connection("default").get(cache.make_key("apples")) == b"3" == asyncio.run(there())
        with get_valkey_connection("default").pipeline() as pipeline:
            assert cache.incr("apples", client=pipeline) is pipeline
            assert pipeline.execute() == [b"4"]


def test_memory_has_no_raw_clients() -> None:
    with override_settings(CACHES={"default": {"BACKEND": BACKENDS[0], "LOCATION": "memory://"}}):
        with pytest.raises(NotSupportedError, match="write embedded://"):
            get_valkey_connection("default")
        with pytest.raises(NotSupportedError, match="write embedded://"):
            asyncio.run(async_cache.get_valkey_connection("default"))


@pytest.mark.parametrize(
    ("backend", "client", "cls"),
    [
        (BACKENDS[0], None, DefaultClient),
        (BACKENDS[0], "django_valkey.client.DefaultClient", DefaultClient),
        (BACKENDS[0], "django_valkey.async_cache.client.AsyncDefaultClient", DefaultClient),
        (BACKENDS[0], DefaultClient, DefaultClient),
        (BACKENDS[1], None, AsyncDefaultClient),
        (BACKENDS[1], "django_valkey.client.default.DefaultClient", AsyncDefaultClient),
        (BACKENDS[1], AsyncDefaultClient, AsyncDefaultClient),
    ],
)
def test_client_is_the_configured_one_in_the_mode_of_the_backend(
    backend: str, client: object, cls: type, server: Server
) -> None:
    entry = {"BACKEND": backend, "LOCATION": server.url(), "OPTIONS": {"CLIENT_CLASS": client}, "KEY_PREFIX": "p"}
    with override_settings(CACHES={"default": entry}):
        cache = caches["default"]
        assert type(cache.client) is cls
        assert cache.client is cache.client
        assert cache.get_client_class() is cls
        if issubclass(cls, Cache):
            assert cache.client.set("a", 1)
            assert cache.get("a") == 1
            assert cache.client.get_client().get("p:1:a") == b"1"
            cache.client.disconnect()
        else:
            assert issubclass(cls, AsyncCache)

            async def scenario() -> None:
                assert await cache.client.set("a", 1)
                assert await cache.get("a") == 1
                raw = await cache.client.get_client(write=False)
                assert await raw.get("p:1:a") == b"1"
                await cache.client.disconnect(client=raw)

            asyncio.run(scenario())


def test_herd_client_has_the_herd_policy_with_djangos_timeout_setting() -> None:
    options = {"CLIENT_CLASS": "django_valkey.async_cache.client.AsyncHerdClient"}
    entry = {"BACKEND": BACKENDS[0], "LOCATION": "memory://", "OPTIONS": options}
    with override_settings(CACHES={"default": entry}, CACHE_HERD_TIMEOUT=20):
        assert type(caches["default"].client) is HerdClient
        herd = container().settings.herd
    assert herd is not None
    assert (herd.timeout, herd.lease, herd.wait) == (20_000, 20_000, 10.0)


@pytest.mark.parametrize(
    ("client", "factory"),
    [
        ("django_valkey.client.SentinelClient", None),
        ("django_valkey.async_cache.client.AsyncSentinelClient", "django_valkey.pool.ConnectionFactory"),
        ("django_valkey.client.SentinelClient", "django_valkey.async_cache.pool.AsyncSentinelConnectionFactory"),
        ("django_valkey.client.SentinelClient", "django_valkey.async_cache.client.default.AsyncDefaultClient"),
    ],
)
def test_sentinel_client_has_raw_clients_of_primary_and_replicas(
    client: str, factory: str | None, fleet: SentinelFleet
) -> None:
    options = {"CLIENT_CLASS": client, "SENTINELS": fleet.addresses}
    entry = {"BACKEND": BACKENDS[0], "LOCATION": "valkey://service_name/db", "OPTIONS": options}
    ports = {node.port: role(node) for node in fleet.replication("service_name").nodes}
    warned = factory is not None and ".client." in factory
    with override_settings(CACHES={"default": entry}, DJANGO_VALKEY_CONNECTION_FACTORY=factory):
        if warned:
            with pytest.warns(ConfigurationWarning, match="names a client"):
                cache = caches["default"]
        else:
            cache = caches["default"]
        assert isinstance(cache.client, SentinelClient)
        assert type(cache.client.connection_factory) is SentinelConnectionFactory
        for write, expected in ((True, "master"), (False, "slave")):
            raw = cache.client.get_client(write=write)
            assert ports[raw.info("server")["tcp_port"]] == expected
            cache.client.disconnect(client=raw)


def test_default_client_on_servers_has_raw_clients_of_each(server: Server) -> None:
    location = [server.url(1), server.url(2)]
    with override_settings(CACHES={"default": {"BACKEND": BACKENDS[0], "LOCATION": location}}):
        client = caches["default"].client
        assert [client.get_client(write=write).client_info()["db"] for write in (True, False)] == [1, 2]
        client.disconnect(0)
        client.disconnect(1)
        with pytest.raises(AttributeError, match="no attribute 'nothing'"):
            _ = client.nothing
