"""Test settings: every option has its type."""

import math

import pytest

from dvcache.settings.schema import KNOWN
from tests.support.settings_entries import URL, of_options, parsed, refused_option

ENTRIES = "tests.support.settings_entries"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("SOCKET_TIMEOUT", "5", "Socket timeout should be float or integer"),
        ("SOCKET_CONNECT_TIMEOUT", "5", "Socket connect timeout should be float or integer"),
        ("SOCKET_TIMEOUT", -1, "must be a positive number"),
        ("SOCKET_TIMEOUT", math.nan, "must be a positive number"),
        ("PASSWORD", 7, "must be text"),
        ("USERNAME", b"u", "must be text"),
        ("IGNORE_EXCEPTIONS", "False", "must be True or False"),
        ("SCAN_COUNT", 0, "must be a number of keys"),
        ("COMPRESS_MIN_LENGTH", -1, "must be a number of bytes"),
        ("CLEAR_SCOPE", "alias", "must be 'database' or 'prefix'"),
        ("CONNECTION_POOL_KWARGS", [], "must be a mapping"),
        ("MAX_ENTRIES", "many", "must be a whole number"),
        ("CLIENT_CLASS", 7, "must be a dotted path or a class"),
        ("READ_FROM", "replicas", "must be 'replica' or 'primary'"),
        ("COMPRESS_LEVEL", "9", "must be a whole number"),
        ("COMPRESS_BROTLI_MODE", 1, "must be text, not int"),
        ("COMPRESS_LZ4_BLOCK_SIZE", True, "must be 0 or a whole number from 4 to 7"),
        ("COMPRESS_LZMA_FILTERS", {"id": 1}, "must be a list of filters"),
        ("DECOMPRESS_LZMA_MEMLIMIT", 0, "must be a number of bytes, 1 or more"),
        ("COMPRESS_ZSTD_OPTIONS", 3, "must be a mapping"),
        ("SERIALIZER_FALLBACKS", "json", "must be a list of classes, objects or dotted paths"),
        ("SIGNING_KEYS", "s3cr3t", "must be a list of keys"),
        ("MAX_DECOMPRESSED_SIZE", 0, "must be a number of bytes, 1 or more"),
        ("PICKLE_VERSION", 99, "must be -1 to 5"),
        ("PICKLE_VERSION", "four", "must be a whole number"),
        ("CREDENTIAL_PROVIDER", object(), "object lacks get_credentials"),
    ],
)
def test_option_of_the_wrong_type_is_refused(name: str, value: object, reason: str) -> None:
    error = refused_option(**{name: value})
    assert reason in str(error)
    assert name in str(error) or name.lower() in str(error)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_option_of_none_is_as_if_left_out(name: str) -> None:
    assert of_options(**{name: None}) == parsed()


@pytest.mark.parametrize("value", [0, 0.0, False])
def test_falsy_socket_timeout_is_as_if_left_out(value: object) -> None:
    assert of_options(SOCKET_TIMEOUT=value, SOCKET_CONNECT_TIMEOUT=value) == parsed()


def test_timeouts_are_read_from_url_then_pool_then_options() -> None:
    given = {"SOCKET_TIMEOUT": 1, "CONNECTION_POOL_KWARGS": {"socket_timeout": 2}}
    assert of_options(SOCKET_TIMEOUT=1).endpoints[0].timeout == 1
    assert of_options(SOCKET_TIMEOUT=1).endpoints[0].connect_timeout == 1
    assert of_options(**given).endpoints[0].timeout == 2
    assert parsed(f"{URL}?socket_timeout=3", OPTIONS=given).endpoints[0].timeout == 3
    assert of_options(CONNECTION_POOL_KWARGS={"socket_timeout": None}).endpoints[0].timeout is None


def test_blocking_pool_has_the_default_limit_of_valkey_py() -> None:
    path = "valkey.connection.BlockingConnectionPool"
    assert of_options(CONNECTION_POOL_CLASS=path).endpoints[0].max_connections == 50
    kwargs = {"max_connections": 3, "timeout": 1}
    [endpoint] = of_options(CONNECTION_POOL_CLASS=path, CONNECTION_POOL_KWARGS=kwargs).endpoints
    assert endpoint.max_connections == 3
    assert endpoint.options == {"timeout": 1.0}


def test_client_with_a_near_miss_names_the_right_one() -> None:
    error = refused_option(CLIENT_CLASS="django_valkey.client.DefaultClien")
    assert str(error).count("did you mean") == 1
    assert str(error).endswith("; did you mean django_valkey.client.DefaultClient?")
