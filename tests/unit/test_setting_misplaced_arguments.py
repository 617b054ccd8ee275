"""Test settings: a connection argument in the wrong place is an error that names the right one."""

import warnings
from typing import Any

import pytest
from valkey import Valkey

from dvcache.settings import Settings
from dvcache.settings.connection_arguments import accepted
from dvcache.settings.schema import KEYS
from tests.support.settings_entries import URL, Greedy, of_options, parsed, refused, refused_option

DATABASE = "write it in the URL of LOCATION, as in 'valkey://host:6379/3'"
OF_CLIENTS = {"single_connection_client", "connection_pool", "charset", "errors"}
"""Arguments of valkey-py's client that do not concern the server."""
ARGUMENTS = sorted((accepted() | {*Valkey.__init__.__code__.co_varnames[1:50]} | {"user", "url"}) - OF_CLIENTS)
ARGUMENTS = [name for name in ARGUMENTS if name in accepted() or name in {"unix_socket_path", "user", "url"}]


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("DB", DATABASE),
        ("db", DATABASE),
        ("Db", DATABASE),
        ("DATABASE", DATABASE),
        ("HOST", "write it in the URL of LOCATION"),
        ("port", "write it in the URL of LOCATION"),
        ("UNIX_SOCKET_PATH", "unix:///run/valkey.sock"),
        ("ssl", "write valkeys:// instead of valkey://"),
        ("TLS", "write valkeys:// instead of valkey://"),
        ("user", "it belongs in OPTIONS['USERNAME']"),
        ("password", "did you mean PASSWORD?"),
        ("Socket_Timeout", "did you mean SOCKET_TIMEOUT?"),
        ("sentinels", "did you mean SENTINELS?"),
        ("MAX_CONNECTIONS", "it belongs in OPTIONS['CONNECTION_POOL_KWARGS']"),
        ("ssl_cert_reqs", "it belongs in OPTIONS['CONNECTION_POOL_KWARGS']"),
        ("SSL_CA_CERTS", "it belongs in OPTIONS['CONNECTION_POOL_KWARGS']"),
        ("pool_class", "it belongs in OPTIONS['CONNECTION_POOL_CLASS']"),
        ("LOCATION", "it belongs in the entry itself"),
        ("location", "it belongs in the entry itself"),
        ("CONNECTION_POOL_CLASS_KWARGS", "it belongs in OPTIONS['CONNECTION_POOL_KWARGS']"),
        ("REDIS_CLIENT_KWARGS", "it belongs in OPTIONS['BASE_CLIENT_KWARGS']"),
    ],
)
@pytest.mark.parametrize("serializer", [None, Greedy])
def test_connection_argument_in_options_is_refused(name: str, cure: str, serializer: Any) -> None:
    error = refused_option(**{name: "s3cr3t", "SERIALIZER": serializer})
    assert error.key == f"OPTIONS[{name!r}]"
    assert cure in str(error)
    assert "s3cr3t" not in str(error)


@pytest.mark.parametrize("name", [*ARGUMENTS, "sentinels", "sentinel_kwargs", "cluster", "credential_provider"])
@pytest.mark.parametrize("change", [str.lower, str.upper, str.title])
def test_connection_arguments_are_ignored_in_no_place_or_case(name: str, change: Any) -> None:
    if name != "timeout":  # also the lifetime of an entry
        for written in {change(name)} - {"SENTINELS", "SENTINEL_KWARGS", "CLUSTER", "CREDENTIAL_PROVIDER"}:
            if written not in {"USERNAME", "PASSWORD", "SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT", "PARSER_CLASS"}:
                assert refused_option(**{written: 1}).key == f"OPTIONS[{written!r}]"
        assert refused({"LOCATION": URL, change(name): 1}).key == change(name)


