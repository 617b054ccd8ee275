"""Test sentinels and services: addresses, credentials, and errors that name the fault."""

from copy import deepcopy
from typing import Any

import pytest
import valkey.asyncio.sentinel
import valkey.connection
import valkey.sentinel

from dvcache.errors import ConfigurationWarning
from dvcache.settings import Settings
from dvcache.types import Endpoint
from tests.support.topology_entries import (
    PLAIN,
    SENTINEL,
    SENTINEL_CLIENT,
    SENTINELS,
    Provider,
    parsed,
    refused,
    roles,
    watched,
)


def test_sentinel_service_keeps_its_case_and_credentials() -> None:
    settings = watched(
        "valkeys://u:p%40@My-Service.Name_1/3?socket_timeout=2&ssl_cert_reqs=none",
        SENTINEL_KWARGS={"username": "v", "password": "q", "socket_timeout": 0.5, "min_other_sentinels": 1},
        CONNECTION_POOL_KWARGS={"max_connections": 4},
    )
    assert settings.endpoints == (
        Endpoint(
            alias="pages",
            scheme="valkeys",
            host="",
            db=3,
            max_connections=4,
            timeout=2.0,
            connect_timeout=2.0,
            service="My-Service.Name_1",
            sentinels=tuple(SENTINELS),
            options={"username": "u", "password": "p@", "ssl_cert_reqs": "none"},
            sentinel_options={"username": "v", "password": "q", "socket_timeout": 0.5, "min_other_sentinels": 1},
        ),
    )
    assert settings.endpoints[0].name == "valkeys://My-Service.Name_1/3?role=primary"
    assert "p@" not in repr(settings)
    assert "'q'" not in repr(settings)


def test_ssl_pool_argument_secures_the_nodes_and_not_the_sentinels() -> None:
    [endpoint] = watched("valkey://s", CONNECTION_POOL_KWARGS={"ssl": True}).endpoints
    assert (endpoint.scheme, endpoint.sentinel_options) == ("valkeys", {})
    [endpoint] = watched("valkey://s", SENTINEL_KWARGS={"ssl": True, "ssl_cert_reqs": "none"}).endpoints
    assert (endpoint.scheme, endpoint.sentinel_options) == ("valkey", {"ssl": True, "ssl_cert_reqs": "none"})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((("h", 1), ["h", "2"]), (("h", 1), ("h", 2))),
        ([("h", 1), ("h", 1)], (("h", 1),)),
        ([("::1", 1)], (("::1", 1),)),
    ],
)
def test_sentinels_are_hosts_and_ports(given: object, expected: object) -> None:
    assert watched("valkey://s", SENTINELS=given).endpoints[0].sentinels == expected


def test_given_settings_are_never_changed_and_never_shared() -> None:
    entry: dict[str, Any] = {
        "LOCATION": ["valkey://s?is_master=0"],
        "OPTIONS": {"CLIENT_CLASS": SENTINEL_CLIENT, "SENTINELS": [["h", 1]], "SENTINEL_KWARGS": {"password": "p"}},
    }
    before = deepcopy(entry)
    settings = Settings.parse(entry)
    assert entry == before
    entry["OPTIONS"]["SENTINELS"][0].clear()
    entry["OPTIONS"]["SENTINEL_KWARGS"].clear()
    assert settings == Settings.parse(before)


DOCUMENTED = (
    "Settings DJANGO_VALKEY_CONNECTION_FACTORY or CACHE[].OPTIONS.CONNECTION_POOL_CLASS is not configured correctly."
)


@pytest.mark.parametrize(
    "given",
    [
        *(None, [], (), {}, "", "h:26379", 7, ["h:26379"], ("h", 26379), [("h",)], [("h", 1, 2)], [(1, "h")]),
        *([("h", None)], [("h", 1.5)], [("", 1)], [("valkey://h", 1)], [("h:1", 1)], [("u@h", 1)], {("h", 1)}),
    ],
)
@pytest.mark.parametrize("named", [{"CLIENT_CLASS": SENTINEL_CLIENT}, {"CONNECTION_FACTORY": SENTINEL}])
def test_sentinel_needs_a_list_of_hosts_and_ports(given: object, named: dict[str, Any]) -> None:
    error = refused("valkey://s", SENTINELS=given, **named)
    assert error.key == "OPTIONS['SENTINELS']"
    assert "SENTINELS must be provided as a list of (host, port)." in str(error)
    assert "[('127.0.0.1', 26379)]" in str(error)


