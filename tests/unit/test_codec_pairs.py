"""Test every serializer with every compressor: values round-trip, and no stored bytes raise."""

import asyncio
import datetime as dt
import lzma
import math
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dvcache import Container, Settings
from dvcache.codec import ValueCodec
from dvcache.compressors import IdentityCompressor, ZlibCompressor
from dvcache.compressors.brotli import BrotliCompressor
from dvcache.compressors.bz2 import Bz2Compressor
from dvcache.compressors.gzip import GzipCompressor
from dvcache.compressors.lz4 import Lz4Compressor
from dvcache.compressors.lzma import LzmaCompressor
from dvcache.compressors.zstd import ZstdCompressor
from dvcache.errors import SerializationError
from dvcache.protocols import Compressor, Serializer
from dvcache.serializers import JSONSerializer, PickleSerializer, SignedSerializer, TypedSerializer
from dvcache.serializers.msgpack import MSGPackSerializer
from dvcache.serializers.msgspec import MsgSpecJsonSerializer, MsgSpecMsgPackSerializer
from tests.support.value_shapes import same

RAW = [{"id": lzma.FILTER_LZMA2, "preset": 1}]
COMPRESSORS: list[Compressor] = [
    IdentityCompressor(),
    ZlibCompressor(),
    ZlibCompressor(wbits=-15),
    GzipCompressor(),
    Bz2Compressor(),
    LzmaCompressor(0),
    LzmaCompressor(0, lzma.FORMAT_ALONE),
    LzmaCompressor(0, lzma.FORMAT_RAW, filters=RAW),
    Lz4Compressor(),
    Lz4Compressor(3, checksum=True, linked=False, store_size=False),
    ZstdCompressor(),
    ZstdCompressor(dictionary=b"apple banana cherry " * 9),
    BrotliCompressor(),
]
FRAMED = [each for each in COMPRESSORS if getattr(each, "magic", b"") and "dictionary" not in repr(each)][:6]

short = st.integers(-(2**63), 2**64 - 1)
long = st.builds(int.__lshift__, st.integers(), st.integers(0, 200) | st.integers(0, 20_000))
text = st.text(st.characters(exclude_categories=["Cs"]))
finite = st.floats(allow_nan=False, allow_infinity=False)
# Python limits the digits of an int that it reads and writes.
readable = long.filter(lambda number: number.bit_length() < 14_000)


def nested(leaves: st.SearchStrategy[object], keys: st.SearchStrategy[object] = text) -> st.SearchStrategy[object]:
    return st.recursive(leaves, lambda each: st.lists(each, max_size=4) | st.dictionaries(keys, each, max_size=4))


