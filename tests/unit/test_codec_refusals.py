"""Test that unreadable values are refused on writing, and that reading costs neither much time nor memory."""

import json
import logging
import pickle
import random
import resource
import subprocess
import sys
import time
import tracemalloc
from decimal import Decimal
from itertools import product
from typing import Any, Final
from uuid import UUID

import pytest

from dvcache import Container, DecodeError, SerializationError, Settings, TooLargeError
from dvcache.codec import TYPES, ValueCodec
from dvcache.compressors import IdentityCompressor, ZlibCompressor
from dvcache.errors import CacheError
from dvcache.protocols import Serializer
from dvcache.serializers import JSONSerializer, PickleSerializer, TypedSerializer
from dvcache.serializers.msgpack import MSGPackSerializer
from dvcache.testing import MemoryPoolFactory
from tests.support.programs import environment
from tests.unit.test_codec_pairs import COMPRESSORS, SERIALIZERS

LONG: Final = {"text": "x" * 1000}
P: Final = 2**61 - 1
"""Modulus of Python's hash of an int."""


class Returning:
    """A compressor that returns a given result."""

    def __init__(self, compressed: Any = b"", decompressed: Any = b"") -> None:
        self.compressed, self.decompressed = compressed, decompressed

    def compress(self, _: bytes, /) -> Any:
        return self.compressed

    def decompress(self, _: bytes, /) -> Any:
        return self.decompressed


class Marked(Returning):
    magic = b"MARK"


def refused(codec: ValueCodec, value: object) -> str:
    with pytest.raises(SerializationError) as caught:
        codec.dumps(value)
    return str(caught.value)


@pytest.mark.parametrize("value", [{(1, 2): 3}, [{(1, 2): 3}], {"a": [{((1,),): 2}]}, ({(): 1},)])
def test_msgpack_refuses_keys_that_it_cannot_read(value: object) -> None:
    codec = ValueCodec(MSGPackSerializer(), IdentityCompressor())
    assert "MSGPackSerializer" in refused(codec, value)
    assert codec.loads(codec.dumps({1: [2], "a": {b"b": None}})) == {1: [2], "a": {b"b": None}}


@pytest.mark.parametrize("packed", ["text", None, memoryview(b"x"), bytearray(b"x"), [b"x"], 1, Decimal(1)])
def test_compressor_that_returns_no_bytes_is_named_when_writing(packed: object) -> None:
    assert "Returning" in refused(ValueCodec(JSONSerializer(), Returning(packed)), LONG)


def test_compressor_whose_output_lacks_its_magic_is_named_when_writing() -> None:
    assert "Marked" in refused(ValueCodec(JSONSerializer(), Marked(b"other")), LONG)


@pytest.mark.parametrize("plain", ["text", None, [b"x"], 1])
def test_compressor_that_returns_no_bytes_is_named_when_reading(
    plain: object, caplog: pytest.LogCaptureFixture
) -> None:
    codec = ValueCodec(JSONSerializer(), Marked(b"MARK", plain))
    with caplog.at_level(logging.WARNING, "dvcache"):
        assert codec.loads(codec.dumps(LONG), "missed") == "missed"
    assert "Marked.decompress" in caplog.text
    assert "JSONSerializer cannot" not in caplog.text


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_compressor_may_decompress_to_any_kind_of_bytes(kind: Any) -> None:
    codec = ValueCodec(JSONSerializer(), Marked(b"MARK", kind(json.dumps(LONG).encode())))
    assert codec.loads(codec.dumps(LONG)) == LONG


class OneWay(Exception):
    """An object pickled with one argument and made from two."""

    def __init__(self, first: object, second: object) -> None:
        super().__init__(first)
        self.second = second


class Forgetful:
    """A serializer that cannot read its own output."""

    def dumps(self, value: object, /) -> bytes:
        return repr(value).encode()

    def loads(self, data: bytes, /) -> object:
        raise ValueError(data)


def test_value_that_its_serializer_cannot_read_is_refused_each_time() -> None:
    for serializer, value in ((PickleSerializer(), OneWay(1, 2)), (Forgetful(), [1])):
        codec = ValueCodec(serializer, ZlibCompressor())
        for _ in range(2):
            message = refused(codec, value)
            assert type(serializer).__name__ in message
            assert type(value).__name__ in message


def test_types_that_were_read_back_are_not_kept_for_ever() -> None:
    codec = ValueCodec(Shallow(), IdentityCompressor())
    for number in range(TYPES + 9):
        codec.dumps(type(f"Made{number}", (), {})())
    assert len(codec._readable) <= TYPES


class Shallow:
    def dumps(self, _: object, /) -> bytes:
        return b"x"

    def loads(self, data: bytes, /) -> object:
        return data


def test_errors_of_the_codec_are_those_of_pickle_too() -> None:
    with Container(Settings.parse({"LOCATION": "memory://pickles", "OPTIONS": {"RAISE_UNDECODABLE": True}})) as made:
        cache = made.cache()
        with pytest.raises(pickle.PicklingError) as caught:
            cache.set("k", lambda: None)
        assert isinstance(caught.value, SerializationError | TypeError | CacheError)
        for serializer in SERIALIZERS:
            with pytest.raises(pickle.PickleError):
                ValueCodec(serializer, IdentityCompressor()).dumps(object.__new__(Unstorable))
    assert issubclass(DecodeError, pickle.UnpicklingError)


class Unstorable:
    def __reduce_ex__(self, _: object) -> Any:
        raise OSError


def seconds(work: Any) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


