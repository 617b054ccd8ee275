"""Test the codec: the stored bytes, and that values round-trip."""

import logging
import pickle
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typing_extensions import override

from dvcache.codec import ValueCodec
from dvcache.compressors import IdentityCompressor, ZlibCompressor
from dvcache.errors import DecodeError, SerializationError
from dvcache.protocols import Compressor, Serializer
from dvcache.serializers import JSONSerializer, PickleSerializer
from tests.support.codecs import SERIALIZERS, RawSerializer, TextSerializer, compressors, integers
from tests.support.value_shapes import same

scalars = st.none() | st.booleans() | integers | st.floats(allow_nan=False) | st.text()
plain = st.recursive(scalars, lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(), each, max_size=4))
pickled = st.recursive(
    scalars | st.binary(),
    lambda each: st.lists(each, max_size=4) | st.tuples(each, each) | st.dictionaries(st.text(), each, max_size=4),
)


@given(st.sampled_from(SERIALIZERS), compressors, plain)
def test_value_keeps_its_type_with_every_serializer_and_compressor(
    serializer: Serializer, compressor: Compressor, value: object
) -> None:
    codec = ValueCodec(serializer, compressor)
    assert same(codec.loads(codec.dumps(value)), value)


@given(st.sampled_from(SERIALIZERS[:3]), compressors, pickled)
def test_pickle_restores_bytes_and_tuples(serializer: Serializer, compressor: Compressor, value: object) -> None:
    codec = ValueCodec(serializer, compressor)
    assert same(codec.loads(codec.dumps(value)), value)


@given(compressors, st.integers(0, 40), st.binary(max_size=60) | st.binary(max_size=60).map(lambda data: data * 9))
@example(ZlibCompressor(), 15, ZlibCompressor().compress(b"a body that somebody compressed already"))
@example(ZlibCompressor(wbits=-15), 15, ZlibCompressor(wbits=-15).compress(b"x"))
@example(ZlibCompressor(wbits=31), 15, ZlibCompressor(wbits=31).compress(b"x"))
@example(ZlibCompressor(), 15, b"")
def test_raw_bytes_round_trip_or_are_refused_before_sending(
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
def test_stored_bytes_give_a_value_or_the_default_and_never_raise(
    serializer: Serializer, compressor: Compressor, stored: bytes
) -> None:
    default = object()
    # Pickles of foreign bytes may build anything; the test claims only that no exception escapes.
    ValueCodec(serializer, compressor).loads(stored, default)


def test_values_over_the_minimum_are_compressed_if_that_makes_them_smaller() -> None:
    codec = ValueCodec(TextSerializer(), ZlibCompressor(), min_length=15)
    assert codec.dumps("a" * 15) == b"a" * 15
    assert codec.dumps("a" * 16) == ZlibCompressor().compress(b"a" * 16)
    assert codec.dumps("abcdefghijklmnopqrstuv") == b"abcdefghijklmnopqrstuv"


def test_bytes_that_look_compressed_are_compressed_again() -> None:
    codec = ValueCodec(RawSerializer(), ZlibCompressor())
    body = ZlibCompressor().compress(b"x")
    assert codec.dumps(body) == ZlibCompressor().compress(body)
    assert codec.loads(codec.dumps(body)) == body


frames = st.sampled_from([IdentityCompressor(), ZlibCompressor(), ZlibCompressor(1)])


@given(st.sampled_from(SERIALIZERS), frames, frames, plain)
def test_entries_stay_readable_when_zlib_is_switched_on_off_or_changed(
    serializer: Serializer, before: Compressor, after: Compressor, value: object
) -> None:
    stored = ValueCodec(serializer, before).dumps(value)
    assert same(ValueCodec(serializer, after).loads(stored), value)


def test_entry_of_the_former_serializer_is_read_by_a_fallback() -> None:
    stored = ValueCodec(JSONSerializer(), ZlibCompressor()).dumps({"a": [1] * 30})
    codec = ValueCodec(PickleSerializer(), IdentityCompressor(), fallbacks=(JSONSerializer(),))
    assert codec.loads(stored) == {"a": [1] * 30}
    assert codec.undecodable == 0


def test_unserializable_value_raises_with_its_type_and_without_itself() -> None:
    with pytest.raises(SerializationError, match="JSONSerializer cannot serialize a set") as caught:
        ValueCodec(JSONSerializer(), IdentityCompressor()).dumps({"s3cr3t"})
    assert isinstance(caught.value.__cause__, TypeError)
    assert "s3cr3t" not in str(caught.value)


class TextOnlySerializer:
    """A serializer that returns text, as json.dumps does."""

    def dumps(self, value: object, /) -> bytes:
        return str(value)  # type: ignore[return-value]  # the mistake that is tested

    def loads(self, data: bytes, /) -> object:
        return data


def test_serializer_that_returns_no_bytes_is_reported() -> None:
    with pytest.raises(SerializationError, match="must return bytes, not str"):
        ValueCodec(TextOnlySerializer(), IdentityCompressor()).dumps("a")


@dataclass(frozen=True)
class BrokenCompressor:
    """A compressor that fails."""

    def compress(self, data: bytes, /) -> bytes:
        raise RuntimeError(data)

    def decompress(self, data: bytes, /) -> bytes:
        raise RuntimeError(data)


def test_compressor_that_fails_raises_before_sending() -> None:
    with pytest.raises(SerializationError, match="BrokenCompressor cannot compress: RuntimeError"):
        ValueCodec(PickleSerializer(), BrokenCompressor()).dumps("a long enough value")


def test_undecodable_entry_is_a_miss_counted_and_logged_once_a_type(
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


def test_undecodable_entry_raises_if_configured() -> None:
    codec = ValueCodec(PickleSerializer(), IdentityCompressor(), alias="pages", raise_undecodable=True)
    with pytest.raises(DecodeError, match=r"'pages'.*PickleSerializer cannot read an entry: UnpicklingError"):
        codec.loads(b"\xff garbage")
    assert codec.undecodable == 1


class Bomb:
    """An object that raises when it is compared."""

    __hash__ = None  # type: ignore[assignment]  # it cannot be compared

    @override
    def __eq__(self, other: object) -> bool:
        raise RuntimeError


def test_incomparable_value_is_compared_by_its_bytes() -> None:
    class One(TextSerializer):
        @override
        def dumps(self, value: object, /) -> bytes:
            return b"1" if value else b"0"

    with pytest.raises(SerializationError, match="Bomb would be read as a number"):
        ValueCodec(One(), IdentityCompressor()).dumps(Bomb())


def test_empty_entry_is_read_by_the_serializer() -> None:
    assert ValueCodec(RawSerializer(), ZlibCompressor()).loads(b"", "default") == b""


def test_entries_of_django_valkey_are_read_and_written_alike() -> None:
    codec = ValueCodec(PickleSerializer(), IdentityCompressor())
    assert codec.dumps({"a": 1}) == pickle.dumps({"a": 1}, pickle.DEFAULT_PROTOCOL)
    assert codec.dumps(True) == pickle.dumps(True, pickle.DEFAULT_PROTOCOL)
    assert ValueCodec(JSONSerializer(), IdentityCompressor()).dumps({"a": [1, 2]}) == b'{"a": [1, 2]}'
