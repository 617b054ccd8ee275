"""Test `Settings.of`: settings by keyword, the same as those of a CACHES entry."""

from dataclasses import replace
from typing import Any, get_type_hints

import pytest

from dvcache import ConfigurationError, ConfigurationWarning, Settings
from dvcache.compressors.zlib import ZlibCompressor
from dvcache.serializers.json import JSONSerializer
from dvcache.settings import keywords, schema
from tests.support.settings_entries import URL


def refused(url: Any = URL, **options: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Settings.of(url, **options)
    return str(caught.value)


def test_keywords_have_the_types_of_the_keys_and_options() -> None:
    of_keys = get_type_hints(schema.CacheEntry) | get_type_hints(schema.Options)
    assert get_type_hints(keywords.Keywords) == {keyword: of_keys[key] for keyword, key in keywords.KEYS.items()}


def test_keyword_is_the_same_setting_as_its_key() -> None:
    by_key = {
        "LOCATION": [URL, "valkey://127.0.0.1:6380/1"],
        "KEY_PREFIX": "shop",
        "VERSION": 3,
        "TIMEOUT": 60,
        "OPTIONS": {"SOCKET_TIMEOUT": 0.5, "READ_FROM": "primary", "HERD": True, "SCAN_COUNT": 7},
    }
    made = Settings.of(
        [URL, "valkey://127.0.0.1:6380/1"],
        alias="pages",
        prefix="shop",
        version=3,
        timeout=60,
        socket_timeout=0.5,
        read_from="primary",
        herd=True,
        scan_count=7,
    )
    parsed = Settings.parse(by_key, alias="pages")
    same = {"serializer": made.serializer, "compressor": made.compressor}  # compared by identity
    assert made == replace(parsed, **same)  # type: ignore[arg-type]  # as replace takes them


@pytest.mark.parametrize(
    "serializer",
    [JSONSerializer, JSONSerializer(), "dvcache.serializers.JSONSerializer"],
    ids=["class", "object", "path"],
)
def test_class_is_given_as_class_object_or_path(serializer: Any) -> None:
    made = Settings.of(
        URL, serializer=serializer, compressor="dvcache.compressors.zlib.ZlibCompressor", compress_level=1
    )
    assert isinstance(made.serializer, JSONSerializer)
    assert isinstance(made.compressor, ZlibCompressor)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("soket_timeout", "did you mean socket_timeout?"),  # codespell:ignore soket
        ("SOCKET_TIMEOUT", "did you mean socket_timeout?"),
        ("key_prefix", "did you mean prefix?"),
        ("location", "did you mean url?"),
        ("max_connections", "it belongs in connection_pool_kwargs"),
        ("host", "write it in url, as in 'valkey://host:6379/0'"),
        ("something", "there is no such keyword"),
    ],
)
def test_misspelt_keyword_is_named_with_the_right_one(name: str, hint: str) -> None:
    message = refused(**{name: 1})
    assert message.startswith(f"dvcache settings: {name}: there is no such keyword")
    assert hint in message


def test_errors_and_warnings_name_keywords_in_place_of_keys() -> None:
    message = refused("valkey://h:0", socket_timeout="a", prefix=3, soket=1)  # codespell:ignore soket
    assert [line.strip().partition(":")[0] for line in message.splitlines()[1:]] == [
        *("soket", "prefix", "socket_timeout", "url"),  # codespell:ignore soket
    ]
    assert "CACHES" not in message
    assert "OPTIONS" not in message
    with pytest.warns(ConfigurationWarning, match="^dvcache settings: replica_read_only has no effect") as told:
        Settings.of("valkey://h/0", cluster=True, replica_read_only=False)
    assert told[0].filename == __file__


def test_password_is_in_no_error_of_a_keyword() -> None:
    for url in (
        "valkey://u:s3cr3t@h:port/0",
        "valky://u:s3cr3t@h",
        "valkey://h/0?passw=s3cr3t",
    ):
        assert "s3cr3t" not in refused(url, password=("s3cr3t",), soket_timeout="s3cr3t")  # codespell:ignore soket
