"""Test serializers, compressors and key functions named by the dotted paths of settings files."""

import datetime as dt
import pickle
import zlib
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import override_settings

from django_valkey import util
from django_valkey.compressors.base import BaseCompressor
from django_valkey.compressors.identity import IdentityCompressor
from django_valkey.compressors.zlib import ZlibCompressor
from django_valkey.exceptions import CompressorError
from django_valkey.serializers.base import BaseSerializer
from django_valkey.serializers.json import JSONSerializer
from django_valkey.serializers.pickle import PickleSerializer
from tests.django.conftest import Configure

LONG = {"text": "ab" * 500}


class Upper(JSONSerializer):
    def loads(self, value: bytes) -> Any:
        return {name.upper(): each for name, each in super().loads(value).items()}


class Reversing(BaseCompressor):
    """A custom compressor that keeps every other byte."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(options=options)
        self.seen = options

    def _compress(self, value: bytes) -> bytes:
        return b"half" + value[::2]

    def _decompress(self, value: bytes) -> bytes:
        if not value.startswith(b"half"):
            raise ValueError
        return b"".join(bytes([each]) * 2 for each in value[4:])


class Raw(BaseSerializer):
    def dumps(self, value: Any) -> bytes:
        return bytes(value)

    def loads(self, value: bytes) -> Any:
        return value


def key_of(key: object, prefix: str, version: int) -> str:
    return f"{prefix}/v{version}/{key}"


def original_of(stored: str) -> str:
    return stored.split("/", 2)[2]


def stored(name: str = "a") -> bytes:
    cache = caches["default"]
    [reply] = cache._client.execute((("GET", cache.make_key(name)),))
    return bytes(reply)


def test_stored_bytes_are_those_of_django_valkey(configured: Configure) -> None:
    with configured("memory://bytes"):
        cache = caches["default"]
        for value in (LONG, True, None, "1", [1]):
            cache.set("a", value)
            assert stored() == pickle.dumps(value)
        for number in (1, -1, 1.5):
            cache.set("a", number)
            assert stored() == repr(number).encode()


def test_defaults_are_the_classes_with_dotted_paths(configured: Configure) -> None:
    options = {
        "SERIALIZER": "django_valkey.serializers.pickle.PickleSerializer",
        "COMPRESSOR": "django_valkey.compressors.identity.IdentityCompressor",
    }
    with configured("memory://bytes", OPTIONS=options):
        caches["default"].set("a", LONG)
        assert stored() == pickle.dumps(LONG)
        assert caches["default"].get("a") == LONG


def test_pickle_version_is_the_protocol(configured: Configure) -> None:
    for protocol in (0, "2", -1):
        options = {"SERIALIZER": "django_valkey.serializers.pickle.PickleSerializer", "PICKLE_VERSION": protocol}
        with configured("memory://bytes", OPTIONS=options):
            caches["default"].set("a", LONG)
            assert stored() == pickle.dumps(LONG, int(protocol))
    with pytest.raises(ImproperlyConfigured, match="PICKLE_VERSION"):
        PickleSerializer({"PICKLE_VERSION": "new"})


def test_json_writes_the_same_as_django(configured: Configure) -> None:
    with configured("memory://json", OPTIONS={"SERIALIZER": "django_valkey.serializers.json.JSONSerializer"}):
        caches["default"].set("a", {"day": dt.date(2026, 1, 2), "price": Decimal("1.50")})
        assert stored() == b'{"day": "2026-01-02", "price": "1.50"}'
        assert caches["default"].get("a") == {"day": "2026-01-02", "price": "1.50"}


def test_custom_serializer_is_used(configured: Configure) -> None:
    with configured("memory://own", OPTIONS={"SERIALIZER": f"{__name__}.Upper"}):
        caches["default"].set("a", {"b": 1})
        assert caches["default"].get("a") == {"B": 1}


def test_zlib_compresses_values_over_the_minimum(configured: Configure) -> None:
    options = {"COMPRESSOR": "django_valkey.compressors.zlib.ZlibCompressor"}
    with configured("memory://zlib", OPTIONS=options):
        cache = caches["default"]
        cache.set("a", LONG)
        assert stored() == zlib.compress(pickle.dumps(LONG), 6)
        assert cache.get("a") == LONG
        cache.set("a", "")
        assert stored() == pickle.dumps("")
        with override_settings(CACHE_COMPRESS_MIN_LENGTH=10_000):
            cache.close()
            cache.set("a", LONG)
            assert stored() == pickle.dumps(LONG)
        with override_settings(CACHE_COMPRESS_LEVEL=9, COMPRESS_ZLIB_WBITS=-15):
            cache.close()
            cache.set("a", LONG)
            assert stored() == zlib.compress(pickle.dumps(LONG), 9, -15)
            assert cache.get("a") == LONG


PATHS = {
    "serializers.pickle.PickleSerializer": "pickle.PickleSerializer",
    "serializers.json.JSONSerializer": "json.JSONSerializer",
    "serializers.msgpack.MSGPackSerializer": "msgpack.MSGPackSerializer",
    "serializers.msgspec.MsgSpecJsonSerializer": "msgspec.MsgSpecJsonSerializer",
    "serializers.msgspec.MsgSpecMsgPackSerializer": "msgspec.MsgSpecMsgPackSerializer",
    "serializers.signed.SignedSerializer": "signed.SignedSerializer",
    "serializers.typed.TypedSerializer": "typed.TypedSerializer",
    "compressors.identity.IdentityCompressor": "identity.IdentityCompressor",
    "compressors.zlib.ZlibCompressor": "zlib.ZlibCompressor",
    "compressors.gzip.GzipCompressor": "gzip.GzipCompressor",
    "compressors.bz2.Bz2Compressor": "bz2.Bz2Compressor",
    "compressors.lzma.LzmaCompressor": "lzma.LzmaCompressor",
    "compressors.lz4.Lz4Compressor": "lz4.Lz4Compressor",
    "compressors.zstd.ZStdCompressor": "zstd.ZstdCompressor",
    "compressors.brotli.BrotliCompressor": "brotli.BrotliCompressor",
}
"""Paths of django_valkey, each with the class of the core that it stands for."""


@pytest.mark.parametrize("path", PATHS)
def test_every_dotted_path_stores_the_same_as_the_core_class(path: str, configured: Configure) -> None:
    option = "SERIALIZER" if path.startswith("serializers") else "COMPRESSOR"
    entries = []
    own = f"dvcache.{path.partition('.')[0]}.{PATHS[path]}"
    for reference in (f"django_valkey.{path}", own):
        with configured("memory://paths", OPTIONS={option: reference}):
            caches["default"].set("a", LONG)
            assert caches["default"].get("a") == LONG
            entries.append(stored())
    assert entries[0] == entries[1]


def test_every_global_setting_of_a_compressor_reaches_it(configured: Configure) -> None:
    dictionary = b"apple banana cherry " * 9
    given = {
        "brotli.BrotliCompressor": {"COMPRESS_BROTLI_MODE": "TEXT", "COMPRESS_BROTLI_LGWIN": 10},
        "lz4.Lz4Compressor": {"COMPRESS_LZ4_CONTENT_CHECKSUM": 1, "COMPRESS_LZ4_STORE_SIZE": False},
        "lzma.LzmaCompressor": {"COMPRESS_LZMA_FORMAT": 3, "COMPRESS_LZMA_FILTERS": [{"id": 0x21, "preset": 1}]},
        "zstd.ZStdCompressor": {"COMPRESS_ZSTD_OPTIONS": {100: 9, 201: 1}, "COMPRESS_ZSTD_DICT": dictionary},
        "gzip.GzipCompressor": {"CACHE_COMPRESS_LEVEL": 1},
    }
    for path, settings in given.items():
        with configured("memory://settings", OPTIONS={"COMPRESSOR": f"django_valkey.compressors.{path}"}):
            caches["default"].set("a", LONG)
            plainly = stored()
        with (
            override_settings(**settings),
            configured("memory://settings", OPTIONS={"COMPRESSOR": f"django_valkey.compressors.{path}"}),
        ):
            caches["default"].set("a", LONG)
            assert stored() != plainly, path
            assert caches["default"].get("a") == LONG, path
    with (
        override_settings(CACHE_COMPRESS_LEVEL=10),
        configured("memory://settings", OPTIONS={"COMPRESSOR": "django_valkey.compressors.gzip.GzipCompressor"}),
        pytest.raises(ImproperlyConfigured, match=r"'default'.*CACHE_COMPRESS_LEVEL: must be -1 to 9, not 10"),
    ):
        caches["default"].get("a")


class Gentle(ZlibCompressor):
    """A custom compressor with constants, as django-valkey's classes have them."""

    level = 1
    min_length = 100