COLLIDING: Final[dict[str, Any]] = {
    "ints": [{"$set": [n * P for n in range(30_000)]}],
    "frozen ints": [{"$frozenset": [n * P for n in range(30_000)]}],
    "keys": [{"$dict": [[n * P, 1] for n in range(30_000)]}],
    "negative": [{"$set": [{"$int": hex(-n * P)} for n in range(30_000)]}],
    "tuples": [{"$set": [{"$tuple": each} for each in product((-1, -2), repeat=14)]}],
    "tuples of ints": [{"$dict": [[{"$tuple": [n * P, "a"]}, 1] for n in range(30_000)]}],
    "frozensets": [{"$set": [{"$frozenset": [n * P]} for n in range(30_000)]}],
    "decimals": [{"$set": [{"$decimal": str(n * P)} for n in range(30_000)]}],
    "uuids": [{"$set": [{"$uuid": str(UUID(int=n * P))} for n in range(30_000)]}],
    "many sets": [{"$set": [n * P for n in range(100)]}] * 300,
    "deep": json.loads('{"$tuple":[' * 400 + "1" + "]}" * 400),
    "equal": [{"$set": [1] * 30_000}],
}


@pytest.mark.full("large data, or many random ones")
@pytest.mark.parametrize("name", COLLIDING)
def test_typed_serializer_takes_no_quadratic_time(name: str) -> None:
    data = json.dumps(COLLIDING[name]).encode()
    codec = ValueCodec(TypedSerializer(), IdentityCompressor())
    assert seconds(lambda: codec.loads(data)) < 3.0


@pytest.mark.parametrize(
    "text", ["9" * 200_000, '{"$decimal":"' + "9" * 200_000 + '"}', "[" * 200_000, '"' + "\\u0061" * 99_999]
)
def test_typed_serializer_reads_long_text_in_linear_time(text: str) -> None:
    codec = ValueCodec(TypedSerializer(), IdentityCompressor())
    assert seconds(lambda: codec.loads(text.encode())) < 3.0


def test_typed_serializer_refuses_to_write_values_it_would_not_read() -> None:
    codec = ValueCodec(TypedSerializer(), IdentityCompressor())
    for value in (
        {n * P for n in range(300)},
        frozenset(n * P for n in range(300)),
        dict.fromkeys(n * P for n in range(300)),
    ):
        assert "TypedSerializer" in refused(codec, [value])
    for value in (
        set(range(-9999, 9999)),
        {(x, y) for x in range(-90, 90) for y in range(-90, 90)},
        {n * P for n in range(99)},
    ):
        assert codec.loads(codec.dumps([value])) == [value]


FUZZ: Final = """
import random, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))
from tests.unit.test_codec_refusals import fuzz
print(fuzz(random.Random(int(sys.argv[1])), int(sys.argv[2])))
"""

SAMPLES: Final[tuple[Any, ...]] = (
    {"a": [1, 2.5, None, True, "text"], "b": {"c": ["d" * 50]}},
    ["x" * 300, *range(50)],
    "text" * 40,
    {str(n): n for n in range(40)},
)


def mutated(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0:
                changed[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                changed[place:place] = chance.randbytes(chance.randint(1, 9))
            case 2:
                del changed[place : place + chance.randint(1, 9)]
            case _:
                changed[place:place] = b"\xff" * chance.randint(1, 8)
    return bytes(changed)


def safe(serializer: Serializer) -> bool:
    """Return True if reading runs no code; mutated pickles may do anything."""
    return "Pickle" not in type(serializer).__name__


def fuzz(chance: random.Random, number: int) -> tuple[int, int]:
    """Read mutated entries by every safe pair; return how many were read as values and how many missed."""
    logging.disable()
    read = missed = 0
    pairs = [(s, c) for s in SERIALIZERS if safe(s) for c in COMPRESSORS]
    tracemalloc.start()
    for _ in range(number):
        serializer, compressor = chance.choice(pairs)
        codec = ValueCodec(serializer, compressor, max_size=2**20, others=lambda _: ())
        data = mutated(chance, codec.dumps(chance.choice(SAMPLES)))
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        value = codec.loads(data, codec)
        assert tracemalloc.get_traced_memory()[1] - before < 64 * 2**20, (serializer, compressor, data)
        missed += value is codec
        read += value is not codec
    return read, missed


@pytest.mark.full("large data, or many random ones")
def test_mutated_entries_are_values_or_misses_and_take_no_memory() -> None:
    assert resource.getrlimit(resource.RLIMIT_AS)
    command = [sys.executable, "-c", FUZZ, "8", "2000"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    read, missed = json.loads(done.stdout.replace("(", "[").replace(")", "]"))
    assert read + missed == 2000
    assert missed > 300


@pytest.mark.parametrize("value", ["x" * 200, b"x" * 200, list(range(100))], ids=["text", "bytes", "list"])
def test_value_over_the_largest_size_is_refused_and_nothing_is_sent(value: object) -> None:
    factory = MemoryPoolFactory()
    settings = Settings.parse({"LOCATION": "valkey://one", "OPTIONS": {"MAX_VALUE_SIZE": 150}}, alias="shop")
    with Container(settings, pool_factory=factory) as container:
        cache = container.cache()
        for store in (
            lambda: cache.set("k", value),
            lambda: cache.set_many({"a": 1, "k": value}),
            lambda: cache.lpush("l", value),
        ):
            with pytest.raises(TooLargeError, match=r"MAX_VALUE_SIZE'\] is 150.*shop|shop.*MAX_VALUE_SIZE'\] is 150"):
                store()
        assert cache.get_many(["a", "k"]) == {}
        cache.set("k", "short")
        assert cache.get("k") == "short"