@pytest.mark.parametrize("port", [0, 70000, True, "x", -1])
def test_sentinel_port_must_be_a_port(port: object) -> None:
    error = refused("valkey://s", CLIENT_CLASS=SENTINEL_CLIENT, SENTINELS=[("h", port)])
    assert error.key == "OPTIONS['SENTINELS']"
    assert "port must be a number from 1 to 65535" in str(error)


@pytest.mark.parametrize(
    ("named", "factory"),
    [
        ({}, PLAIN),
        ({"CLIENT_CLASS": "django_valkey.client.DefaultClient"}, None),
        ({"CLIENT_CLASS": "django_valkey.client.DefaultClient"}, PLAIN),
        ({"CONNECTION_FACTORY": PLAIN}, None),
    ],
)
def test_sentinels_beside_classes_of_single_servers_are_refused(named: dict[str, Any], factory: str | None) -> None:
    error = refused("valkey://s", factory=factory, SENTINELS=SENTINELS, **named)
    assert error.key == "OPTIONS['SENTINELS']"
    assert f"set OPTIONS['CLIENT_CLASS'] = '{SENTINEL_CLIENT}'" in str(error)
    assert f"OPTIONS['CONNECTION_FACTORY'] = '{SENTINEL}'" in str(error)
    assert refused("valkey://a", SENTINEL_KWARGS={"password": "p"}, **named).key == "OPTIONS['SENTINEL_KWARGS']"
    assert parsed("valkey://a", SENTINELS=[], SENTINEL_KWARGS={}, **named) == parsed("valkey://a", **named)


@pytest.mark.parametrize(
    "pool",
    [
        "valkey.connection.ConnectionPool",
        "valkey.asyncio.connection.BlockingConnectionPool",
        valkey.connection.BlockingConnectionPool,
    ],
)
@pytest.mark.parametrize("named", [{"CLIENT_CLASS": SENTINEL_CLIENT}, {"CONNECTION_FACTORY": SENTINEL}])
def test_pool_without_sentinel_support_is_the_documented_error(pool: object, named: dict[str, Any]) -> None:
    error = refused("valkey://s", SENTINELS=SENTINELS, CONNECTION_POOL_CLASS=pool, **named)
    assert error.key == "OPTIONS['CONNECTION_POOL_CLASS']"
    assert DOCUMENTED in str(error)
    assert "valkey.sentinel.SentinelConnectionPool" in str(error)


@pytest.mark.parametrize("location", ["valkey://127.0.0.1:6379/1", "memory://", "valkey://h/1"])
def test_plain_alias_under_a_global_sentinel_factory_must_name_its_own(location: str) -> None:
    error = refused(location, factory=SENTINEL)
    assert error.key == "OPTIONS['SENTINELS']"
    assert "the global connection factory selects Sentinel" in str(error)
    assert f"set OPTIONS['CONNECTION_FACTORY'] = '{PLAIN}'" in str(error)
    assert "global connection factory" not in str(refused(location, factory=SENTINEL, CLIENT_CLASS=SENTINEL_CLIENT))
    assert parsed(location, factory=SENTINEL, CONNECTION_FACTORY=PLAIN) == parsed(location)


@pytest.mark.parametrize("name", ["127.0.0.1", "10.0.0.1", "1", "127.0.0.1.", "cache.example.com"])
@pytest.mark.parametrize("path", ["", "/0", "/db", "/a/b"])
def test_service_may_be_named_like_an_address(name: str, path: str) -> None:
    for settings in (
        watched(f"valkey://{name}{path}"),
        parsed(f"valkey://{name}{path}", factory=SENTINEL, SENTINELS=SENTINELS),
    ):
        assert {(each.service, each.db) for each in settings.endpoints} == {(name, 0)}


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("valkey://127.0.0.1:6379/0", "the URL names a server"),
        ("valkey://[::1]/0", "the URL names a server"),
        ("valkey://localhost/0", "the URL names a server"),
        ("valkey://service:6379/0", "the URL names a server"),
        ("valkey://sentinel-1:26379/0", "the URL names a server"),
        (["valkey://s/0", "valkey://10.0.0.1:6379/0"], "the URL names a server"),
        ("valkey:///0", "the URL names no service"),
        ("unix:///run/valkey.sock", "unix:// cannot be reached through sentinels"),
        ("memory://s", "memory:// cannot be reached through sentinels"),
    ],
)
def test_node_address_in_place_of_a_service_name_is_named(location: object, reason: str) -> None:
    error = refused(location, CLIENT_CLASS=SENTINEL_CLIENT, SENTINELS=SENTINELS)
    assert error.key == "LOCATION"
    assert reason in str(error)
    assert "'valkey://service_name/0'" in str(error)
    error = refused(location, factory=SENTINEL, SENTINELS=SENTINELS)
    assert f"set OPTIONS['CONNECTION_FACTORY'] = '{PLAIN}'" in str(error)


