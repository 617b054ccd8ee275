"""The codec: what is stored, and that it comes back."""

import logging
import math
import pickle
from dataclasses import dataclass
from enum import IntEnum

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typing_extensions import override

from dvcache.codec import ValueCodec
from dvcache.compressors import IdentityCompressor, ZlibCompressor
from dvcache.errors import DecodeError, SerializationError
from dvcache.protocols import Compressor, Serializer
from dvcache.serializers import JSONSerializer, PickleSerializer


class RawSerializer:
    """Bytes as they are: nothing marks them."""

    def dumps(self, value: object, /) -> bytes:
        assert isinstance(value, bytes)
        return value

    def loads(self, data: bytes, /) -> object:
        return data


class TextSerializer:
    """Text as UTF-8: numbers are not marked."""

    def dumps(self, value: object, /) -> bytes:
        return str(value).encode()

    def loads(self, data: bytes, /) -> object:
        return data.decode()


SERIALIZERS: list[Serializer] = [PickleSerializer(), PickleSerializer(0), PickleSerializer(-1), JSONSerializer()]
COMPRESSORS: list[Compressor] = [
    IdentityCompressor(),
    *(ZlibCompressor(level, wbits) for level, wbits in ((6, 15), (0, 15), (9, 9), (6, -15), (6, 31))),
]
compressors = st.sampled_from(COMPRESSORS)

integers = st.integers(1, 200).flatmap(lambda bits: st.integers(-(2**bits), 2**bits))
scalars = st.none() | st.booleans() | integers | st.floats(allow_nan=False) | st.text()
plain = st.recursive(scalars, lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(), each, max_size=4))
pickled = st.recursive(
    scalars | st.binary(),
    lambda each: st.lists(each, max_size=4) | st.tuples(each, each) | st.dictionaries(st.text(), each, max_size=4),
)


