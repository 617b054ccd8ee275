"""Test connection arguments: each has an effect, or a warning with the remedy."""

import inspect
import socket
import warnings
from typing import Any

import pytest
import valkey.asyncio.connection as aio
import valkey.connection as sync

from dvcache import ConfigurationWarning, Settings
from dvcache.pools import connect
from dvcache.pools.sync_connection import SyncConnection
from dvcache.settings import connection_arguments
from dvcache.settings.ineffective_arguments import INEFFECTIVE
from dvcache.types import Endpoint
from tests.support.custom_pools import OwnPool
from tests.support.servers import Server

URL = "valkey://127.0.0.1:6379/0"
ON_SENTINELS = {"CLIENT_CLASS": "django_valkey.client.SentinelClient", "SENTINELS": [("127.0.0.1", 26379)]}
GIVEN: dict[str, Any] = {
    "retry": object(),
    "retry_on_error": [OSError],
    "retry_on_timeout": True,
    "cache_max_size": 10,
    "cache_ttl": 10,
    "cache_policy": "LRU",
    "cache_deny_list": ["GET"],
    "cache_allow_list": ["GET"],
    "encoding": "latin-1",
    "encoding_errors": "replace",
    "queue_class": list,
}
SERVED = {
    *("host", "port", "path", "db", "username", "password", "credential_provider", "client_name", "lib_name"),
    *("lib_version", "protocol", "socket_timeout", "socket_connect_timeout", "socket_keepalive", "socket_type"),
    *("socket_keepalive_options", "valkey_connect_func", "max_connections", "timeout", "is_master", "ssl"),
    *("health_check_interval", "socket_read_size"),
}
REFUSED = {
    *("decode_responses", "cache_enabled", "client_cache"),
    *("connection_class", "parser_class", "command_packer", "encoder_class"),
}
"""Arguments that are refused, or used by pools that valkey-py drives."""


def warning_texts(location: str = URL, **options: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Settings.parse({"LOCATION": location, "OPTIONS": options}, alias="pages")
    assert all(each.category is ConfigurationWarning for each in caught)
    return [str(each.message) for each in caught]


def test_connection_arguments_are_all_served_refused_or_warned_of() -> None:
    tls = {name for name in connection_arguments.accepted() if name.startswith("ssl_")}
    assert connection_arguments.accepted() == SERVED | REFUSED | INEFFECTIVE | tls


@pytest.mark.parametrize("name", sorted(INEFFECTIVE))
@pytest.mark.parametrize("place", ["CONNECTION_POOL_KWARGS", "SENTINEL_KWARGS"])
def test_argument_without_effect_has_a_warning_with_the_remedy(place: str, name: str) -> None:
    if place == "SENTINEL_KWARGS" and name == "queue_class":
        return
    sentinel = ON_SENTINELS if place == "SENTINEL_KWARGS" else {}
    location = "valkey://service/0" if sentinel else URL
    [message] = warning_texts(location, **{place: {name: GIVEN[name]}}, **sentinel)
    assert message.startswith("cache 'pages': ")
    assert f"{name} has no effect; " in message


def test_argument_without_effect_in_a_url_has_a_warning() -> None:
    [message] = warning_texts(f"{URL}?retry_on_timeout=true")
    assert "retry_on_timeout has no effect" in message
    assert warning_texts(f"{URL}?retry_on_timeout=false&encoding=utf-8") == []


def test_custom_classes_may_use_any_argument() -> None:
    assert warning_texts(CONNECTION_POOL_CLASS=OwnPool, CONNECTION_POOL_KWARGS={"retry_on_error": [OSError]}) == []


@pytest.mark.parametrize(("options", "size"), [({}, 65536), ({"socket_read_size": 10}, 10)])
def test_socket_read_size_is_the_buffer_size_of_a_sync_connection(
    options: dict[str, object], size: int, server: Server
) -> None:
    sync_connection = SyncConnection(Endpoint(host=server.host, port=server.port, options=options))
    sync_connection.open()
    assert len(sync_connection._buffer) == size
    assert sync_connection.exchange((("ECHO", "x" * 100),), 0.0) == [b"x" * 100]
    sync_connection.drop()


@pytest.mark.parametrize("make", [connect.connection, connect.async_connection])
def test_connections_do_not_retry_beyond_their_timeout(make: Any) -> None:
    options = {"retry_on_timeout": True, "health_check_interval": 1.0}
    made = make(Endpoint(options=options))
    assert (made.retry._retries, made.health_check_interval) == (0, 0)


@pytest.mark.parametrize("make", [connect.connection, connect.async_connection])
def test_tcp_keepalive_is_on_by_default(make: Any) -> None:
    usual = make(Endpoint())
    assert usual.socket_keepalive is True
    assert usual.socket_keepalive_options[socket.TCP_KEEPIDLE] == 30
    assert usual.socket_keepalive_options[socket.TCP_KEEPINTVL] == 5
    assert usual.socket_keepalive_options[socket.TCP_KEEPCNT] == 3
    own = make(Endpoint(options={"socket_keepalive_options": {socket.TCP_KEEPIDLE: 7}}))
    assert (own.socket_keepalive, own.socket_keepalive_options) == (True, {socket.TCP_KEEPIDLE: 7})
    assert make(Endpoint(options={"socket_keepalive": False})).socket_keepalive is False


@pytest.mark.parametrize("module", [sync, aio])
def test_every_certificate_argument_reaches_both_modes(module: Any) -> None:
    made = connect.bounded(module.SSLConnection)
    missing = inspect.signature(sync.SSLConnection).parameters.keys() - connect.parameters(made)
    assert {name for name in missing if "ocsp" not in name} == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cluster_error_retry_attempts", 5),
        ("reinitialize_steps", 3),
        ("require_full_coverage", True),
        ("retry", object()),
    ],
)
def test_cluster_argument_of_raw_clients_alone_has_a_warning(name: str, value: object) -> None:
    [message] = warning_texts(CLUSTER=True, BASE_CLIENT_KWARGS={name: value})
    assert f"{name} has an effect on raw clients only; " in message
    assert warning_texts(CLUSTER=True, BASE_CLIENT_KWARGS={"read_from_replicas": True, "socket_timeout": 2}) == []
