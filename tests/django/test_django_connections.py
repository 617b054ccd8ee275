"""Test the credentials and the timeouts of an alias's connections."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured

from django_valkey import container
from dvcache.errors import AuthenticationError
from tests.django.conftest import Configure
from tests.support.custom_pools import POOL_OPTIONS, OwnPool
from tests.support.servers import CACHE_USER, PASSWORD, Server


class RotatingToken:
    """A token changed by another process; it is read for each connection."""

    token: ClassVar[str] = ""
    asked: ClassVar[int] = 0

    def get_credentials(self) -> tuple[str, str]:
        type(self).asked += 1
        return "rotating", self.token


def pool_of(cache: Any) -> Any:
    """Return the pool of a backend on one server, below the client that limits losses if there is one."""
    client = cache._client
    return getattr(client, "client", client).routing.only


@pytest.fixture
def rotate(server: Server) -> Iterator[Any]:
    """Return a function that changes the token of the user "rotating" on the server, and closes its connections."""

    def rotate(token: str) -> None:
        server.raw("ACL", "SETUSER", "rotating", "reset", "on", f">{token}", "~*", "+@all")
        server.raw("CLIENT", "KILL", "USER", "rotating")
        RotatingToken.token = token

    yield rotate
    server.raw("ACL", "DELUSER", "rotating")


@pytest.mark.parametrize("provider", [RotatingToken, RotatingToken(), f"{__name__}.RotatingToken"])
@pytest.mark.parametrize("way", POOL_OPTIONS)
def test_credential_provider_is_called_for_each_connection(
    way: str, provider: object, server: Server, configured: Configure, rotate: Any
) -> None:
    async def asynchronous(number: int) -> None:
        for token in ("fourth", "fifth"):
            rotate(token)
            assert await caches["default"].aset("b", number)
            assert await caches["default"].aget("b") == number

    with configured(server.url(), OPTIONS={**POOL_OPTIONS[way], "CREDENTIAL_PROVIDER": provider}):
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


def test_username_is_sent_with_its_password(server: Server, configured: Configure) -> None:
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


TIMEOUTS: list[tuple[str, dict[str, Any], tuple[float | None, float | None]]] = [
    ("", {}, (5.0, 5.0)),
    ("", {"SOCKET_TIMEOUT": 2, "SOCKET_CONNECT_TIMEOUT": 1}, (2, 1)),
    ("?socket_timeout=3&socket_connect_timeout=1.5", {"SOCKET_TIMEOUT": 2}, (3.0, 1.5)),
    ("", {"SOCKET_TIMEOUT": 2, "CONNECTION_POOL_KWARGS": {"socket_timeout": None}}, (None, None)),
]


@pytest.mark.parametrize(("query", "options", "expected"), TIMEOUTS)
def test_timeouts_of_live_connections_are_those_of_the_settings(
    query: str,
    options: dict[str, Any],
    expected: tuple[float | None, float | None],
    server: Server,
    configured: Configure,
) -> None:
    with configured(f"{server.url()}{query}", OPTIONS={**options, "CONNECTION_POOL_CLASS": OwnPool}):
        caches["default"].get("a")
        pool: Any = pool_of(caches["default"])
        [connection] = pool._sourced.pool._available_connections
        assert (connection.socket_timeout, connection.socket_connect_timeout) == expected
        assert connection._sock.gettimeout() == expected[0]
    with configured(f"{server.url()}{query}", OPTIONS=options):
        caches["default"].get("a")
        [endpoint] = container().settings.endpoints
        assert (endpoint.timeout, endpoint.connect_timeout) == expected
        lean: Any = pool_of(caches["default"])
        [sync_connection] = lean._free
        assert sync_connection._connection.socket_connect_timeout == expected[1]
        seconds = int.from_bytes(sync_connection._sock.getsockopt(1, 20, 16)[:8], "little")  # SOL_SOCKET, SO_RCVTIMEO
        assert seconds == (0 if expected[0] is None else expected[0])


@pytest.mark.parametrize("name", ["SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_timeout_of_none_names_its_option(name: str, value: float, configured: Configure) -> None:
    with configured("valkey://host", OPTIONS={name: value}), pytest.raises(ImproperlyConfigured) as caught:
        assert caches["default"]
    assert str(caught.value).startswith(f"CACHES['default']: OPTIONS['{name}']: ")
    assert "a positive number of seconds" in str(caught.value)
