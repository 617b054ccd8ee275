"""How an alias is connected, and raw clients of its server: `get_valkey_connection`, credentials, TLS, timeouts."""

import asyncio
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
import valkey
import valkey.asyncio
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import override_settings
from typing_extensions import override

from django_valkey import async_cache, container, get_valkey_connection
from django_valkey.shared_pools import shared
from dvcache.errors import AuthenticationError, ConnectError, TransportError
from tests.django.conftest import NAMED, Configure, connections
from tests.drivers import OwnAsyncPool, OwnPool
from tests.servers import CACHE_USER, PASSWORD, Server, TlsProxy

pytestmark = pytest.mark.usefixtures("raw_pools")

BACKENDS = ["django_valkey.cache.ValkeyCache", "django_valkey.async_cache.cache.AsyncValkeyCache"]


# get_valkey_connection ----------------------------------------------------------------------------------------------


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


# BASE_CLIENT_CLASS --------------------------------------------------------------------------------------------------


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


# Credentials --------------------------------------------------------------------------------------------------------


class RotatingToken:
    """A token that another process changes: it is asked for each connection."""

    token: ClassVar[str] = ""
    asked: ClassVar[int] = 0

    def get_credentials(self) -> tuple[str, str]:
        type(self).asked += 1
        return "rotating", self.token


@pytest.fixture
def rotate(server: Server) -> Iterator[Any]:
    """A function that gives the user "rotating" another token on the server, and ends its connections."""

    def rotate(token: str) -> None:
        server.raw("ACL", "SETUSER", "rotating", "reset", "on", f">{token}", "~*", "+@all")
        server.raw("CLIENT", "KILL", "USER", "rotating")
        RotatingToken.token = token

    yield rotate
    server.raw("ACL", "DELUSER", "rotating")


OWN = {
    "lean": {},
    "own pool": {"CONNECTION_POOL_CLASS": OwnPool},
    "own asynchronous pool": {"CONNECTION_POOL_CLASS": OwnAsyncPool},
}


@pytest.mark.parametrize("provider", [RotatingToken, RotatingToken(), f"{__name__}.RotatingToken"])
@pytest.mark.parametrize("way", OWN)
def test_a_provider_of_credentials_is_asked_for_each_connection(
    way: str, provider: object, server: Server, configured: Configure, rotate: Any
) -> None:
    async def asynchronous(number: int) -> None:
        for token in ("fourth", "fifth"):
            rotate(token)
            assert await caches["default"].aset("b", number)
            assert await caches["default"].aget("b") == number

    with configured(server.url(), OPTIONS={**OWN[way], "CREDENTIAL_PROVIDER": provider}):
        if way != "own asynchronous pool":
            for number, token in enumerate(("first", "second", "third")):
                rotate(token)
                assert caches["default"].set("a", number)
                assert caches["default"].get("a") == number
        if way != "own pool":
            asyncio.run(asynchronous(7))
        RotatingToken.token = "expired"
        server.raw("CLIENT", "KILL", "USER", "rotating")
        with pytest.raises(AuthenticationError) as caught:
            asyncio.run(caches["default"].aget("a")) if way != "own pool" else caches["default"].get("a")
    assert "expired" not in f"{caught.value!r}"


def test_a_username_goes_with_its_password(server: Server, configured: Configure) -> None:
    for options in ({}, {"CONNECTION_POOL_CLASS": OwnPool}):
        with configured(server.url(), OPTIONS={**options, "USERNAME": CACHE_USER, "PASSWORD": PASSWORD}):
            assert caches["default"].set("a", 1)
            assert caches["default"].get("a") == 1
            users = re.findall(rb"user=(\w+)", server.raw("CLIENT", "LIST"))
            assert CACHE_USER.encode() in users
        with (
            configured(server.url(), OPTIONS={**options, "USERNAME": CACHE_USER, "PASSWORD": "wrong"}),
            pytest.raises(AuthenticationError),
        ):
            caches["default"].get("a")


# TLS ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mutual_tls(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsProxy]:
    """A proxy to whom clients must show a certificate."""
    with TlsProxy(shared_server.port, tmp_path_factory.mktemp("mutual"), client_certificate=True) as proxy:
        yield proxy


def secured(proxy: TlsProxy, way: str) -> tuple[str, dict[str, Any]]:
    """The query of the URL and CONNECTION_POOL_KWARGS of each documented way to say whom to trust."""
    ca = quote(str(proxy.ca_path), safe="")
    return {
        "ca_certs in the URL": (f"ssl_ca_certs={ca}", {}),
        "ca_certs": ("", {"ssl_ca_certs": str(proxy.ca_path)}),
        "ca_data": ("", {"ssl_ca_data": proxy.ca_path.read_text()}),
        "cert_reqs=none in the URL": ("ssl_cert_reqs=none", {}),
        "cert_reqs": ("", {"ssl_cert_reqs": ssl.CERT_NONE}),
        "check_hostname": (f"ssl_ca_certs={ca}&ssl_check_hostname=true", {}),
        "min_version": ("", {"ssl_ca_certs": str(proxy.ca_path), "ssl_min_version": ssl.TLSVersion.TLSv1_3}),
        "min_version in the URL": (f"ssl_ca_certs={ca}&ssl_min_version=TLSv1.2", {}),
        "ciphers": ("", {"ssl_ca_certs": str(proxy.ca_path), "ssl_ciphers": "ECDHE+AESGCM"}),
    }[way]


WAYS = ["ca_certs in the URL", "ca_certs", "ca_data", "cert_reqs=none in the URL", "cert_reqs", "check_hostname"]
WAYS += ["min_version", "min_version in the URL", "ciphers"]