@pytest.mark.parametrize(
    ("key", "cure"),
    [
        ("PASSWORD", "it belongs in OPTIONS['PASSWORD']"),
        ("password", "it belongs in OPTIONS['PASSWORD']"),
        ("USER", "it belongs in OPTIONS['USERNAME']"),
        ("DB", DATABASE),
        ("SSL", "write valkeys://"),
        ("SOCKET_TIMEOUT", "it belongs in OPTIONS['SOCKET_TIMEOUT']"),
        ("CONNECTION_POOL_KWARGS", "it belongs in OPTIONS['CONNECTION_POOL_KWARGS']"),
        ("CLIENT_CLASS", "it belongs in OPTIONS['CLIENT_CLASS']"),
        ("SENTINELS", "it belongs in OPTIONS['SENTINELS']"),
        ("DEADLINE", "it belongs in OPTIONS['DEADLINE']"),
        ("client_name", "it belongs in OPTIONS['CONNECTION_POOL_KWARGS']"),
    ],
)
def test_connection_argument_at_the_top_of_an_entry_is_refused(key: str, cure: str) -> None:
    error = refused({"LOCATION": URL, key: "s3cr3t", "OPTIONS": {"SERIALIZER": Greedy}})
    assert error.key == key
    assert cure in str(error)
    assert "s3cr3t" not in str(error)


def test_connection_argument_of_none_is_as_if_left_out() -> None:
    assert parsed(DB=None, OPTIONS={"DB": None}) == parsed()


def test_entry_keys_are_no_misplaced_arguments() -> None:
    assert not [key for key in KEYS if key.lower() in accepted() - {"timeout"}]


def test_connection_factory_of_the_project_may_read_such_options() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        factory = "tests.unit.test_setting_custom_pools.Factory"
        assert of_options(CONNECTION_FACTORY=factory, DB=3).endpoints
        assert Settings.parse({"LOCATION": URL, "OPTIONS": {"DB": 3}}, connection_factory=factory).endpoints


@pytest.mark.parametrize("option", ["CONNECTION_POOL_KWARGS", "BASE_CLIENT_KWARGS"])
def test_connection_argument_in_upper_case_is_refused_among_arguments(option: str) -> None:
    error = refused_option(**{option: {"DB": 3}, "CLUSTER": True})
    assert error.key == f"OPTIONS[{option!r}]"
    assert "did you mean db?" in str(error)
    own = {"CONNECTION_POOL_KWARGS": {"DB": 3, "connection_class": "tests.support.custom_pools.OwnConnection"}}
    assert "did you mean db?" in str(refused_option(**own))


@pytest.mark.parametrize(
    ("url", "arguments"),
    [
        ("valkey://h/1", {"db": 3}),
        ("valkey://h?db=1", {"db": 3}),
        ("valkey://h", {"host": "other"}),
        ("valkey://h:1", {"port": 2}),
        ("valkey://h", {"path": "/run/valkey.sock"}),
        ("unix:///run/valkey.sock", {"ssl": True}),
        ("unix:///run/valkey.sock", {"host": "h"}),
        ("unix:///run/valkey.sock", {"path": "/run/other.sock"}),
    ],
)
def test_pool_argument_that_contradicts_the_url_is_refused(url: str, arguments: dict[str, Any]) -> None:
    error = refused({"LOCATION": url, "OPTIONS": {"CONNECTION_POOL_KWARGS": arguments}})
    assert error.key == "OPTIONS['CONNECTION_POOL_KWARGS']"
    assert f"{next(iter(arguments))} contradicts LOCATION" in str(error)


@pytest.mark.parametrize(
    ("url", "arguments", "expected"),
    [
        ("valkey://h", {"db": 3}, ("valkey", "h", 6379, 3)),
        ("valkey://h/3", {"db": 3}, ("valkey", "h", 6379, 3)),
        ("valkey://h", {"port": 7, "ssl": True}, ("valkeys", "h", 7, 0)),
        ("valkey://", {"host": "h"}, ("valkey", "h", 6379, 0)),
        ("memory://name/2", {"ssl": True, "port": 7, "path": "/x"}, ("memory", "name", 7, 2)),
        ("embedded:///1", {"ssl": True, "max_connections": 3}, ("embedded", "", 6379, 1)),
    ],
)
def test_pool_argument_is_used_if_the_url_does_not_say(
    url: str, arguments: dict[str, Any], expected: tuple[object, ...]
) -> None:
    [endpoint] = parsed(url, OPTIONS={"CONNECTION_POOL_KWARGS": arguments}).endpoints
    assert (endpoint.scheme, endpoint.host, endpoint.port, endpoint.db) == expected
