"""Test settings: a CACHES entry is parsed once, completely, and stays unchanged."""

import math
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from dvcache.compressors import IdentityCompressor, ZlibCompressor
from dvcache.serializers import JSONSerializer, PickleSerializer
from dvcache.settings import Settings
from dvcache.types import Endpoint
from tests.support.settings_entries import URL, parsed, refused

ENTRIES = "tests.support.settings_entries"


def test_entry_with_a_location_alone_has_djangos_defaults() -> None:
    settings = Settings.parse({"LOCATION": URL})
    assert settings == Settings(
        endpoints=(Endpoint(host="127.0.0.1", db=1),),
        serializer=PickleSerializer(),
        compressor=IdentityCompressor(),
    )
    assert settings.timeout == 300


def shout(key: str, prefix: str, version: int) -> str:
    return f"{prefix}!{version}!{key}"


def whisper(stored: str) -> str:
    return stored.rpartition("!")[2]


def test_entry_with_all_keys_is_parsed_completely() -> None:
    settings = Settings.parse(
        {
            "BACKEND": "django_valkey.cache.ValkeyCache",
            "LOCATION": [URL],
            "TIMEOUT": 60,
            "KEY_PREFIX": "app",
            "VERSION": "2",
            "KEY_FUNCTION": shout,
            "REVERSE_KEY_FUNCTION": whisper,
            "max_entries": 300,
            "cull_frequency": 3,
            "OPTIONS": {
                "CLIENT_CLASS": "django_valkey.client.DefaultClient",
                "CONNECTION_FACTORY": "django_valkey.pool.ConnectionFactory",
                "CONNECTION_POOL_CLASS": "valkey.connection.ConnectionPool",
                "CONNECTION_POOL_KWARGS": {"max_connections": 7, "health_check_interval": 30},
                "BASE_CLIENT_CLASS": "valkey.client.Valkey",
                "BASE_CLIENT_KWARGS": {},
                "PARSER_CLASS": "valkey.connection.DefaultParser",
                "USERNAME": "u",
                "PASSWORD": "p",
                "SOCKET_TIMEOUT": 2,
                "SOCKET_CONNECT_TIMEOUT": 0.5,
                "SERIALIZER": "dvcache.serializers.json.JSONSerializer",
                "COMPRESSOR": "dvcache.compressors.zlib.ZlibCompressor",
                "COMPRESS_LEVEL": 9,
                "COMPRESS_MIN_LENGTH": 100,
                "REPLICA_READ_ONLY": True,
                "IGNORE_EXCEPTIONS": True,
                "LOG_IGNORE_EXCEPTIONS": 1,
                "RAISE_UNDECODABLE": True,
                "CLOSE_CONNECTION": False,
                "CLEAR_SCOPE": "prefix",
                "SCAN_COUNT": 50,
                "MAX_ENTRIES": 5,
                "CULL_FREQUENCY": "3",
            },
        },
        alias="pages",
        default_marker=shout,
    )
    [endpoint] = settings.endpoints
    assert settings == Settings(
        alias="pages",
        endpoints=(endpoint,),
        timeout=60,
        key_prefix="app",
        version=2,
        key_function=shout,
        reverse_key_function=whisper,
        serializer=JSONSerializer(),
        compressor=ZlibCompressor(9),
        compress_min_length=100,
        scan_count=50,
        clear_scope="prefix",
        prefixed_hashes=False,
        ignore_exceptions=True,
        log_ignored_exceptions=True,
        raise_undecodable=True,
        default_marker=shout,
    )
    assert endpoint == Endpoint(
        alias="pages",
        host="127.0.0.1",
        db=1,
        max_connections=7,
        timeout=2.0,
        connect_timeout=0.5,
        options={"username": "u", "password": "p", "health_check_interval": 30.0},
    )


@pytest.mark.parametrize(
    ("options", "prefixed"),
    [
        ({}, True),
        ({"CLIENT_CLASS": None}, True),
        ({"CLIENT_CLASS": "django_valkey.client.HashClient"}, True),
        ({"CLIENT_CLASS": "django_valkey.async_cache.client.default.AsyncHashClient"}, True),
        ({"CLIENT_CLASS": "django_valkey.client.DefaultClient"}, False),
        ({"CLIENT_CLASS": "django_valkey.async_cache.client.AsyncHerdClient"}, False),
        ({"CLIENT_CLASS": "django_valkey.client.DefaultClient", "PREFIX_HASHES": True}, True),
        ({"CLIENT_CLASS": "django_valkey.client.HashClient", "PREFIX_HASHES": False}, False),
    ],
)
def test_hashes_are_named_as_django_valkeys_client_names_them(options: Any, prefixed: bool) -> None:
    assert Settings.parse({"LOCATION": URL, "OPTIONS": options}).prefixed_hashes is prefixed


def test_given_settings_are_never_changed_and_never_shared() -> None:
    entry: dict[str, Any] = {
        "LOCATION": [URL],
        "OPTIONS": {
            "SERIALIZER": f"{ENTRIES}.Greedy",
            "CONNECTION_POOL_KWARGS": {"socket_keepalive_options": {1: 2}},
            "PASSWORD": None,
        },
    }
    before = deepcopy(entry)
    [endpoint] = Settings.parse(entry).endpoints
    assert entry == before
    entry["OPTIONS"]["CONNECTION_POOL_KWARGS"]["socket_keepalive_options"].clear()
    assert endpoint.options == {"socket_keepalive_options": {1: 2}}
    with pytest.raises(TypeError):
        endpoint.options["password"] = "p"  # type: ignore[index]  # the test is that it cannot


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(0.5, 0.5), (60, 60), ("60", 60), ("0.5", 0.5), (None, None), (0, 0), (-1, -1), (timedelta(minutes=1), 60.0)],
)
def test_timeout_keeps_its_fraction(given: object, seconds: float | None) -> None:
    assert parsed(TIMEOUT=given).timeout == seconds
    assert parsed(timeout=given, TIMEOUT=7).timeout == seconds


@pytest.mark.parametrize("given", [math.nan, "nan", "soon", "", True, [1]])
def test_timeout_that_is_no_number_is_refused(given: object) -> None:
    assert refused({"LOCATION": URL, "TIMEOUT": given}).key == "TIMEOUT"


@pytest.mark.parametrize("given", [True, None, 1.5, "one"])
def test_version_is_an_integer(given: object) -> None:
    assert refused({"LOCATION": URL, "VERSION": given}).key == "VERSION"
    assert parsed(VERSION=0).version == 0
    assert parsed(VERSION="3").version == 3


def test_prefix_is_text() -> None:
    assert refused({"LOCATION": URL, "KEY_PREFIX": 7}).key == "KEY_PREFIX"


def test_functions_are_found_by_dotted_path() -> None:
    assert parsed(KEY_FUNCTION=f"{__name__}.shout").key_function is shout
    assert refused({"LOCATION": URL, "KEY_FUNCTION": 7}).key == "KEY_FUNCTION"
    assert "did you mean JSONDecoder?" in str(refused({"LOCATION": URL, "KEY_FUNCTION": "json.JSONDecodr"}))


@pytest.mark.parametrize("entry", [None, [], "valkey://h", {"LOCATION": URL, "OPTIONS": []}, {7: 1, "LOCATION": URL}])
def test_entry_and_its_options_are_mappings_of_names(entry: Any) -> None:
    refused(entry)
