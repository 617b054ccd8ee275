"""Test that the in-memory server replies as the real one to random commands on collections."""

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dvcache.memory import MemoryPool
from dvcache.memory.store import MemoryStore
from dvcache.protocols import Pool
from dvcache.types import Command, Endpoint
from tests.support.memory_agreement import FLOATS, KEYS, PATTERNS, SOME_KEYS, VALUES, answers, command

pytestmark = pytest.mark.full("draws many random commands")

MEMBERS = st.lists(VALUES, min_size=1, max_size=4)
OPTIONS = st.sampled_from([[], ["COUNT", 1], ["COUNT", 0], ["COUNT", "x"], ["MATCH"], ["BAD", 1]])
CURSORS = st.sampled_from(["0", "x", "-1", ""])
ANY = command(st.sampled_from(["DEL", "EXISTS", "GET", "PERSIST", "PTTL"]), KEYS) | command(
    st.sampled_from(["SET", "PEXPIRE"]), KEYS, st.just(b"100000000")
)

SETS = st.one_of(
    command("SADD", KEYS, MEMBERS),
    command("SADD", KEYS, MEMBERS),
    command("SREM", KEYS, MEMBERS),
    command(st.sampled_from(["SCARD", "SMEMBERS"]), KEYS),
    command("SISMEMBER", KEYS, VALUES),
    command("SMISMEMBER", KEYS, MEMBERS),
    command("SMOVE", KEYS, KEYS, VALUES),
    command("SPOP", KEYS, st.sampled_from([[0], [2**63 - 1], [-1], ["x"]])),
    command("SRANDMEMBER", KEYS, st.sampled_from([[0], [1], [2], [-3], ["x"], [-(2**63)]])),
    command(st.sampled_from(["SUNION", "SINTER", "SDIFF"]), SOME_KEYS),
    command(st.sampled_from(["SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"]), KEYS, SOME_KEYS),
    command("SSCAN", KEYS, CURSORS, OPTIONS),
    command("SSCAN", KEYS, st.just("0"), st.just("MATCH"), PATTERNS),
    command(st.sampled_from(["SADD", "SMOVE", "SSCAN", "SUNION", "SDIFFSTORE"]), st.lists(KEYS, max_size=1)),
)

FIELDS = st.sampled_from(["f", "g", "fg", "", "é"])
SOME_FIELDS = st.lists(FIELDS, min_size=1, max_size=3)
PAIRS = st.lists(st.tuples(FIELDS, VALUES), min_size=1, max_size=3)
FLAT = PAIRS.map(lambda pairs: [part for pair in pairs for part in pair])
TIMES = st.sampled_from([200_000_000, 10**10, -1, "x", 2**63 - 1])
COUNTED = SOME_FIELDS.map(lambda fields: ["FIELDS", len(fields), *fields])
MISCOUNTED = st.sampled_from([["FIELDS", 2, "f"], ["FIELDS", 1, "f", "g"]])
HASH_TIMES = st.sampled_from([[], ["PX", 10**9], ["EX", 10**6], ["PXAT", 1], ["EX", -1], ["PX", 1, "EX", 1], ["BAD"]])

HASHES = st.one_of(
    command("HSET", KEYS, FLAT),
    command("HSET", KEYS, FLAT),
    command("HSETNX", KEYS, FIELDS, VALUES),
    command(st.sampled_from(["HGET", "HEXISTS", "HGET"]), KEYS, FIELDS),
    command(st.sampled_from(["HMGET", "HDEL"]), KEYS, SOME_FIELDS),
    command(st.sampled_from(["HLEN", "HKEYS", "HVALS", "HGETALL"]), KEYS),
    command("HINCRBY", KEYS, FIELDS, VALUES),
    command("HSCAN", KEYS, CURSORS, OPTIONS),
    command("HSCAN", KEYS, st.just("0"), st.just(["MATCH", "f*"])),
    command("HPEXPIRE", KEYS, TIMES, COUNTED),
    command("HPEXPIRE", KEYS, st.just(100_000_000), MISCOUNTED),
    command(st.sampled_from(["HPTTL", "HPERSIST"]), KEYS, COUNTED),
    command("HPERSIST", KEYS, MISCOUNTED),
    command("HSETEX", KEYS, HASH_TIMES, PAIRS.map(lambda pairs: ["FIELDS", len(pairs), *sum(pairs, ())])),
    command("HSETEX", KEYS, st.just(["FIELDS", 2, "f", b"1"])),
    command(st.sampled_from(["HSET", "HGET", "HSCAN"]), st.lists(KEYS, max_size=3)),
)


