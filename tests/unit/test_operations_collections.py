"""Test operations on collections: commands, decoded replies, errors of an older server."""

from typing import Any

import pytest

from dvcache.effects import OnPrimary, Op
from dvcache.errors import NotSupportedError, ServerError, reply_error
from dvcache.operations import hashes, lists, sets, sorted_set_ranges, sorted_sets
from dvcache.testing.replays import replay
from tests.support.operation_contexts import CX, context

BROKEN = b"\x80\xff"
"""Bytes that are no pickle."""


def test_undecodable_members_are_left_out_and_a_single_one_is_none() -> None:
    assert replay(sets.smembers(CX, "s"), ((("SMEMBERS", b"p:1:s"),), [[b"1", BROKEN]])) == {1}
    assert replay(sets.spop(CX, "s"), ((("SPOP", b"p:1:s"),), [BROKEN])) is None
    assert replay(sets.srandmember(CX, "s", 2), ((("SRANDMEMBER", b"p:1:s", 2),), [[b"1", BROKEN]])) == [1]
    assert replay(lists.lrange(CX, "l"), ((("LRANGE", b"p:1:l", 0, -1),), [[BROKEN, b"1"]])) == [1]
    asked = (("ZRANGE", b"p:1:z", 0, -1, "WITHSCORES"),)
    assert replay(sorted_set_ranges.zrange(CX, "z", 0, -1, withscores=True), (asked, [[BROKEN, b"1", b"2", b"3"]])) == [
        (2, 3.0)
    ]
    fields = [b"p:1:a", b"1", b"p:1:b", BROKEN]
    assert replay(hashes.hgetall(CX, "h"), ((("HGETALL", b"p:1:h"),), [fields])) == {"a": 1}
    assert replay(hashes.hget(CX, "h", "b", default=5), ((("HGET", b"p:1:h", b"p:1:b"),), [BROKEN])) == 5
    assert replay(hashes.hvals(CX, "h"), ((("HVALS", b"p:1:h"),), [[b"1", BROKEN]])) == [1]


def test_set_replies_may_be_of_either_protocol() -> None:
    assert replay(sets.smembers(CX, "s"), ((("SMEMBERS", b"p:1:s"),), [{b"1", b"2"}])) == {1, 2}
    assert replay(sets.sismember(CX, "s", 1), ((("SISMEMBER", b"p:1:s", b"1"),), [True])) is True
    assert replay(sorted_sets.zscore(CX, "z", 1), ((("ZSCORE", b"p:1:z", b"1"),), [1.5])) == 1.5


def test_scan_continues_at_the_primary_until_the_end() -> None:
    first = OnPrimary((("SSCAN", b"p:1:s", 0, "COUNT", 1000),)), [[b"7", [b"1", b"2"]]]
    second = OnPrimary((("SSCAN", b"p:1:s", 7, "COUNT", 1000),)), [[b"0", [b"2", b"3"]]]
    assert replay(sets.sscan(CX, "s"), first, second) == {1, 2, 3}


def test_pattern_of_fields_is_sent_and_pattern_of_members_is_not() -> None:
    asked = OnPrimary((("HSCAN", b"p:1:h", 0, "MATCH", b"p:1:f*", "COUNT", 5),))
    assert replay(hashes.hscan_page(CX, "h", 0, "f*", 5), (asked, [[b"9", [b"p:1:f", b"1"]]])) == (9, [("f", 1)])
    asked = OnPrimary((("SSCAN", b"p:1:s", 0, "COUNT", 5),))
    assert replay(sets.sscan_page(CX, "s", 0, "2*", 5), (asked, [[b"9", [b"1", b"21"]]])) == (9, [21])


@pytest.mark.parametrize("op", [sets.sadd, sets.srem, lists.lpush, lists.rpush, sorted_sets.zrem])
def test_empty_values_write_nothing(op: Any) -> None:
    length = [((("LLEN", b"p:1:k"),), [3])] if op in {lists.lpush, lists.rpush} else []
    assert replay(op(CX, "k"), *length) == (3 if length else 0)


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (lambda: hashes.hmget(CX, "h", "name"), "hmget takes the fields in a list, not str; hget takes one field"),
        (lambda: sorted_sets.zadd(CX, "z", ["a", 1]), "zadd takes a mapping of members to their scores, not list"),  # type: ignore[arg-type]  # as given
    ],
)
def test_arguments_of_another_library_are_refused_with_the_right_form(op: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        replay(op())


@pytest.mark.parametrize(
    ("prefixed", "name", "stored"),
    [
        (True, "h", b"p:1:h"),
        (False, "h", b"h"),
        (False, "ü", "ü".encode()),
        (False, b"\xff", b"\xff"),
        (False, 7, b"7"),
    ],
)
def test_hash_is_stored_under_its_key_or_its_name_alone(prefixed: bool, name: Any, stored: bytes) -> None:
    cx = context(prefixed_hashes=prefixed)
    assert replay(hashes.hlen(cx, name), ((("HLEN", stored),), [1])) == 1


OLD = reply_error("ERR unknown command 'HPEXPIRE', with args beginning with: ")
LIFETIMES: list[tuple[Op[object], tuple[Any, ...]]] = [
    (hashes.hset(CX, "h", "f", 1, timeout=5), ("HSETEX", b"p:1:h", "PX", 5000, "FIELDS", 1, b"p:1:f", b"1")),
    (hashes.hexpire(CX, "h", "f", 5), ("HPEXPIRE", b"p:1:h", 5000, "FIELDS", 1, b"p:1:f")),
    (hashes.hexpire(CX, "h", "f", None), ("HPERSIST", b"p:1:h", "FIELDS", 1, b"p:1:f")),
    (hashes.hpersist(CX, "h", "f"), ("HPERSIST", b"p:1:h", "FIELDS", 1, b"p:1:f")),
    (hashes.httl(CX, "h", "f"), ("HPTTL", b"p:1:h", "FIELDS", 1, b"p:1:f")),
]


@pytest.mark.parametrize(("op", "asked"), LIFETIMES, ids=[asked[0] for _, asked in LIFETIMES])
def test_missing_field_expiry_commands_are_reported_with_the_remedy(op: Op[object], asked: tuple[Any, ...]) -> None:
    with pytest.raises(NotSupportedError, match=rf"^{asked[0]}: .*Valkey 9.0; .*expire\(\)"):
        replay(op, ((asked,), [OLD]))


def test_other_field_expiry_errors_are_those_of_the_server() -> None:
    with pytest.raises(ServerError, match="OOM"):
        replay(hashes.hexpire(CX, "h", "f", 5), ((LIFETIMES[1][1],), [reply_error("OOM command not allowed")]))


def test_lset_out_of_range_is_no_error() -> None:
    asked = (("LSET", b"p:1:l", 5, b"1"),)
    assert replay(lists.lset(CX, "l", 5, 1), (asked, [reply_error("ERR index out of range")])) is False
    with pytest.raises(ServerError, match="OOM"):
        replay(lists.lset(CX, "l", 5, 1), (asked, [reply_error("OOM command not allowed")]))
