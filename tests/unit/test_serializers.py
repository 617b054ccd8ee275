"""Test serializers and compressors alone: their options, and what they refuse."""

import json
import pickle
import zlib
from typing import Any

import pytest
from typing_extensions import override

from dvcache.compressors import IdentityCompressor, ZlibCompressor
from dvcache.errors import ConfigurationError
from dvcache.serializers import JSONSerializer, PickleSerializer


@pytest.mark.parametrize(("version", "protocol"), [(None, pickle.DEFAULT_PROTOCOL), (2, 2), ("2", 2), (-1, -1), (0, 0)])
def test_pickle_protocol_is_an_option(version: object, protocol: int) -> None:
    assert PickleSerializer.from_options({"PICKLE_VERSION": version}) == PickleSerializer(protocol)
    assert PickleSerializer(protocol).loads(PickleSerializer(protocol).dumps({"a": 1})) == {"a": 1}


@pytest.mark.parametrize("version", [pickle.HIGHEST_PROTOCOL + 1, -2, "high", 2.5, True])
def test_pickle_protocol_unknown_to_python_is_refused(version: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        PickleSerializer.from_options({"PICKLE_VERSION": version})
    assert caught.value.key == "OPTIONS['PICKLE_VERSION']"


def test_json_uses_a_custom_encoder() -> None:
    class Encoder(json.JSONEncoder):
        @override
        def default(self, o: Any) -> Any:
            return sorted(o)

    assert JSONSerializer(Encoder).dumps({2, 1}) == b"[1, 2]"
    assert JSONSerializer.from_options({}) == JSONSerializer()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ZlibCompressor(6, 15)),
        ({"COMPRESS_LEVEL": 0}, ZlibCompressor(0)),
        ({"COMPRESS_LEVEL": 9, "COMPRESS_ZLIB_WBITS": 9}, ZlibCompressor(9, 9)),
    ],
)
def test_zlib_level_and_window_are_options(options: dict[str, object], expected: ZlibCompressor) -> None:
    assert ZlibCompressor.from_options(options) == expected


@pytest.mark.parametrize("options", [{"COMPRESS_LEVEL": 10}, {"COMPRESS_LEVEL": "6"}, {"COMPRESS_ZLIB_WBITS": 8}])
def test_zlib_level_or_window_that_is_invalid_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ZlibCompressor.from_options(options)
    assert caught.value.key == f"OPTIONS[{next(iter(options))!r}]"


@pytest.mark.parametrize("wbits", [9, 15, -9, -15, 25, 31])
@pytest.mark.parametrize("level", [-1, 0, 1, 6, 9])
def test_every_compressor_output_starts_with_its_magic(level: int, wbits: int) -> None:
    compressor = ZlibCompressor(level, wbits)
    for data in (b"", b"a", b"ab" * 1000):
        assert compressor.compress(data).startswith(compressor.magic)
        assert compressor.decompress(compressor.compress(data)) == data
    assert bool(compressor.magic) == (wbits > 0)


def test_zlib_reads_the_output_of_a_smaller_window_and_refuses_truncation() -> None:
    assert ZlibCompressor().decompress(zlib.compress(b"a" * 100, 6, 9)) == b"a" * 100
    with pytest.raises(EOFError):
        ZlibCompressor().decompress(zlib.compress(b"a" * 100)[:-3])


def test_identity_changes_nothing() -> None:
    assert IdentityCompressor().decompress(IdentityCompressor().compress(b"a")) == b"a"