def number(reply: object) -> float | str:
    """Return the number of a reply, or the text of any other."""
    return float(reply) if isinstance(reply, bytes) else str(reply)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(FLOATS | st.integers(-(2**40), 2**40), st.lists(FLOATS | st.floats(-1000, 1000), min_size=1, max_size=5))
def test_float_increments_reply_alike_as_numbers(real: Pool, first: object, amounts: list[object]) -> None:
    commands: list[Any] = [("HSET", "a", "f", first), *(("HINCRBYFLOAT", "a", "f", amount) for amount in amounts)]
    found, expected = (answers(pool, commands) for pool in (MemoryPool(MemoryStore(), Endpoint()), real))
    assert [number(reply) for _, reply in found] == pytest.approx([number(reply) for _, reply in expected])


INDICES = st.sampled_from([0, 1, 2, 5, -1, -2, -9, "x"])
ENDS = st.sampled_from(["LEFT", "RIGHT", "left", "BAD"])

LISTS = st.one_of(
    command(st.sampled_from(["LPUSH", "RPUSH"]), KEYS, MEMBERS),
    command(st.sampled_from(["LPUSH", "RPUSH"]), KEYS, MEMBERS),
    command(st.sampled_from(["LPOP", "RPOP"]), KEYS, st.sampled_from([[], [0], [1], [2], [99], [-1], ["x"], [1, 1]])),
    command("LLEN", KEYS),
    command(st.sampled_from(["LRANGE", "LTRIM"]), KEYS, INDICES, INDICES),
    command("LRANGE", KEYS, st.just(0), st.just(-1)),
    command("LINDEX", KEYS, INDICES),
    command("LSET", KEYS, INDICES, VALUES),
    command("LREM", KEYS, INDICES, VALUES),
    command("LINSERT", KEYS, st.sampled_from(["BEFORE", "after", "BAD"]), VALUES, VALUES),
    command("LPOS", KEYS, VALUES),
    command("LMOVE", KEYS, KEYS, ENDS, ENDS),
    command(st.sampled_from(["LPUSH", "LPOP", "LRANGE", "LMOVE"]), st.lists(KEYS, max_size=1)),
)

SCORES = st.sampled_from([0, 1, 2.5, -3, "inf", "-inf", "1e3", "0.1", "x", "", 10**20])
BOUNDS = SCORES | st.sampled_from(["(1", "(2.5", "(-inf", "+inf", "(", "[1"])
SCORES_OF = st.lists(st.tuples(SCORES, FIELDS), min_size=1, max_size=3).map(lambda pairs: [*sum(pairs, ())])
CHANGES = st.lists(st.sampled_from(["NX", "XX", "GT", "LT", "CH", "INCR", "nx"]), max_size=2, unique=True)
RANGES = st.lists(
    st.sampled_from([["REV"], ["WITHSCORES"], ["LIMIT", 0, 2], ["LIMIT", 1, -1], ["LIMIT", -1, 5], ["LIMIT", "x", 1]]),
    max_size=3,
    unique_by=lambda option: option[0],
).map(lambda options: [part for option in options for part in option])

