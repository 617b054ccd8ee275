"""Test compressors alone: their settings, what they refuse, and the limit on decompressed size."""

import importlib
import lzma
import os
import sys
from typing import Any, Final

import pytest

from dvcache import Settings
from dvcache.codec import ValueCodec
from dvcache.compressors import IdentityCompressor, ZlibCompressor, bounds, foreign
from dvcache.compressors.bounds import TooLarge
from dvcache.compressors.brotli import BrotliCompressor
from dvcache.compressors.bz2 import Bz2Compressor
from dvcache.compressors.gzip import GzipCompressor
from dvcache.compressors.lz4 import Lz4Compressor
from dvcache.compressors.lzma import LzmaCompressor
from dvcache.compressors.zstd import ZstdCompressor, zstd
from dvcache.errors import ConfigurationError, DecodeError, SerializationError
from dvcache.serializers import PickleSerializer
from tests.support import programs
from tests.support.codecs import RawSerializer

CLASSES: Final[list[type[Any]]] = [
    *(ZlibCompressor, GzipCompressor, Bz2Compressor, LzmaCompressor, Lz4Compressor, ZstdCompressor, BrotliCompressor)
]
RAW: Final = [{"id": lzma.FILTER_LZMA2, "preset": 1}]
EVERY: Final = [
    *({}, {"COMPRESS_LEVEL": 1}, {"COMPRESS_LEVEL": 9}),
    {"COMPRESS_BROTLI_MODE": "text", "COMPRESS_BROTLI_LGWIN": 10, "COMPRESS_BROTLI_LGBLOCK": 16},
    {"COMPRESS_BROTLI_MODE": "FONT"},
    {"COMPRESS_LZ4_BLOCK_SIZE": 7, "COMPRESS_LZ4_CONTENT_CHECKSUM": 1, "COMPRESS_LZ4_BLOCK_LINKED": False},
    {"COMPRESS_LZ4_STORE_SIZE": False},
    {"COMPRESS_LZMA_FORMAT": lzma.FORMAT_ALONE},
    {"COMPRESS_LZMA_CHECK": lzma.CHECK_CRC32, "COMPRESS_LZMA_FILTERS": RAW, "DECOMPRESS_LZMA_MEMLIMIT": 2**27},
    {"COMPRESS_LZMA_FORMAT": lzma.FORMAT_RAW, "COMPRESS_LZMA_FILTERS": RAW},
    {
        "COMPRESS_LZMA_FORMAT": 3,
        "COMPRESS_LZMA_FILTERS": RAW,
        "DECOMPRESS_LZMA_FORMAT": 3,
        "DECOMPRESS_LZMA_FILTERS": RAW,
    },
    {"COMPRESS_ZLIB_WBITS": -15},
    {"COMPRESS_ZSTD_OPTIONS": {zstd.CompressionParameter.checksum_flag: 1, 100: 3}},
    {"COMPRESS_ZSTD_DICT": b"apple banana " * 9, "COMPRESS_ZSTD_OPTIONS": {100: 3}},
    {"COMPRESS_ZSTD_DICT": zstd.ZstdDict(b"apple" * 9, is_raw=True), "DECOMPRESS_ZSTD_DICT": b"apple" * 9},
    {"DECOMPRESS_ZSTD_OPTIONS": {100: 27}},
]
SIZES: Final = (0, 1, 20, 65_536, bounds.KEPT + 1)