@pytest.mark.parametrize(
    ("kwargs", "reason"),
    [
        ({"pasword": "s3cr3t"}, "did you mean password?"),  # codespell:ignore pasword
        ({"password": 7}, "password must be text"),
        ({"socket_timeout": 0}, "socket_timeout must be a positive number"),
        ({"host": "h"}, "host has no effect on sentinels"),
        ({"db": 1}, "db has no effect on sentinels"),
        ({"min_other_sentinels": -1}, "min_other_sentinels must be a whole number"),
        ({"ssl_cert_reqs": "none"}, "write 'ssl': True as well"),
        ({"credential_provider": Provider(), "password": "s3cr3t"}, "exclude each other"),
        ({7: 1}, "7 is not a connection argument"),
        ([], "must be a mapping"),
    ],
)
def test_sentinel_arguments_are_those_of_a_connection(kwargs: Any, reason: str) -> None:
    error = refused("valkey://s", CLIENT_CLASS=SENTINEL_CLIENT, SENTINELS=SENTINELS, SENTINEL_KWARGS=kwargs)
    assert error.key == "OPTIONS['SENTINEL_KWARGS']"
    assert reason in str(error)
    assert "s3cr3t" not in str(error)


@pytest.mark.parametrize(
    ("location", "options", "expected"),
    [
        ("valkey://s/0", {}, ["s primary"]),
        ("valkey://s/db", {"READ_FROM": "primary"}, ["s primary"]),
        ("valkey://s/0", {"READ_FROM": "replica"}, ["s primary", "s replica"]),
        ("valkey://s/0?is_master=0", {}, ["s primary", "s replica"]),
        (["valkey://s/0?is_master=1", "valkey://t/0?is_master=0"], {}, ["s primary", "t replica"]),
        ("valkey://s/0", {"HERD": True, "SERIALIZER": "dvcache.serializers.JSONSerializer"}, ["s primary"]),
        ("valkey://s/0", {"CONNECTION_POOL_CLASS": "valkey.sentinel.SentinelConnectionPool"}, ["s primary"]),
        ("valkey://s/0", {"CONNECTION_POOL_KWARGS": {"max_connections": 4}}, ["s primary"]),
    ],
)
def test_sentinels_alone_select_sentinel(location: object, options: dict[str, Any], expected: list[str]) -> None:
    settings = parsed(location, SENTINELS=SENTINELS, **options)
    assert roles(settings) == expected
    assert {each.sentinels for each in settings.endpoints} == {tuple(SENTINELS)}


def test_is_master_of_a_single_url_goes_before_read_from() -> None:
    with pytest.warns(ConfigurationWarning, match=r"OPTIONS\['READ_FROM'\] has no effect"):
        assert roles(parsed("valkey://s?is_master=1", SENTINELS=SENTINELS, READ_FROM="replica")) == ["s primary"]


def test_factory_of_sentinel_reads_replicas_with_read_from() -> None:
    assert roles(watched("valkey://s")) == ["s primary"]
    assert roles(watched("valkey://s", READ_FROM="replica")) == ["s primary", "s replica"]


@pytest.mark.parametrize(
    "named", [{"CLUSTER": True}, {"SHARDED": True}, {"CONNECTION_POOL_CLASS": "valkey.ConnectionPool"}]
)
def test_sentinels_beside_another_topology_are_an_error_without_a_class(named: dict[str, Any]) -> None:
    error = refused("valkey://s", SENTINELS=SENTINELS, **named)
    assert error.key == "OPTIONS['SENTINELS']"
    assert "without CLUSTER, SHARDED or a class for single servers, or leave SENTINELS out" in str(error)


def test_sentinel_kwargs_without_sentinels_are_an_error() -> None:
    assert "set SENTINELS" in str(refused("valkey://a", SENTINEL_KWARGS={"password": "p"}))
    assert parsed("valkey://a", SENTINELS=[], SENTINEL_KWARGS={}) == parsed("valkey://a")