zones = (
    st.none()
    | st.sampled_from([dt.UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")])
    | st.timedeltas(dt.timedelta(hours=-23), dt.timedelta(hours=23)).map(dt.timezone)
)
moments = st.builds(
    lambda moment, zone, fold: moment.replace(tzinfo=zone, fold=fold), st.datetimes(), zones, st.sampled_from([0, 1])
)
times = st.builds(lambda each, zone: each.replace(tzinfo=zone), st.times(), zones)
known = moments | times | st.dates() | st.timedeltas() | st.decimals(allow_nan=False) | st.uuids() | st.binary()
hashable = st.recursive(
    st.none() | st.booleans() | long | st.floats(allow_nan=False) | st.text() | known,
    lambda each: st.tuples(each, each) | st.frozensets(each, max_size=3),
    max_leaves=4,
)
typed = st.recursive(
    hashable | st.just(math.inf),
    lambda each: (
        st.lists(each, max_size=3)
        | st.tuples(each, each)
        | st.dictionaries(hashable, each, max_size=3)
        | st.dictionaries(st.sampled_from(["$", "$set", "$dict", "a"]), each, max_size=2)
        | st.sets(hashable, max_size=3)
    ),
    max_leaves=8,
)
json = nested(st.none() | st.booleans() | readable | st.floats(allow_nan=False) | st.text(), st.text())
packed = nested(
    st.none() | st.booleans() | short | st.floats(allow_nan=False) | text | st.binary(), text | short | st.booleans()
)

EXPRESSIBLE: list[tuple[Serializer, st.SearchStrategy[object]]] = [
    (PickleSerializer(), typed),
    (PickleSerializer(4), typed),  # older msgpack loses the fold of a time
    (SignedSerializer(PickleSerializer(), ["a secret"]), typed),
    (TypedSerializer(), typed),
    (SignedSerializer(TypedSerializer(), [b"a secret"]), typed),
    (JSONSerializer(), json),
    (MSGPackSerializer(), packed),
    (MsgSpecJsonSerializer(), nested(st.none() | st.booleans() | short | finite | text)),
    (MsgSpecMsgPackSerializer(), packed),
]
SERIALIZERS = [serializer for serializer, _ in EXPRESSIBLE]
compressors = st.sampled_from(COMPRESSORS)


@dataclass
class Stores:
    """In-memory caches, one for each pair, made once."""

    containers: dict[str, Container] = field(default_factory=dict)

    def of(self, serializer: Serializer, compressor: Compressor) -> Container:
        options = {"SERIALIZER": serializer, "COMPRESSOR": compressor, "SERIALIZER_FALLBACKS": [JSONSerializer()]}
        name = repr((serializer, compressor))
        if name not in self.containers:
            self.containers[name] = Container(Settings.parse({"LOCATION": "memory://", "OPTIONS": options}))
        return self.containers[name]


stores = Stores()


@pytest.mark.full("large data, or many random ones")
@pytest.mark.parametrize(("serializer", "values"), EXPRESSIBLE, ids=lambda each: repr(each)[:40])
@settings(max_examples=20)
@given(st.data())
def test_values_of_a_serializer_keep_their_type_with_every_compressor(
    serializer: Serializer, values: st.SearchStrategy[object], data: st.DataObject
) -> None:
    value = data.draw(values)
    for compressor in COMPRESSORS:
        codec = ValueCodec(serializer, compressor)
        assert same(codec.loads(codec.dumps(value)), value), compressor
        cache = stores.of(serializer, compressor).cache()
        # long enough to be compressed
        cache.set("k", [value] * 30)
        assert same(cache.get("k"), [value] * 30), compressor


class Unknown:
    """An object of a type that only pickle can write."""


STRICT = (TypedSerializer(), SignedSerializer(TypedSerializer(), ["k"]))


@given(st.sampled_from(STRICT), typed, st.sampled_from([Unknown(), Fraction(1, 3), range(3), 1j, bytearray(b"a")]))
def test_typed_serializer_refuses_values_that_do_not_round_trip(
    serializer: Serializer, value: object, stranger: object
) -> None:
    with pytest.raises(SerializationError):
        ValueCodec(serializer, IdentityCompressor()).dumps([value, {"a": stranger}])


@given(st.sampled_from(SERIALIZERS), st.sampled_from(FRAMED), st.sampled_from([*FRAMED, IdentityCompressor()]), packed)
def test_entries_stay_readable_under_every_other_compressor(
    serializer: Serializer, before: Compressor, after: Compressor, value: object
) -> None:
    written = ValueCodec(TypedSerializer() if serializer in STRICT else PickleSerializer(), before).dumps([value] * 9)
    reader = ValueCodec(TypedSerializer() if serializer in STRICT else PickleSerializer(), after)
    assert same(reader.loads(written), [value] * 9)
    assert reader.undecodable == 0


looks_like = st.sampled_from(
    [
        b"",
        b"S1",
        b"\x1f\x8b\x08",
        b"x\x9c",
        b"BZh9",
        b"\xfd7zXZ\x00",
        b"\x04\x22\x4d\x18",
        b"\x28\xb5\x2f\xfd",
        b"-",
        b'{"$',
    ]
)
stored = st.builds(bytes.__add__, looks_like, st.binary(max_size=80)) | st.builds(
    lambda compressor, data: compressor.compress(data), compressors, st.binary(max_size=80)
)


@given(st.sampled_from(SERIALIZERS), compressors, stored)
@example(TypedSerializer(), IdentityCompressor(), b'{"$uuid": 5}')
@example(TypedSerializer(), IdentityCompressor(), b'{"$datetime": ["2026-01-02", "../../etc/passwd", 0]}')
@example(TypedSerializer(), IdentityCompressor(), b'{"$unknown": 5}')
@example(TypedSerializer(), IdentityCompressor(), b"[" * 100_000)
@example(MSGPackSerializer(), IdentityCompressor(), b"\x91" * 100_000)
def test_stored_bytes_give_a_value_or_a_miss_and_no_exception(
    serializer: Serializer, compressor: Compressor, entry: bytes
) -> None:
    container, missing = stores.of(serializer, compressor), object()
    container.client().execute((("SET", ":1:k", entry),))
    found = container.cache().get("k", missing)
    many = container.cache().get_many(["k", "other"])
    assert many.keys() <= {"k"}
    awaited = asyncio.run(_aget(container, missing))
    assert (found is missing) == (awaited is missing)
    if isinstance(serializer, SignedSerializer) and found is not missing:
        # The key reads nothing: the entry is a number, or JSON of the fallback.
        assert found is None or isinstance(found, bool | int | float | str | list | dict)


async def _aget(container: Container, missing: object) -> object:
    return await container.async_cache().get("k", missing)


@pytest.mark.parametrize("serializer", SERIALIZERS, ids=repr)
@pytest.mark.parametrize("compressor", COMPRESSORS, ids=repr)
def test_unserializable_value_raises_before_sending(serializer: Serializer, compressor: Compressor) -> None:
    with pytest.raises(SerializationError):
        ValueCodec(serializer, compressor).dumps({"a": (each for each in "abc")})


@pytest.mark.parametrize("serializer", [MSGPackSerializer(), MsgSpecMsgPackSerializer()], ids=repr)
def test_number_of_another_type_read_as_another_number_is_refused(serializer: Serializer) -> None:
    class Size(IntEnum):
        LARGE = 49  # in MessagePack the byte of the digit 1
        HUGE = 300

    codec = ValueCodec(serializer, IdentityCompressor(), alias="shop")
    with pytest.raises(SerializationError, match=r"'shop'.*a Size would be read as a number"):
        codec.dumps(Size.LARGE)
    assert codec.loads(codec.dumps(Size.HUGE)) == Size.HUGE
    assert codec.loads(codec.dumps([Size.LARGE])) == [49]


def test_equal_times_of_different_zones_are_distinguished() -> None:
    summer = dt.datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    value = [summer, summer.astimezone(dt.UTC), dt.time(2, 30, fold=1), Decimal("1.50"), Decimal("-0"), UUID(int=7)]
    assert same(TypedSerializer().loads(TypedSerializer().dumps(value)), value)
    assert not same(summer, summer.astimezone(dt.UTC))