async def both(key: str) -> None:
    assert caches["default"].set(key, "sync") is True
    assert await caches["default"].aget(key) == "sync"


@pytest.mark.parametrize("way", WAYS)
def test_every_documented_way_to_secure_a_connection_works(
    way: str, tls_proxy: TlsProxy, configured: Configure
) -> None:
    query, kwargs = secured(tls_proxy, way)
    url = f"valkeys://127.0.0.1:{tls_proxy.port}/1?{query}"
    with configured(url, OPTIONS={"CONNECTION_POOL_KWARGS": kwargs}):
        asyncio.run(both(way))
    with configured(url, OPTIONS={"CONNECTION_POOL_KWARGS": kwargs, "CONNECTION_POOL_CLASS": OwnPool}):
        assert caches["default"].get(way) == "sync"


@pytest.mark.parametrize("options", OWN.values(), ids=OWN)
def test_a_server_whose_certificate_is_not_trusted_is_refused(
    options: dict[str, Any], tls_proxy: TlsProxy, configured: Configure
) -> None:
    with configured(f"valkeys://127.0.0.1:{tls_proxy.port}", OPTIONS=options):
        if "CONNECTION_POOL_CLASS" not in options or options["CONNECTION_POOL_CLASS"] is OwnPool:
            with pytest.raises(ConnectError, match="certificate"):
                caches["default"].get("a")
        if options.get("CONNECTION_POOL_CLASS") is not OwnPool:
            with pytest.raises(ConnectError, match="certificate"):
                asyncio.run(caches["default"].aget("a"))


def test_a_clients_certificate_is_shown(mutual_tls: TlsProxy, configured: Configure) -> None:
    trusted = {"ssl_ca_certs": str(mutual_tls.ca_path)}
    shown = {**trusted, "ssl_certfile": str(mutual_tls.client_path), "ssl_keyfile": str(mutual_tls.client_path)}
    url = f"valkeys://127.0.0.1:{mutual_tls.port}/1"
    with configured(url, OPTIONS={"CONNECTION_POOL_KWARGS": shown}):
        asyncio.run(both("shown"))
    with configured(url, OPTIONS={"CONNECTION_POOL_KWARGS": trusted}), pytest.raises(TransportError):
        caches["default"].get("shown")


def test_a_version_of_tls_that_the_server_does_not_speak_is_refused(
    shared_server: Server, tmp_path: Path, configured: Configure
) -> None:
    with TlsProxy(shared_server.port, tmp_path) as proxy:
        assert proxy._tls is not None
        proxy._tls.maximum_version = ssl.TLSVersion.TLSv1_2
        query = f"ssl_ca_certs={quote(str(proxy.ca_path), safe='')}&ssl_min_version="
        with configured(f"valkeys://127.0.0.1:{proxy.port}?{query}TLSv1.3"), pytest.raises(ConnectError):
            caches["default"].get("a")
        with configured(f"valkeys://127.0.0.1:{proxy.port}?{query}TLSv1.2"):
            caches["default"].get("a")


# Timeouts -----------------------------------------------------------------------------------------------------------

TIMEOUTS: list[tuple[str, dict[str, Any], tuple[float | None, float | None]]] = [
    ("", {}, (5.0, 5.0)),
    ("", {"SOCKET_TIMEOUT": 2, "SOCKET_CONNECT_TIMEOUT": 1}, (2, 1)),
    ("?socket_timeout=3&socket_connect_timeout=1.5", {"SOCKET_TIMEOUT": 2}, (3.0, 1.5)),
    ("", {"SOCKET_TIMEOUT": 2, "CONNECTION_POOL_KWARGS": {"socket_timeout": None}}, (None, None)),
]


@pytest.mark.parametrize(("query", "options", "expected"), TIMEOUTS)
def test_the_timeouts_of_live_connections_are_those_of_the_settings(
    query: str,
    options: dict[str, Any],
    expected: tuple[float | None, float | None],
    server: Server,
    configured: Configure,
) -> None:
    with configured(f"{server.url()}{query}", OPTIONS={**options, "CONNECTION_POOL_CLASS": OwnPool}):
        caches["default"].get("a")
        pool: Any = caches["default"]._client.pool  # type: ignore[attr-defined]  # the wiring of this backend
        [connection] = pool._driven.pool._available_connections
        assert (connection.socket_timeout, connection.socket_connect_timeout) == expected
        assert connection._sock.gettimeout() == expected[0]
    with configured(f"{server.url()}{query}", OPTIONS=options):
        caches["default"].get("a")
        [endpoint] = container().settings.endpoints
        assert (endpoint.timeout, endpoint.connect_timeout) == expected
        lean: Any = caches["default"]._client.pool  # type: ignore[attr-defined]  # as above
        [lane] = lean._free
        assert lane._connection.socket_connect_timeout == expected[1]
        seconds = int.from_bytes(lane._sock.getsockopt(1, 20, 16)[:8], "little")  # SOL_SOCKET, SO_RCVTIMEO
        assert seconds == (0 if expected[0] is None else expected[0])


@pytest.mark.parametrize("name", ["SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_a_timeout_that_is_none_names_its_option(name: str, value: float, configured: Configure) -> None:
    with configured("valkey://host", OPTIONS={name: value}), pytest.raises(ImproperlyConfigured) as caught:
        assert caches["default"]
    assert str(caught.value).startswith(f"CACHES['default']: OPTIONS['{name}']: ")
    assert "a positive number of seconds" in str(caught.value)
