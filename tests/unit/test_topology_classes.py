"""Test which classes mean Sentinel, and which factory is used."""

import warnings
from typing import Any

import pytest
import valkey.asyncio.sentinel
import valkey.connection
import valkey.sentinel

from dvcache.errors import ConfigurationWarning
from tests.support.topology_entries import (
    BOTH,
    PAIR,
    PLAIN,
    SENTINEL,
    SENTINEL_CLIENT,
    SENTINELS,
    parsed,
    refused,
    roles,
)

ASYNC = "django_valkey.async_cache"


class SentinelClient:
    """A substitute for the adapter's class, with its module and name."""

    __module__ = "django_valkey.client.sentinel"


@pytest.mark.parametrize(
    "client",
    [
        SENTINEL_CLIENT,
        f" {SENTINEL_CLIENT} ",
        "django_valkey.client.sentinel.SentinelClient",
        f"{ASYNC}.client.AsyncSentinelClient",
        f"{ASYNC}.client.sentinel.AsyncSentinelClient",
        SentinelClient,
    ],
)
@pytest.mark.parametrize("factory", [None, PLAIN, SENTINEL, f"{ASYNC}.pool.AsyncConnectionFactory"])
def test_sentinel_client_of_either_mode_means_sentinel_with_any_factory(client: object, factory: str | None) -> None:
    assert roles(parsed("valkey://s/0", factory=factory, CLIENT_CLASS=client, SENTINELS=SENTINELS)) == BOTH


@pytest.mark.parametrize(
    "client",
    [
        None,
        "django_valkey.client.DefaultClient",
        "django_valkey.client.default.DefaultClient",
        f"{ASYNC}.client.AsyncDefaultClient",
        f"{ASYNC}.client.default.AsyncDefaultClient",
    ],
)
@pytest.mark.parametrize(
    "named",
    [
        {"CONNECTION_FACTORY": SENTINEL},
        {"CONNECTION_FACTORY": f"{ASYNC}.pool.AsyncSentinelConnectionFactory"},
        {"CONNECTION_POOL_CLASS": "valkey.sentinel.SentinelConnectionPool"},
        {"CONNECTION_POOL_CLASS": "valkey.asyncio.sentinel.SentinelConnectionPool"},
        {"CONNECTION_POOL_CLASS": valkey.sentinel.SentinelConnectionPool},
        {"CONNECTION_POOL_CLASS": valkey.asyncio.sentinel.SentinelConnectionPool},
        {"CONNECTION_POOL_CLASS": "valkey.sentinel.SentinelConnectionPool", "CONNECTION_FACTORY": PLAIN},
    ],
)
def test_default_client_is_on_sentinels_by_its_factory_or_its_pool(client: object, named: dict[str, Any]) -> None:
    assert roles(parsed(PAIR, CLIENT_CLASS=client, SENTINELS=SENTINELS, **named)) == BOTH


def test_factory_of_the_alias_takes_precedence_over_the_global_one() -> None:
    assert roles(parsed("valkey://s", factory=SENTINEL, SENTINELS=SENTINELS)) == ["s primary"]
    assert roles(parsed("valkey://a:1", factory=SENTINEL, CONNECTION_FACTORY=PLAIN)) == ["a primary"]
    assert roles(parsed("valkey://s", factory=PLAIN, CONNECTION_FACTORY=SENTINEL, SENTINELS=SENTINELS)) == ["s primary"]
    assert parsed("valkey://a:1", factory=PLAIN) == parsed("valkey://a:1")


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (SENTINEL_CLIENT, ["s primary"]),
        (f"{ASYNC}.client.sentinel.AsyncSentinelClient", ["s primary"]),
    ],
)
def test_client_named_as_the_factory_means_its_own_factory_and_warns_once(client: str, expected: list[str]) -> None:
    with pytest.warns(ConfigurationWarning, match="connection_factory .*names a client") as caught:
        assert roles(parsed("valkey://s", factory=client, SENTINELS=SENTINELS)) == expected
    assert len(caught) == 1
    with pytest.warns(ConfigurationWarning, match=r"cache 'pages': OPTIONS\['CONNECTION_FACTORY'\] names a client"):
        assert roles(parsed("valkey://s", CONNECTION_FACTORY=client, SENTINELS=SENTINELS)) == expected


@pytest.mark.parametrize(
    "client", ["client.DefaultClient", "client.herd.HerdClient", "async_cache.client.default.AsyncDefaultClient"]
)
def test_plain_client_as_the_global_factory_is_reported_once(
    client: str,
) -> None:
    factory = f"django_valkey.{client}"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            assert roles(parsed("valkey://a", factory=factory)) == ["a primary"]
    assert len(caught) == 1
    parsed("valkey://a", factory=factory, CONNECTION_FACTORY=PLAIN)


@pytest.mark.parametrize("client", ["client.HerdClient", "async_cache.client.herd.AsyncHerdClient"])
def test_herd_client_is_the_default_one_with_the_herd_policy(client: str) -> None:
    found = parsed("valkey://a", CLIENT_CLASS=f"django_valkey.{client}")
    assert found == parsed("valkey://a", HERD=True, PREFIX_HASHES=False)


@pytest.mark.parametrize("factory", ["mine.Factory", 7, "django_valkey.client.ShardClien"])
def test_wrong_global_factory_is_named(factory: object) -> None:
    assert refused("valkey://a", factory=factory).key == "connection_factory"


def test_cluster_uses_the_connection_arguments_of_its_client_as_defaults() -> None:
    kwargs = {"password": "s3cr3t", "socket_timeout": 2, "ssl": True, "read_from_replicas": True, "startup_nodes": None}
    settings = parsed("valkey://a", CLUSTER=True, BASE_CLIENT_KWARGS=kwargs)
    [node] = settings.endpoints
    assert (node.scheme, node.timeout, node.options) == ("valkeys", 2, {"password": "s3cr3t"})
    assert settings.read_from == "replica"
    named = parsed("valkey://a", CLUSTER=True, BASE_CLIENT_KWARGS=kwargs, PASSWORD="other", READ_FROM="primary")
    assert (named.endpoints[0].options, named.read_from) == ({"password": "other"}, "primary")
    [alone] = parsed("valkey://a", BASE_CLIENT_KWARGS=kwargs).endpoints
    assert (alone.scheme, alone.options) == ("valkey", {})