def same(left: object, right: object) -> bool:
    """Equal and of the same type, all the way down."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, float) and isinstance(right, float):
        return repr(left) == repr(right)
    return left == right


@given(st.sampled_from(SERIALIZERS), compressors, plain)
def test_a_value_comes_back_with_its_type_through_every_serializer_and_compressor(
    serializer: Serializer, compressor: Compressor, value: object
) -> None:
    codec = ValueCodec(serializer, compressor)
    assert same(codec.loads(codec.dumps(value)), value)


@given(st.sampled_from(SERIALIZERS[:3]), compressors, pickled)
def test_pickle_brings_back_bytes_and_tuples_too(serializer: Serializer, compressor: Compressor, value: object) -> None:
    codec = ValueCodec(serializer, compressor)
    assert same(codec.loads(codec.dumps(value)), value)


@given(st.sampled_from(SERIALIZERS), compressors, integers | st.floats())
@example(PickleSerializer(), ZlibCompressor(), math.inf)
@example(PickleSerializer(), ZlibCompressor(), -math.inf)
@example(PickleSerializer(), ZlibCompressor(), math.nan)
@example(PickleSerializer(), ZlibCompressor(), -0.0)
@example(PickleSerializer(), ZlibCompressor(), -12345678901234567891)
@example(PickleSerializer(), ZlibCompressor(), 10**4299)
def test_numbers_are_stored_as_their_text_and_come_back_exactly(
    serializer: Serializer, compressor: Compressor, number: float
) -> None:
    codec = ValueCodec(serializer, compressor)
    assert codec.dumps(number) == repr(number).encode()
    assert same(codec.loads(codec.dumps(number)), number)


@pytest.mark.parametrize("number", [10**4300, -(10**4299), -(10**5000)], ids=["4301", "-4300", "-5001"])
def test_an_int_too_long_for_text_is_serialized(number: int) -> None:
    codec = ValueCodec(PickleSerializer(), IdentityCompressor())
    assert codec.dumps(number).startswith(b"\x80")
    assert codec.loads(codec.dumps(number)) == number


@given(compressors, st.integers(0, 40), st.binary(max_size=60) | st.binary(max_size=60).map(lambda data: data * 9))
@example(ZlibCompressor(), 15, ZlibCompressor().compress(b"a body that somebody compressed already"))
@example(ZlibCompressor(wbits=-15), 15, ZlibCompressor(wbits=-15).compress(b"x"))
@example(ZlibCompressor(wbits=31), 15, ZlibCompressor(wbits=31).compress(b"x"))
@example(ZlibCompressor(), 15, b"")
def test_raw_bytes_come_back_or_are_refused_before_anything_is_sent(
    compressor: Compressor, min_length: int, value: bytes
) -> None:
    codec = ValueCodec(RawSerializer(), compressor, min_length)
    try:
        stored = codec.dumps(value)
    except SerializationError:
        assert isinstance(ValueCodec(JSONSerializer(), IdentityCompressor()).loads(value), int | float)
    else:
        assert codec.loads(stored) == value


@given(st.sampled_from([*SERIALIZERS, TextSerializer()]), compressors, st.binary(max_size=80))
@example(PickleSerializer(), IdentityCompressor(), b"9" * 5000)
@example(JSONSerializer(), ZlibCompressor(), b"[" * 100_000)
def test_whatever_is_stored_gives_a_value_or_the_default_and_never_raises(
    serializer: Serializer, compressor: Compressor, stored: bytes
) -> None:
    default = object()
    # Pickles of foreign bytes may build anything; only that nothing escapes is claimed.
    ValueCodec(serializer, compressor).loads(stored, default)


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
def test_the_text_of_a_number_is_read_as_that_number(stored: bytes, number: float) -> None:
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
def test_a_value_that_would_be_read_as_a_number_is_refused(text: str) -> None:
    codec = ValueCodec(TextSerializer(), IdentityCompressor(), alias="pages")
    with pytest.raises(SerializationError, match=r"'pages'.*str would be read as a number") as caught:
        codec.dumps(text)
    assert text not in str(caught.value).replace("CACHES", "").split()


class Colour(IntEnum):
    RED = 49


class ByteSerializer:
    """Writes a small int as one byte, as msgpack does."""

    def dumps(self, value: object, /) -> bytes:
        assert isinstance(value, int)
        return bytes([value])

    def loads(self, data: bytes, /) -> object:
        return data[0]


def test_a_number_that_would_be_read_as_another_number_is_refused() -> None:
    with pytest.raises(SerializationError):
        ValueCodec(ByteSerializer(), IdentityCompressor()).dumps(Colour.RED)


def test_a_number_that_is_read_as_an_equal_number_is_stored() -> None:
    codec = ValueCodec(JSONSerializer(), IdentityCompressor())
    assert codec.loads(codec.dumps(Colour.RED)) == Colour.RED


def test_only_what_is_longer_than_the_minimum_and_becomes_smaller_is_compressed() -> None:
    codec = ValueCodec(TextSerializer(), ZlibCompressor(), min_length=15)
    assert codec.dumps("a" * 15) == b"a" * 15
    assert codec.dumps("a" * 16) == ZlibCompressor().compress(b"a" * 16)
    assert codec.dumps("abcdefghijklmnopqrstuv") == b"abcdefghijklmnopqrstuv"


def test_bytes_that_would_be_read_as_compressed_are_compressed_again() -> None:
    codec = ValueCodec(RawSerializer(), ZlibCompressor())
    body = ZlibCompressor().compress(b"x")
    assert codec.dumps(body) == ZlibCompressor().compress(body)
    assert codec.loads(codec.dumps(body)) == body


frames = st.sampled_from([IdentityCompressor(), ZlibCompressor(), ZlibCompressor(1)])


@given(st.sampled_from(SERIALIZERS), frames, frames, plain)
def test_entries_stay_readable_when_zlib_is_switched_on_or_off_or_to_another_level(
    serializer: Serializer, before: Compressor, after: Compressor, value: object
) -> None:
    stored = ValueCodec(serializer, before).dumps(value)
    assert same(ValueCodec(serializer, after).loads(stored), value)


def test_an_entry_of_the_former_serializer_is_read_by_a_fallback() -> None:
    stored = ValueCodec(JSONSerializer(), ZlibCompressor()).dumps({"a": [1] * 30})
    codec = ValueCodec(PickleSerializer(), IdentityCompressor(), fallbacks=(JSONSerializer(),))
    assert codec.loads(stored) == {"a": [1] * 30}
    assert codec.undecodable == 0


def test_a_value_that_cannot_be_serialized_raises_with_its_type_and_without_itself() -> None:
    with pytest.raises(SerializationError, match="JSONSerializer cannot serialize a set") as caught:
        ValueCodec(JSONSerializer(), IdentityCompressor()).dumps({"s3cr3t"})
    assert isinstance(caught.value.__cause__, TypeError)
    assert "s3cr3t" not in str(caught.value)


class TextOnlySerializer:
    """Returns text, as json.dumps does."""

    def dumps(self, value: object, /) -> bytes:
        return str(value)  # type: ignore[return-value]  # the mistake that is tested

    def loads(self, data: bytes, /) -> object:
        return data


def test_a_serializer_that_returns_no_bytes_is_told_so() -> None:
    with pytest.raises(SerializationError, match="must return bytes, not str"):
        ValueCodec(TextOnlySerializer(), IdentityCompressor()).dumps("a")


@dataclass(frozen=True)
class BrokenCompressor:
    """Cannot compress."""

    def compress(self, data: bytes, /) -> bytes:
        raise RuntimeError(data)

    def decompress(self, data: bytes, /) -> bytes:
        raise RuntimeError(data)


def test_a_compressor_that_fails_raises_before_anything_is_sent() -> None:
    with pytest.raises(SerializationError, match="BrokenCompressor cannot compress: RuntimeError"):
        ValueCodec(PickleSerializer(), BrokenCompressor()).dumps("a long enough value")


def test_what_cannot_be_read_is_a_miss_that_is_counted_and_logged_once_a_kind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    codec = ValueCodec(JSONSerializer(), IdentityCompressor(), alias="pages")
    with caplog.at_level(logging.WARNING, "dvcache.codec"):
        assert [codec.loads(b"{s3cr3t", "default") for _ in range(3)] == ["default"] * 3
        assert codec.loads(b"\xff\xfe\xfd") is None
    assert codec.undecodable == 4
    assert len(caplog.records) == 2
    assert "'pages'" in caplog.text
    assert "JSONDecodeError" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_what_cannot_be_read_raises_where_that_is_asked_for() -> None:
    codec = ValueCodec(PickleSerializer(), IdentityCompressor(), alias="pages", raise_undecodable=True)
    with pytest.raises(DecodeError, match=r"'pages'.*PickleSerializer cannot read an entry: UnpicklingError"):
        codec.loads(b"\xff garbage")
    assert codec.undecodable == 1


class Bomb:
    """Raises when it is compared."""

    __hash__ = None  # type: ignore[assignment]  # it cannot be compared

    @override
    def __eq__(self, other: object) -> bool:
        raise RuntimeError


def test_a_value_that_cannot_be_compared_is_judged_by_its_bytes() -> None:
    class One(TextSerializer):
        @override
        def dumps(self, value: object, /) -> bytes:
            return b"1" if value else b"0"

    with pytest.raises(SerializationError, match="Bomb would be read as a number"):
        ValueCodec(One(), IdentityCompressor()).dumps(Bomb())


def test_an_empty_entry_is_read_by_the_serializer() -> None:
    assert ValueCodec(RawSerializer(), ZlibCompressor()).loads(b"", "default") == b""


def test_entries_of_django_valkey_are_read_and_written_alike() -> None:
    codec = ValueCodec(PickleSerializer(), IdentityCompressor())
    assert codec.dumps({"a": 1}) == pickle.dumps({"a": 1}, pickle.DEFAULT_PROTOCOL)
    assert codec.dumps(True) == pickle.dumps(True, pickle.DEFAULT_PROTOCOL)
    assert ValueCodec(JSONSerializer(), IdentityCompressor()).dumps({"a": [1, 2]}) == b'{"a": [1, 2]}'
