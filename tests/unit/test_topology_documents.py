"""Test the configurations of the documents, completed with a LOCATION and SENTINELS."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from dvcache.errors import ConfigurationWarning
from dvcache.settings import Settings
from tests.support.topology_entries import SENTINELS, roles

BACKEND, ASYNC_BACKEND = "django_valkey.cache.ValkeyCache", "django_valkey.async_cache.cache.AsyncValkeyCache"

ONE_FOR_ALL: Mapping[str, dict[str, Any]] = {
    "default": {
        "LOCATION": "valkey://service_name/db",
        "OPTIONS": {
            "CLIENT_CLASS": "django_valkey.client.SentinelClient",
            "SENTINELS": SENTINELS,
            "SENTINEL_KWARGS": {},
            "CONNECTION_POOL_CLASS": "valkey.sentinel.SentinelConnectionPool",
        },
    },
    "minimal": {
        "BACKEND": BACKEND,
        "LOCATION": "valkey://minimal_service_name/db",
        "OPTIONS": {"CLIENT_CLASS": "django_valkey.client.SentinelClient", "SENTINELS": SENTINELS},
    },
    "other": {
        "BACKEND": BACKEND,
        "LOCATION": [
            "valkey://other_service_name/db?is_master=1",
            "valkey://other_service_name/db?is_master=0",
        ],
        "OPTIONS": {"SENTINELS": SENTINELS},
    },
    "readonly": {
        "BACKEND": BACKEND,
        "LOCATION": "valkey://readonly_service_name/db?is_master=0",
        "OPTIONS": {"SENTINELS": SENTINELS},
    },
}
EACH_ITS_OWN: Mapping[str, dict[str, Any]] = {
    "sentinel": {
        "BACKEND": BACKEND,
        "LOCATION": "valkey://service_name/db",
        "OPTIONS": {
            "CLIENT_CLASS": "django_valkey.client.SentinelClient",
            "SENTINELS": SENTINELS,
            "CONNECTION_POOL_CLASS": "valkey.sentinel.SentinelConnectionPool",
            "CONNECTION_FACTORY": "django_valkey.pool.SentinelConnectionFactory",
        },
    },
    "default": {
        "BACKEND": BACKEND,
        "LOCATION": "valkey://127.0.0.1:6379/1",
        "OPTIONS": {"CLIENT_CLASS": "django_valkey.client.DefaultClient"},
    },
}
ASYNC_CLIENT: Mapping[str, Any] = {
    "BACKEND": "path.to.backend",
    "LOCATION": ["valkey://user:pass@127.0.0.1:6379"],
    "OPTIONS": {"CLIENT_CLASS": "django_valkey.async_cache.client.AsyncDefaultClient"},
}
ASYNC_SENTINEL: Mapping[str, Any] = {
    "BACKEND": ASYNC_BACKEND,
    "LOCATION": "valkey://service_name/db",
    "OPTIONS": {
        "CLIENT_CLASS": "django_valkey.client.SentinelClient",
        "SENTINELS": SENTINELS,
        "SENTINEL_KWARGS": {},
    },
}
ASYNC_FACTORY: Mapping[str, Any] = {
    "BACKEND": ASYNC_BACKEND,
    "LOCATION": "valkey://service_name/db",
    "OPTIONS": {
        "CONNECTION_FACTORY": "django_valkey.async_cache.pool.AsyncSentinelConnectionFactory",
        "SENTINELS": SENTINELS,
    },
}


def of_entry(entry: Mapping[str, Any], factory: object = None) -> Settings:
    before = deepcopy(entry)
    settings = Settings.parse(entry, connection_factory=factory)
    assert entry == before
    assert {endpoint.db for endpoint in settings.endpoints} <= {0, 1}
    return settings


@pytest.mark.parametrize(
    ("alias", "service", "expected", "read_only"),
    [
        ("default", "service_name", ["primary", "replica"], False),
        ("minimal", "minimal_service_name", ["primary", "replica"], False),
        ("other", "other_service_name", ["primary", "replica"], False),
        ("readonly", "readonly_service_name", ["primary", "replica"], True),
    ],
)
def test_documented_aliases_under_one_factory_are_accepted(
    alias: str, service: str, expected: list[str], *, read_only: bool
) -> None:
    settings = of_entry(ONE_FOR_ALL[alias], "django_valkey.pool.SentinelConnectionFactory")
    assert roles(settings) == [f"{service} {role}" for role in expected]
    assert settings.read_only is read_only
    assert all(endpoint.sentinels == tuple(SENTINELS) for endpoint in settings.endpoints)


def test_documented_mix_of_sentinel_and_plain_aliases_is_accepted() -> None:
    assert roles(of_entry(EACH_ITS_OWN["sentinel"])) == ["service_name primary", "service_name replica"]
    assert roles(of_entry(EACH_ITS_OWN["default"])) == ["127.0.0.1 primary"]


def test_documented_async_client_with_credentials_in_a_list_is_accepted() -> None:
    [endpoint] = of_entry(ASYNC_CLIENT).endpoints
    assert endpoint.options == {"username": "user", "password": "pass"}


def test_documented_async_aliases_on_sentinels_are_accepted() -> None:
    assert roles(of_entry(ASYNC_SENTINEL)) == ["service_name primary", "service_name replica"]
    assert roles(of_entry(ASYNC_FACTORY)) == ["service_name primary"]


@pytest.mark.parametrize("entry", [ASYNC_CLIENT, ASYNC_SENTINEL])
def test_documented_client_as_the_global_factory_changes_no_topology(entry: Mapping[str, Any]) -> None:
    with pytest.warns(ConfigurationWarning, match="connection_factory .*names a client"):
        settings = of_entry(entry, "django_valkey.async_cache.client.default.AsyncDefaultClient")
    assert settings == of_entry(entry)


def test_documented_factory_of_an_alias_precedes_the_global_factory() -> None:
    settings = of_entry(ASYNC_FACTORY, "django_valkey.async_cache.client.default.AsyncDefaultClient")
    assert roles(settings) == ["service_name primary"]


def test_sentinel_certificate_without_a_key_file_contains_its_key() -> None:
    kwargs = {"ssl": True, "ssl_certfile": "/a.pem"}
    options = {
        "CLIENT_CLASS": "django_valkey.client.SentinelClient",
        "SENTINELS": [("s", 1)],
        "SENTINEL_KWARGS": kwargs,
    }
    [endpoint, *_] = Settings.parse({"LOCATION": "valkey://service/0", "OPTIONS": options}).endpoints
    assert endpoint.sentinel_options["ssl_keyfile"] == "/a.pem"