def test_compressor_settings_can_be_class_constants(configured: Configure) -> None:
    with configured("memory://gentle", OPTIONS={"COMPRESSOR": f"{__name__}.Gentle", "COMPRESS_LEVEL": 9}):
        caches["default"].set("a", LONG)
        assert stored() == zlib.compress(pickle.dumps(LONG), 1)
        caches["default"].set("a", "ab" * 30)
        assert stored() == pickle.dumps("ab" * 30)
    assert (ZlibCompressor.min_length, ZlibCompressor.level, ZlibCompressor.wbits, Gentle.level) == (15, None, 15, 1)


def test_custom_compressor_is_used(configured: Configure) -> None:
    options = {"COMPRESSOR": f"{__name__}.Reversing", "SERIALIZER": f"{__name__}.Raw", "SHOP": 1}
    with configured("memory://own", OPTIONS=options):
        caches["default"].set("a", b"x" * 100)
        assert stored() == b"half" + b"x" * 50
        assert caches["default"].get("a") == b"x" * 100
        assert caches["default"]._wired.container.settings.compressor.seen["SHOP"] == 1


COMPRESSORS = [path for path in PATHS if path.startswith("compressors")]


@pytest.mark.parametrize("path", COMPRESSORS)
def test_raw_bytes_of_every_length_round_trip(path: str, configured: Configure) -> None:
    with configured("memory://raw", OPTIONS={"SERIALIZER": f"{__name__}.Raw", "COMPRESSOR": f"django_valkey.{path}"}):
        cache = caches["default"]
        compress = cache._wired.container.settings.compressor._compress
        bodies = [b"", b";", b"\x03\x00", b"a" * 100, compress(b""), compress(b"a"), compress(b"a" * 100)]
        for body in bodies:
            cache.set("a", body)
            assert cache.get("a", "a miss") == body
        cache.set_many({str(number): body for number, body in enumerate(bodies)})
        assert cache.get_many(map(str, range(len(bodies)))) == {str(n): body for n, body in enumerate(bodies)}


