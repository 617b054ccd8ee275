"""Test errors of replicas and sentinels: wrong settings fail at the start, and servers that are down are named."""

import asyncio
import socket
import time
from contextlib import ExitStack
from typing import Any, Final

import pytest
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import override_settings

from django_valkey.exceptions import ConfigurationError
from dvcache import ConnectError
from dvcache.types import Address
from tests.support.servers import free_port, wait_until
from tests.support.topologies import SentinelFleet

BACKENDS = pytest.mark.parametrize("backend", ["cache.ValkeyCache", "async_cache.cache.AsyncValkeyCache"])
SENTINELS: Final = [("sentinel-1", 26379)]
CLIENT: Final = {"CLIENT_CLASS": "django_valkey.client.SentinelClient"}
FACTORY: Final = "django_valkey.pool.SentinelConnectionFactory"
PLAIN_FACTORY: Final = "set OPTIONS['CONNECTION_FACTORY'] = 'django_valkey.pool.ConnectionFactory'"

WRONG: Final[dict[str, tuple[str, dict[str, Any], object, str, str]]] = {
    "no sentinels": (
        "valkey://s/db",
        CLIENT,
        None,
        "OPTIONS['SENTINELS']",
        "SENTINELS must be provided as a list of (host, port).",
    ),
    "sentinels that nothing asks": (
        "valkey://s/db",
        {"SENTINELS": SENTINELS},
        None,
        "OPTIONS['SENTINELS']",
        "set OPTIONS['CLIENT_CLASS'] = 'django_valkey.client.SentinelClient'",
    ),
    "a pool that asks none": (
        "valkey://s/db",
        {**CLIENT, "SENTINELS": SENTINELS, "CONNECTION_POOL_CLASS": "valkey.connection.ConnectionPool"},
        None,
        "OPTIONS['CONNECTION_POOL_CLASS']",
        "Settings DJANGO_VALKEY_CONNECTION_FACTORY or CACHE[].OPTIONS.CONNECTION_POOL_CLASS is not configured",
    ),
    "a plain alias under a global sentinel factory": (
        "valkey://127.0.0.1:6379/1",
        {},
        FACTORY,
        "OPTIONS['SENTINELS']",
        PLAIN_FACTORY,
    ),
    "a node's address for a service": (
        "valkey://127.0.0.1:6379/0",
        {**CLIENT, "SENTINELS": SENTINELS},
        None,
        "LOCATION",
        "the URL names a server, but Sentinel needs a service name",
    ),
    "a node's address under a global sentinel factory": (
        "valkey://127.0.0.1:6379/0",
        {"SENTINELS": SENTINELS},
        FACTORY,
        "LOCATION",
        PLAIN_FACTORY,
    ),
    "a global factory that is none": (
        "valkey://127.0.0.1:6379/0",
        {},
        "shop.Factory",
        "DJANGO_VALKEY_CONNECTION_FACTORY",
        "there is no module 'shop'",
    ),
}


@BACKENDS
@pytest.mark.parametrize(("location", "options", "factory", "key", "cure"), WRONG.values(), ids=WRONG)
def test_wrong_topology_fails_when_the_cache_is_built(  # noqa: PLR0917  # a row of the table
    backend: str, location: str, options: dict[str, Any], factory: object, key: str, cure: str
) -> None:
    entry = {"BACKEND": f"django_valkey.{backend}", "LOCATION": location, "OPTIONS": options}
    with override_settings(CACHES={"shop": entry}, DJANGO_VALKEY_CONNECTION_FACTORY=factory):
        with pytest.raises(ImproperlyConfigured) as caught:
            caches["shop"]
        assert isinstance(caught.value, ConfigurationError)
        assert (caught.value.alias, caught.value.key) == ("shop", key)
        assert str(caught.value).startswith(f"CACHES['shop']: {key}: ")
        assert cure in str(caught.value)


def test_factory_of_an_alias_takes_precedence_over_the_global_one() -> None:
    entry = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": "valkey://127.0.0.1:6379/0"}
    own = {"OPTIONS": {"CONNECTION_FACTORY": "django_valkey.pool.ConnectionFactory"}}
    with override_settings(CACHES={"default": {**entry, **own}}, DJANGO_VALKEY_CONNECTION_FACTORY=FACTORY):
        assert not caches["default"].is_on_sentinels


# At run time ---------------------------------------------------------------------------------------------------------

CONNECT_TIMEOUT: Final = 2.0


def check_failures(addresses: list[Address], reason: str, service: str = "service_name") -> None:
    """Check that a read and a write fail in both modes, at the latest after the connect timeout."""
    options = {**CLIENT, "SENTINELS": addresses, "SOCKET_CONNECT_TIMEOUT": CONNECT_TIMEOUT}
    entry = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": f"valkey://{service}/db", "OPTIONS": options}
    with override_settings(CACHES={"shop": entry}):
        cache = caches["shop"]
        for operation in (
            lambda: cache.set("a", 1),
            lambda: cache.get("a"),
            lambda: asyncio.run(cache.aset("a", 1)),
            lambda: asyncio.run(cache.aget("a")),
        ):
            started = time.monotonic()
            with pytest.raises(ConnectError) as caught:
                operation()
            assert time.monotonic() - started < CONNECT_TIMEOUT * 1.5
            assert caught.value.alias == "shop"
            said = str(caught.value)
            assert f"the service {service!r}" in said
            assert all(f"127.0.0.1:{port}" in said for _, port in addresses)
            assert reason in said


def test_sentinel_service_that_is_unknown_is_named_with_the_known_ones(fleet: SentinelFleet) -> None:
    fleet.replication("service_name")
    check_failures(fleet.addresses, "'service_name'", service="unknown")


def test_sentinels_that_are_all_down_are_named() -> None:
    check_failures([("127.0.0.1", free_port()) for _ in range(3)], "none of them answers")


@pytest.mark.full("waits for slow and hung servers")
def test_sentinels_that_all_hang_are_named() -> None:
    with ExitStack() as exits:
        hanging = [exits.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        check_failures([each.getsockname() for each in hanging], "none of them answers")


def test_sentinel_service_without_a_primary_is_named(fleet: SentinelFleet) -> None:
    """One sentinel of three has no majority to promote a replica."""
    primary = fleet.primary("service_name")
    last, *others = fleet.sentinels
    for sentinel in others:
        sentinel.kill()
    for node in fleet.replication("service_name").nodes:
        node.kill()
    wait_until(lambda: b"s_down" in b",".join(last.raw("SENTINEL", "MASTER", "service_name")))
    assert primary.state == "down"
    check_failures(fleet.addresses, "no primary is available")