SORTED_SETS = st.one_of(
    command("ZADD", KEYS, SCORES_OF),
    command("ZADD", KEYS, CHANGES, SCORES_OF),
    command("ZADD", KEYS, st.sampled_from([["BAD", 1, "f"], [1], [1, "f", 2], ["NX", 1]])),
    command("ZINCRBY", KEYS, SCORES, FIELDS),
    command(st.sampled_from(["ZREM", "ZMSCORE"]), KEYS, SOME_FIELDS),
    command("ZSCORE", KEYS, FIELDS),
    command(st.sampled_from(["ZRANK", "ZREVRANK"]), KEYS, FIELDS),
    command("ZCARD", KEYS),
    command(st.sampled_from(["ZCOUNT", "ZREMRANGEBYSCORE"]), KEYS, BOUNDS, BOUNDS),
    command("ZREMRANGEBYRANK", KEYS, INDICES, INDICES),
    command(st.sampled_from(["ZPOPMIN", "ZPOPMAX"]), KEYS, st.sampled_from([[], [0], [1], [2], [-1], ["x"]])),
    command(
        "ZRANGE", KEYS, INDICES, INDICES, st.sampled_from([[], ["REV"], ["WITHSCORES", "rev"], ["BAD"], ["LIMIT"]])
    ),
    command("ZRANGE", KEYS, BOUNDS, BOUNDS, st.just("BYSCORE"), RANGES),
    command("ZSCAN", KEYS, CURSORS, OPTIONS),
    command("ZSCAN", KEYS, st.just("0"), st.just("MATCH"), PATTERNS),
    command(st.sampled_from(["ZADD", "ZRANGE", "ZRANK", "ZSCAN", "ZPOPMIN"]), st.lists(KEYS, max_size=2)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.lists(SETS | ANY, max_size=20))
@example([("SADD", "a", b"1"), ("SPOP", "a"), ("SPOP", "a"), ("SRANDMEMBER", "a"), ("EXISTS", "a")])
@example([("SADD", "a", b"1"), ("PEXPIRE", "a", 10**9), ("SUNIONSTORE", "a", "a"), ("PTTL", "a")])
def test_sets_reply_alike_to_random_commands(real: Pool, commands: list[Command]) -> None:
    fake = MemoryPool(MemoryStore(), Endpoint())
    assert answers(fake, commands) == answers(real, commands)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(HASHES | ANY, max_size=20))
@example(
    [("HSETEX", "a", "PX", 10**9, "FIELDS", 1, "f", b"1"), ("HINCRBY", "a", "f", 1), ("HPTTL", "a", "FIELDS", 1, "f")]
)
@example(
    [("HSETEX", "a", "EX", 10**6, "FIELDS", 1, "f", b"1"), ("HSET", "a", "f", b"2"), ("HPTTL", "a", "FIELDS", 1, "f")]
)
def test_hashes_reply_alike_to_random_commands(real: Pool, commands: list[Command]) -> None:
    fake = MemoryPool(MemoryStore(), Endpoint())
    assert answers(fake, commands) == answers(real, commands)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(LISTS | ANY, max_size=20))
@example([("RPUSH", "a", b"1", b"2"), ("LMOVE", "a", "a", "LEFT", "RIGHT"), ("LRANGE", "a", 0, -1)])
@example([("RPUSH", "a", b"1"), ("SADD", "b", b"2"), ("LMOVE", "a", "b", "LEFT", "LEFT"), ("LRANGE", "a", 0, -1)])
def test_lists_reply_alike_to_random_commands(real: Pool, commands: list[Command]) -> None:
    fake = MemoryPool(MemoryStore(), Endpoint())
    assert answers(fake, commands) == answers(real, commands)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=250)
@given(st.lists(SORTED_SETS | ANY, max_size=20))
@example([("ZADD", "a", "inf", "f"), ("ZINCRBY", "a", "-inf", "f"), ("ZRANGE", "a", 0, -1, "WITHSCORES")])
@example([("ZADD", "a", 1, "f", 2, "f"), ("ZADD", "a", "CH", 2, "f", 1, "f"), ("ZADD", "a", "INCR", "XX", 1, "g")])
def test_sorted_sets_reply_alike_to_random_commands(real: Pool, commands: list[Command]) -> None:
    fake = MemoryPool(MemoryStore(), Endpoint())
    assert answers(fake, commands) == answers(real, commands)
