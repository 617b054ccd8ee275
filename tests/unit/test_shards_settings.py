"""Test which servers are shards, by class or by option, and what contradicts that."""

import re
from typing import Any

import pytest

from django_valkey.client import ShardClient
from dvcache.errors import ConfigurationWarning
from tests.support.topology_entries import SENTINEL, SENTINELS, parsed, refused

URLS = ["valkey://a/1", "valkey://b/1", "valkey://c/1"]
CLIENTS = [
    "django_valkey.client.ShardClient",
    "django_valkey.client.sharded.ShardClient",
    "django_valkey.async_cache.client.AsyncShardClient",
    "django_valkey.async_cache.client.sharded.AsyncShardClient",
]


class Client(ShardClient):
    """A custom client."""


class Further(Client):
    """A subclass of the custom client."""


@pytest.mark.parametrize("client", [*CLIENTS, ShardClient, Client, Further], ids=str)
def test_every_shard_client_means_shards(client: Any) -> None:
    found = parsed(URLS, CLIENT_CLASS=client)
    assert found.shards == tuple(URLS)
    assert [each.host for each in found.endpoints] == ["a", "b", "c"]
    assert found.placement == "ring"


@pytest.mark.parametrize("location", [URLS, tuple(URLS), set(URLS), ",".join(URLS), ", ".join(URLS), URLS[::-1]])
def test_every_url_is_a_shard_in_any_order(location: object) -> None:
    assert parsed(location, SHARDED=True) == parsed(URLS, SHARDED=True)


@pytest.mark.parametrize("name", ["READ_FROM", "REPLICA_READ_ONLY"])
def test_replica_options_have_no_effect_on_shards_and_a_warning(name: str) -> None:
    value = {"READ_FROM": "primary", "REPLICA_READ_ONLY": False}[name]
    with pytest.warns(ConfigurationWarning, match=rf"OPTIONS\['{name}'\] has no effect; shards have no replicas"):
        assert parsed(URLS, SHARDED=True, **{name: value}) == parsed(URLS, SHARDED=True)


def test_one_url_is_a_ring_of_one_shard() -> None:
    assert parsed("valkey://a/1", SHARDED=True).shards == ("valkey://a/1",)


def test_shard_names_with_passwords_are_not_shown() -> None:
    found = parsed(["valkey://:secret-1@a", "valkey://:secret-2@b"], SHARDED=True)
    assert found.shards == ("valkey://:secret-1@a", "valkey://:secret-2@b")
    assert "secret" not in repr(found)


def test_credentials_options_and_herd_apply_to_every_shard() -> None:
    found = parsed(URLS, SHARDED=True, PASSWORD="p", SOCKET_TIMEOUT=2, HERD=True)
    assert {(each.options["password"], each.timeout) for each in found.endpoints} == {("p", 2)}
    assert found.herd is not None


FALSE = "False contradicts the classes of shards; leave it out"
NO_SERVICE = "not a service of Sentinel.*'django_valkey.pool.ConnectionFactory'"
REFUSED: dict[str, tuple[object, dict[str, Any], str, str]] = {
    "a shard twice": (["valkey://a/1", "valkey://b/1", "valkey://a/1"], {}, "LOCATION", "URLs 1 and 3 .*once"),
    "a server twice": (["valkey://a/1", "redis://a:6379/1"], {}, "LOCATION", "URLs 1 and 2 name the same database"),
    "is_master": (["valkey://a?is_master=1", "valkey://b"], {}, "LOCATION", "is_master .*leave it out"),
    "a cluster": (URLS, {"CLUSTER": True}, "OPTIONS['SHARDED']", "distributes keys itself; choose one of them"),
    "a sentinel's factory": (
        "valkey://s/1",
        {"CONNECTION_FACTORY": "django_valkey.pool.SentinelConnectionFactory", "SENTINELS": SENTINELS},
        "OPTIONS['SHARDED']",
        NO_SERVICE,
    ),
    "sentinels": (URLS, {"SENTINELS": SENTINELS}, "OPTIONS['SENTINELS']", "no class of this alias selects Sentinel"),
}


@pytest.mark.parametrize("by_client", [True, False], ids=["client", "option"])
@pytest.mark.parametrize("case", REFUSED)
def test_options_that_contradict_shards_are_named_with_the_remedy(case: str, *, by_client: bool) -> None:
    location, options, key, reason = REFUSED[case]
    asked = {"CLIENT_CLASS": CLIENTS[0]} if by_client else {"SHARDED": True}
    error = refused(location, **asked, **options)
    assert error.key == key
    assert re.search(reason, error.reason)


def test_shards_option_may_not_contradict_the_client() -> None:
    assert refused(URLS, CLIENT_CLASS=CLIENTS[0], SHARDED=False).reason == FALSE


def test_global_sentinel_factory_contradicts_shards() -> None:
    assert re.search(NO_SERVICE, refused(URLS, factory=SENTINEL, SHARDED=True).reason)


def test_shard_client_named_as_a_factory_means_its_factory_and_no_shards() -> None:
    with pytest.warns(ConfigurationWarning, match="names a client"):
        assert parsed("valkey://a/1", CONNECTION_FACTORY=CLIENTS[0]).shards == ()


def test_list_of_urls_without_the_option_is_a_primary_and_its_replicas() -> None:
    assert parsed(URLS).shards == ()
    assert parsed(URLS).placement == "together"
