"""Test the codec: numbers are stored as their text, and no other value is read as one."""

import math
from enum import IntEnum

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dvcache.codec import ValueCodec
from dvcache.compressors import IdentityCompressor, ZlibCompressor
from dvcache.errors import SerializationError
from dvcache.protocols import Compressor, Serializer
from dvcache.serializers import JSONSerializer, PickleSerializer
from tests.support.codecs import SERIALIZERS, TextSerializer, compressors, integers
from tests.support.value_shapes import same


@given(st.sampled_from(SERIALIZERS), compressors, integers | st.floats())
@example(PickleSerializer(), ZlibCompressor(), math.inf)
@example(PickleSerializer(), ZlibCompressor(), -math.inf)
@example(PickleSerializer(), ZlibCompressor(), math.nan)
@example(PickleSerializer(), ZlibCompressor(), -0.0)
@example(PickleSerializer(), ZlibCompressor(), -12345678901234567891)
@example(PickleSerializer(), ZlibCompressor(), 10**4299)
def test_numbers_are_stored_as_text_and_read_exactly(
    serializer: Serializer, compressor: Compressor, number: float
) -> None:
    codec = ValueCodec(serializer, compressor)
    assert codec.dumps(number) == repr(number).encode()
    assert same(codec.loads(codec.dumps(number)), number)


@pytest.mark.parametrize("number", [10**4300, -(10**4299), -(10**5000)], ids=["4301", "-4300", "-5001"])
def test_int_too_long_for_text_is_serialized(number: int) -> None:
    codec = ValueCodec(PickleSerializer(), IdentityCompressor())
    assert codec.dumps(number).startswith(b"\x80")
    assert codec.loads(codec.dumps(number)) == number


@pytest.mark.parametrize(
    ("stored", "number"),
    [
        (b"0", 0),
        (b"-0", 0),
        (b"7", 7),
        (b"-5", -5),
        (b"-9007199254740993", -9007199254740993),
        (b"1.5", 1.5),
        (b"-1.5", -1.5),
        (b"1e+16", 1e16),
        (b"1e-05", 1e-05),
        (b"10.50", 10.5),
        (b"inf", math.inf),
        (b"-inf", -math.inf),
    ],
)
def test_number_text_is_read_as_that_number(stored: bytes, number: float) -> None:
    assert same(ValueCodec(JSONSerializer(), IdentityCompressor()).loads(stored), number)


@pytest.mark.parametrize(
    "text",
    [
        "007",
        "1_000",
        " 1",
        "1 ",
        "+1",
        "Infinity",
        "-nan",
        "--1",
        "1.",
        ".5",
        "1e",
        "٣",
        "",
        "-",
        "i",
        "n",
        "1\n",
        "0x1",
    ],
)
def test_text_that_only_resembles_a_number_is_text(text: str) -> None:
    codec = ValueCodec(TextSerializer(), IdentityCompressor())
    assert codec.dumps(text) == text.encode()
    assert codec.loads(codec.dumps(text)) == text


@pytest.mark.parametrize("text", ["7", "-7", "1.5", "1e5", "inf", "-inf", "nan", "0"])
def test_value_that_would_be_read_as_a_number_is_refused(text: str) -> None:
    codec = ValueCodec(TextSerializer(), IdentityCompressor(), alias="pages")
    with pytest.raises(SerializationError, match=r"'pages'.*str would be read as a number") as caught:
        codec.dumps(text)
    assert text not in str(caught.value).replace("CACHES", "").split()


class Mode(IntEnum):
    RED = 49


class ByteSerializer:
    """A serializer that writes a small int as one byte, as msgpack does."""

    def dumps(self, value: object, /) -> bytes:
        assert isinstance(value, int)
        return bytes([value])

    def loads(self, data: bytes, /) -> object:
        return data[0]


def test_number_that_would_be_read_as_another_number_is_refused() -> None:
    with pytest.raises(SerializationError):
        ValueCodec(ByteSerializer(), IdentityCompressor()).dumps(Mode.RED)


def test_number_that_is_read_as_an_equal_number_is_stored() -> None:
    codec = ValueCodec(JSONSerializer(), IdentityCompressor())
    assert codec.loads(codec.dumps(Mode.RED)) == Mode.RED