@pytest.mark.full("large data, or many random ones")
@pytest.mark.parametrize("cls", CLASSES)
def test_data_of_every_size_round_trips_and_begins_with_the_magic(cls: type[Any]) -> None:
    compressor = cls()
    for size in SIZES:
        for data in (bytes(size), os.urandom(min(size, 65_537)), b"apple banana " * (size // 13)):
            packed = compressor.compress(data)
            assert packed.startswith(compressor.magic)
            assert compressor.decompress(packed) == data


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("options", EVERY, ids=str)
def test_every_compressor_option_is_accepted_and_its_output_is_read(cls: type[Any], options: dict[str, object]) -> None:
    compressor = cls.from_options(options)
    for data in (b"", b"apple banana " * 50):
        assert compressor.decompress(compressor.compress(data)) == data


@pytest.mark.parametrize(
    ("cls", "options", "key"),
    [
        (ZlibCompressor, {"COMPRESS_LEVEL": 10}, "COMPRESS_LEVEL"),
        (ZlibCompressor, {"COMPRESS_ZLIB_WBITS": 8}, "COMPRESS_ZLIB_WBITS"),
        (GzipCompressor, {"COMPRESS_LEVEL": -2}, "COMPRESS_LEVEL"),
        (Bz2Compressor, {"COMPRESS_LEVEL": 0}, "COMPRESS_LEVEL"),
        (LzmaCompressor, {"COMPRESS_LEVEL": 10}, "COMPRESS_LEVEL"),
        (LzmaCompressor, {"COMPRESS_LZMA_FORMAT": lzma.FORMAT_RAW}, "COMPRESS_LZMA_FORMAT"),
        (LzmaCompressor, {"COMPRESS_LZMA_FORMAT": 2, "COMPRESS_LZMA_CHECK": 4}, "COMPRESS_LZMA_FORMAT"),
        (LzmaCompressor, {"COMPRESS_LZMA_FILTERS": [{"id": 99}]}, "COMPRESS_LZMA_FILTERS"),
        (LzmaCompressor, {"DECOMPRESS_LZMA_FORMAT": lzma.FORMAT_ALONE}, "DECOMPRESS_LZMA_FORMAT"),
        (Lz4Compressor, {"COMPRESS_LEVEL": 17}, "COMPRESS_LEVEL"),
        (Lz4Compressor, {"COMPRESS_LZ4_BLOCK_SIZE": 1}, "COMPRESS_LZ4_BLOCK_SIZE"),
        (ZstdCompressor, {"COMPRESS_LEVEL": 23}, "COMPRESS_LEVEL"),
        (ZstdCompressor, {"COMPRESS_ZSTD_OPTIONS": {1: 1}}, "COMPRESS_ZSTD_OPTIONS"),
        (ZstdCompressor, {"COMPRESS_ZSTD_DICT": "text"}, "COMPRESS_ZSTD_DICT"),
        (ZstdCompressor, {"COMPRESS_ZSTD_DICT": b"short"}, "COMPRESS_ZSTD_DICT"),
        (ZstdCompressor, {"DECOMPRESS_ZSTD_OPTIONS": {100: 99}}, "DECOMPRESS_ZSTD_OPTIONS"),
        (BrotliCompressor, {"COMPRESS_LEVEL": 12}, "COMPRESS_LEVEL"),
        (BrotliCompressor, {"COMPRESS_BROTLI_LGWIN": 9}, "COMPRESS_BROTLI_LGWIN"),
        (BrotliCompressor, {"COMPRESS_BROTLI_LGBLOCK": 1}, "COMPRESS_BROTLI_LGBLOCK"),
    ],
)
def test_compressor_option_that_is_unknown_is_refused_with_the_settings(
    cls: type[Any], options: dict[str, object], key: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        cls.from_options(options)
    assert caught.value.key == f"OPTIONS[{key!r}]"


@pytest.mark.parametrize("cls", CLASSES)
def test_truncated_or_extended_data_is_no_entry_of_a_compressor(cls: type[Any]) -> None:
    for data in (b"", b"apple banana " * 50, os.urandom(200_000)):
        packed = cls().compress(data)
        for wrong in (packed[:-1], packed + b"\0", packed + packed, b""):
            with pytest.raises(Exception):  # noqa: B017, PT011  # each library has an error of its own
                cls().decompress(wrong)


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("size", [0, 1000, bounds.KEPT, 2 * bounds.KEPT])
def test_decompression_limit_is_exact_to_the_byte(cls: type[Any], size: int) -> None:
    bounded = cls.from_options({"MAX_DECOMPRESSED_SIZE": size})
    assert bounded.decompress(cls().compress(bytes(size))) == bytes(size)
    with pytest.raises(TooLarge, match=f"more than {size} bytes.*MAX_DECOMPRESSED_SIZE"):
        bounded.decompress(cls().compress(bytes(size + 1)))


READS_BOMBS = """
import resource

from dvcache import Container, Settings
from tests.support.decompression_bombs import BOMBS

def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

for path, make in BOMBS.items():
    bomb = make()
    by_default = {"COMPRESSOR": f"dvcache.compressors.{path}"}
    bounded = {"MAX_DECOMPRESSED_SIZE": 20_000_000}
    for options in (by_default if path.startswith("gzip") else by_default | bounded, bounded):
        with Container(Settings.parse({"LOCATION": "memory://", "OPTIONS": options})) as container:
            cache = container.cache()
            cache.set("warm", ["up"] * 1000)
            container.client().execute((("SET", ":1:bomb", bomb),))
            before = used()
            assert cache.get("bomb", "a miss") == "a miss", path
            assert cache.get("warm") == ["up"] * 1000, path
            print(path, container.context().codec.undecodable, used() - before)
"""


@pytest.mark.full("large data, or many random ones")
def test_decompression_bomb_of_ten_gigabytes_costs_no_memory_and_is_a_miss() -> None:
    done = programs.run("-c", READS_BOMBS)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 14
    for path, misses, growth in lines:
        assert int(misses) == 1, path
        assert int(growth) < 24, f"{path}: {growth} MiB"
    assert done.stderr.count("TooLarge") == 13  # brotli has no magic: only its own compressor reads it


def test_oversized_entry_error_names_the_option_if_raised() -> None:
    entry = GzipCompressor().compress(bytes(1001))
    for compressor in (GzipCompressor(max_size=1000), IdentityCompressor()):
        codec = ValueCodec(PickleSerializer(), compressor, alias="shop", raise_undecodable=True, max_size=1000)
        with pytest.raises(DecodeError, match=r"'shop'.*more than 1000 bytes; OPTIONS\['MAX_DECOMPRESSED_SIZE'\]"):
            codec.loads(entry)


class Careless:
    """A compressor that takes everything for compressed and compresses nothing."""

    def compress(self, data: bytes, /) -> bytes:
        return data

    def decompress(self, data: bytes, /) -> bytes:
        return data[::-1]


def test_bytes_that_a_compressor_would_misread_are_refused() -> None:
    with pytest.raises(SerializationError, match="Careless would decompress the value to other bytes"):
        ValueCodec(PickleSerializer(), Careless()).dumps("a")
    bounded = ValueCodec(RawSerializer(), GzipCompressor(max_size=100), max_size=100)
    with pytest.raises(SerializationError, match="GzipCompressor would decompress the value to other bytes"):
        bounded.dumps(GzipCompressor().compress(os.urandom(200)))


def test_value_over_the_limit_is_stored_uncompressed() -> None:
    for cls in CLASSES:
        codec = ValueCodec(PickleSerializer(), cls.from_options({"MAX_DECOMPRESSED_SIZE": 100}), max_size=100)
        assert codec.loads(codec.dumps("a" * 50)) == "a" * 50
        assert codec.loads(codec.dumps("a" * 5000)) == "a" * 5000
        assert codec.undecodable == 0


@pytest.mark.parametrize("cls", CLASSES)
def test_compressed_body_round_trips(cls: type[Any]) -> None:
    codec = ValueCodec(RawSerializer(), cls())
    for size in (0, 3, 50, 5000):
        body = cls().compress(bytes(size))
        assert codec.loads(codec.dumps(body)) == body
    bounded = ValueCodec(RawSerializer(), cls.from_options({"MAX_DECOMPRESSED_SIZE": 2000}), max_size=2000)
    body = cls().compress(bytes(5000))
    assert bounded.loads(bounded.dumps(body)) == body


PACKAGES: Final = {
    "dvcache.compressors.lz4.Lz4Compressor": ("COMPRESSOR", "lz4", "lz4"),
    "dvcache.compressors.brotli.BrotliCompressor": ("COMPRESSOR", "brotli", "brotli"),
    "dvcache.serializers.msgpack.MSGPackSerializer": ("SERIALIZER", "msgpack", "msgpack"),
    "dvcache.serializers.msgspec.MsgSpecJsonSerializer": ("SERIALIZER", "msgspec", "msgspec"),
}
if sys.version_info < (3, 14):
    PACKAGES["dvcache.compressors.zstd.ZstdCompressor"] = ("COMPRESSOR", "backports", "zstd")


@pytest.mark.parametrize("path", PACKAGES)
def test_missing_package_is_named_with_its_remedy_with_the_settings(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    option, package, extra = PACKAGES[path]
    monkeypatch.delitem(sys.modules, path.rpartition(".")[0], raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigurationError, match=rf"needs '{package}'; pip install 'dvcache\[{extra}\]'") as caught:
        Settings.parse({"LOCATION": "memory://", "OPTIONS": {option: path}})
    assert caught.value.key == f"OPTIONS[{option!r}]"


def test_entries_of_formats_with_a_missing_package_are_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = ValueCodec(PickleSerializer(), Lz4Compressor()).dumps("a" * 100)
    monkeypatch.delitem(sys.modules, "dvcache.compressors.lz4", raising=False)
    monkeypatch.setitem(sys.modules, "lz4", None)
    monkeypatch.setattr(foreign, "available", foreign.available.__wrapped__)
    codec = ValueCodec(PickleSerializer(), IdentityCompressor(), others=foreign.available)
    assert codec.loads(stored, "a miss") == "a miss"
    assert codec.loads(ValueCodec(PickleSerializer(), GzipCompressor()).dumps("a" * 100)) == "a" * 100


def test_packages_are_imported_only_if_configured() -> None:
    program = """
import sys
from dvcache import Container, Settings

with Container(Settings.parse({"LOCATION": "memory://"})) as container:
    container.cache().set("a", ["b"] * 100)
    container.cache().get("a")
names = {name.partition(".")[0] for name in sys.modules}
print(sorted(names & {"lz4", "brotli", "msgpack", "msgspec", "backports"}))
"""
    done = programs.run("-c", program)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_values_are_not_serialized_if_the_compressor_cannot_compress() -> None:
    with pytest.raises(SerializationError, match="Brittle cannot compress: OverflowError"):
        ValueCodec(PickleSerializer(), Brittle()).dumps("a" * 100)


class Brittle:
    """A compressor that raises."""

    def compress(self, data: bytes, /) -> bytes:
        raise OverflowError(len(data))

    def decompress(self, data: bytes, /) -> bytes:
        return data


def test_compressor_modules_have_the_names_of_their_formats() -> None:
    for cls in CLASSES:
        module = importlib.import_module(cls.__module__)
        assert cls.__name__.lower().startswith(module.__name__.rpartition(".")[2])
