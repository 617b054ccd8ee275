"""Test the functions of django_valkey.util, and the attributes of caches and their clients."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import valkey
from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.base import default_key_func as django_key
from django.test.utils import override_settings

from django_valkey import base_client, util
from django_valkey._config import registry
from django_valkey.client import DefaultClient
from django_valkey.compressors.zlib import ZlibCompressor
from django_valkey.exceptions import CompressorError
from django_valkey.serializers.pickle import PickleSerializer
from dvcache.testing import MemoryPoolFactory
from tests.support.servers import free_port


@pytest.fixture
def silent_server() -> Iterator[Any]:
    """The default alias, with a server that does not answer."""
    entry = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": f"valkey://127.0.0.1:{free_port()}"}
    with override_settings(CACHES={"default": entry}):
        yield caches["default"]


def test_util_functions_make_keys_and_values_as_a_cache_does() -> None:
    options = {"SERIALIZER": "django_valkey.serializers.json.JSONSerializer"}
    entry = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": "memory://", "KEY_PREFIX": "p*", "VERSION": 2}
    with override_settings(CACHES={"default": entry | {"OPTIONS": options}}):
        cache = caches["default"]
        key = util.make_key("a", cache.key_func, cache.version, cache.key_prefix)
        assert key == cache.make_key("a") == cache.client.make_key("a") == "p*:2:a"
        assert util.make_key(key, cache.key_func, 9, "x") is key
        pattern = util.make_pattern("a*", cache.key_func, cache.version, cache.key_prefix)
        assert pattern == cache.make_pattern("a*") == cache.client.make_pattern("a*")
        assert util.default_reverse_key(key) == cache.reverse_key(key) == cache.client.reverse_key(key) == "a"
        assert key.original_key() == "a"
        parts = cache.client._serializer, cache.client._compressor
        for value in (1, -7, 1.5, True, None, {"a": [1]}, "x" * 100):
            stored = util.encode(value, *parts)
            assert stored == cache.client.encode(value)
            data = stored if isinstance(stored, bytes) else repr(stored).encode()
            assert util.decode(data, *parts) == cache.client.decode(data) == value
            assert cache.set("a", value)
            assert cache._wired.client.execute((("GET", key.encode()),)) == [data]


def test_compressed_values_are_encoded_and_decoded_by_util() -> None:
    parts = PickleSerializer(options={}), ZlibCompressor(options={})
    stored = util.encode("x" * 100, *parts)
    assert isinstance(stored, bytes)
    assert len(stored) < 50
    assert util.decode(stored, *parts) == "x" * 100


@pytest.mark.parametrize("backend", ["cache.ValkeyCache", "async_cache.cache.AsyncValkeyCache"])
def test_attributes_of_a_cache_and_its_client_exist(backend: str) -> None:
    options = {"IGNORE_EXCEPTIONS": True, "LOG_IGNORE_EXCEPTIONS": True, "LOGGER": "shop.cache", "SCAN_COUNT": 7}
    location = "valkey://127.0.0.1:1,valkey://127.0.0.1:2"
    entry = {"BACKEND": f"django_valkey.{backend}", "LOCATION": location, "KEY_PREFIX": "p", "VERSION": 3, "TIMEOUT": 9}
    with (
        override_settings(CACHES={"default": entry | {"OPTIONS": options}}),
        registry.use(pool_factory=MemoryPoolFactory()),
    ):
        cache = caches["default"]
        assert (cache.key_prefix, cache.version, cache.default_timeout, cache.key_func) == ("p", 3, 9, django_key)
        assert cache._ignore_exceptions
        assert cache._log_ignored_exceptions
        assert cache._default_scan_itersize == 7
        assert cache.logger is logging.getLogger("shop.cache")
        assert cache._server == location
        assert cache._params["OPTIONS"] == options
        assert getattr(cache, "is_async", False) is (backend.startswith("async"))
        client = cache.client
        assert client._server == ["valkey://127.0.0.1:1", "valkey://127.0.0.1:2"]
        assert (client._clients, client._backend, client._options) == ([None, None], cache, options)
        assert (client._replica_read_only, client._has_compression_enabled()) == (True, False)
        assert client._serializer.loads(client._serializer.dumps([1])) == [1]
        assert client.connection_factory.options == options
    quiet = {"BACKEND": f"django_valkey.{backend}", "LOCATION": "memory://"}
    with override_settings(CACHES={"default": quiet}):
        assert caches["default"].logger is None


class Packing(base_client.HerdCommonMethods, DefaultClient):
    """A custom herd client."""


def test_custom_herd_client_packs_values_as_django_valkey_does() -> None:
    entry = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": "memory://", "TIMEOUT": 30}
    options = {"CLIENT_CLASS": f"{__name__}.Packing"}
    with override_settings(CACHES={"default": entry | {"OPTIONS": options}}, CACHE_HERD_TIMEOUT=20):
        client = caches["default"].client
        packed = client._pack("value", None)
        assert (type(packed[0]), packed[1]) == (base_client.Marker, "value")
        assert client._unpack(packed) == ("value", False)
        assert client._unpack((packed[0], "value", packed[2] - 30 - 21)) == ("value", True)
        assert client._unpack(("no", "envelope", 1)) == (("no", "envelope", 1), False)
        assert base_client.DEFAULT_TIMEOUT is DEFAULT_TIMEOUT
        assert isinstance(caches["default"], BaseCache)


def test_compressor_rejects_data_that_it_did_not_write() -> None:
    with pytest.raises(CompressorError):
        ZlibCompressor(options={}).decompress(b"no zlib")


def test_raw_client_is_that_of_valkey_py(silent_server: Any) -> None:
    assert isinstance(silent_server.client.get_client(), valkey.Valkey)
    assert silent_server.client.connect() is not silent_server.client.connect()