def test_compressors_work_on_their_own() -> None:
    for compressor in (ZlibCompressor({}), IdentityCompressor(options={}), ZlibCompressor({"COMPRESS_LEVEL": 0})):
        assert compressor.compress(b"short") == b"short"
        assert compressor.decompress(compressor.compress(b"long" * 100)) == b"long" * 100
    with pytest.raises(CompressorError):
        ZlibCompressor({}).decompress(b"no zlib")
    with pytest.raises(NotImplementedError):
        BaseCompressor({}).compress(b"long" * 100)
    with pytest.raises(NotImplementedError):
        BaseSerializer({}).dumps(1)
    with pytest.raises(NotImplementedError):
        BaseSerializer({}).loads(b"")


def test_key_functions_name_the_stored_keys(configured: Configure) -> None:
    entry = {"KEY_FUNCTION": f"{__name__}.key_of", "REVERSE_KEY_FUNCTION": f"{__name__}.original_of"}
    with configured("memory://keys", KEY_PREFIX="shop", VERSION=2, **entry):
        cache = caches["default"]
        cache.set("a", 1)
        assert cache.make_key("a") == "shop/v2/a"
        assert cache.make_key("a", version=0, prefix="x") == "x/v0/a"
        assert cache.make_pattern("a*") == "shop/v2/a*"
        assert cache.reverse_key("shop/v2/a/b") == "a/b"
        assert cache.keys("*") == ["a"]
        assert (cache.key_prefix, cache.version, cache.key_func) == ("shop", 2, key_of)


def test_keys_are_reversed_with_a_colon_in_the_prefix(configured: Configure) -> None:
    with configured("memory://colon", KEY_PREFIX="a:b"):
        cache = caches["default"]
        assert cache.reverse_key(cache.make_key("c:d")) == "c:d"
        assert cache.make_pattern("*", prefix="p[") == "p\\[:1:*"


def test_every_key_is_valid(recwarn: pytest.WarningsRecorder, configured: Configure) -> None:
    with configured("memory://valid"):
        caches["default"].set("with blank \n" + "x" * 300, 1)
        assert caches["default"].make_and_validate_key("a b") == ":1:a b"
    assert not recwarn.list


def test_default_timeout_of_half_a_second_is_kept(configured: Configure) -> None:
    with configured("memory://half", TIMEOUT=0.5):
        assert caches["default"].default_timeout == 0.5
        caches["default"].set("a", 1)
        assert 0 < caches["default"].pttl("a") <= 500
    with configured("memory://never", TIMEOUT=None):
        assert caches["default"].default_timeout is None
        caches["default"].set("a", 1)
        assert caches["default"].ttl("a") is None


def test_util_functions_behave_as_in_django_valkey() -> None:
    key = util.make_key("a", key_of, 1, "p")
    assert key == "p/v1/a"
    assert util.make_key(key, key_of) is key
    assert util.make_pattern("a*", key_of, 1, "p*") == "p\\*/v1/a*"
    assert util.CacheKey("p:1:a").original_key() == "a"
    assert util.default_reverse_key("p:1:a:b") == "a:b"
