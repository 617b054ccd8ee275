"""Test RESP3 replies without the pushes between them, in any chunks of bytes."""

import itertools
from collections.abc import Sequence
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from dvcache.pools.resp3_parser import INCOMPLETE, Resp3Reader, resp2_reader


def bulk(data: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(data), data)


def array(kind: bytes, items: Sequence[bytes]) -> bytes:
    return b"%b%d\r\n%b" % (kind, len(items), b"".join(items))


PUSH_LIKE: Final = b"\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"

texts = st.one_of(st.binary(max_size=30), st.sampled_from([PUSH_LIKE, b">", b"\n>", b"\r\n|1\r\n", b"+OK\r\n", b""]))
lines = st.text("abc >|+", max_size=6).map(str.encode)
bulks = texts.map(lambda data: (bulk(data), data))
simple = lines.map(lambda line: (b"+%b\r\n" % line, line))
numbers = st.integers(-(2**40), 2**40).map(lambda number: (b":%d\r\n" % number, number))
nulls = st.just((b"_\r\n", None))
flat = st.one_of(bulks, simple, numbers, nulls)


def listed(items: list[tuple[bytes, Any]]) -> tuple[bytes, Any]:
    return array(b"*", [item[0] for item in items]), [item[1] for item in items]


replies = st.recursive(flat, lambda inner: st.lists(inner, max_size=4).map(listed), max_leaves=8)
pushes = st.one_of(
    st.lists(texts, min_size=1, max_size=3).map(lambda keys: array(b">", [bulk(key) for key in keys])),
    texts.map(lambda key: b">2\r\n" + bulk(b"invalidate") + array(b"*", [bulk(key)])),
    st.just(b">2\r\n$10\r\ninvalidate\r\n_\r\n"),
    texts.map(lambda text: b"|1\r\n+key-popularity\r\n" + bulk(text)),
)
messages = st.lists(st.one_of(replies, pushes.map(lambda data: (data, INCOMPLETE))), max_size=12)


def chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


def read(reader: Resp3Reader) -> list[Any]:
    found = []
    while (reply := reader.gets()) is not INCOMPLETE:
        found.append(reply)
    return found


@given(messages, st.lists(st.integers(0, 10_000), max_size=40))
def test_replies_are_the_same_in_any_chunks_and_with_any_pushes(sent: list[tuple[bytes, Any]], cuts: list[int]) -> None:
    reader = Resp3Reader(resp2_reader(ValueError))
    found: list[Any] = []
    for chunk in chunks(b"".join(data for data, _ in sent), cuts):
        buffer = bytearray(b"xx" + chunk + b"yy")
        reader.feed(buffer, 2, len(chunk))
        found += read(reader)
    assert found == [value for _, value in sent if value is not INCOMPLETE]
    assert not reader.has_data()


@given(messages)
def test_replies_are_the_same_byte_by_byte(sent: list[tuple[bytes, Any]]) -> None:
    reader = Resp3Reader(resp2_reader(ValueError))
    found: list[Any] = []
    for byte in b"".join(data for data, _ in sent):
        reader.feed(bytes([byte]))
        found += read(reader)
    assert found == [value for _, value in sent if value is not INCOMPLETE]


@given(replies)
def test_partial_reply_is_data_and_partial_push_is_none(reply: tuple[bytes, Any]) -> None:
    data, value = reply
    for end in range(1, len(data)):
        reader = Resp3Reader(resp2_reader(ValueError))
        reader.feed(data[:end])
        assert reader.has_data()
        assert reader.gets() is INCOMPLETE
        reader = Resp3Reader(resp2_reader(ValueError))
        reader.feed(b">1\r\n" + data[:end])
        assert not reader.has_data()
        assert reader.gets() is INCOMPLETE
    assert value is not INCOMPLETE
