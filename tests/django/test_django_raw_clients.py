"""Raw clients of an alias's server: `get_valkey_connection`, and BASE_CLIENT_CLASS."""

import asyncio
from typing import Any, ClassVar

import pytest
import valkey
import valkey.asyncio
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import override_settings
from typing_extensions import override

from django_valkey import async_cache, get_valkey_connection
from django_valkey.shared_pools import shared
from tests.django.conftest import NAMED, Configure, connections
from tests.servers import Server

pytestmark = pytest.mark.usefixtures("raw_pools")

BACKENDS = ["django_valkey.cache.ValkeyCache", "django_valkey.async_cache.cache.AsyncValkeyCache"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_raw_client_is_of_the_aliass_server_in_the_colour_of_the_function(
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
        assert not shared.keepers
        get_valkey_connection().connection_pool.disconnect()


def test_a_loop_that_is_closed_without_ceremony_is_forgotten(server: Server, configured: Configure) -> None:
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
def test_another_backend_has_no_raw_clients(function: Any) -> None:
    entry = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    with (
        override_settings(CACHES={"default": entry}),
        pytest.raises(NotImplementedError, match="This backend does not support this feature"),
    ):
        asyncio.run(found) if asyncio.iscoroutine(found := function("default")) else found


class Raw(valkey.Valkey):
    """A client of the project's own, with an argument of its own."""

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


def test_a_base_client_of_the_projects_own_is_what_raw_access_returns(server: Server, configured: Configure) -> None:
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


def test_an_asynchronous_base_client_of_the_projects_own_too(server: Server, configured: Configure) -> None:
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
def test_a_base_client_that_cannot_be_found_fails_as_the_cache_is_built(wrong: str, configured: Configure) -> None:
    with (
        configured("valkey://host", OPTIONS={"BASE_CLIENT_CLASS": wrong}),
        pytest.raises(ImproperlyConfigured) as caught,
    ):
        assert caches["default"]
    assert "OPTIONS['BASE_CLIENT_CLASS']" in str(caught.value)
