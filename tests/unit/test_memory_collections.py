"""Test commands on collections in memory, one guarantee each; test_collections_agree.py compares them with Valkey."""

import pytest

from dvcache.memory import MemoryPool
from dvcache.memory.store import MemoryStore
from dvcache.testing import ManualClock
from dvcache.types import Command, Endpoint

NOW = 1_700_000_000
SET: Command = ("SADD", "s", 1, 2, 3)
HASH: Command = ("HSET", "h", "f", 1, "g", "x")
LIST: Command = ("RPUSH", "l", "a", "b", "c", "a")
BOARD: Command = ("ZADD", "z", 1, "a", 2.5, "b", "inf", "c")

CASES: list[tuple[list[Command], object]] = [
    ([SET], 3),
    ([SET, ("SADD", "s", 3, 4)], 1),
    ([SET, ("SREM", "s", 3, 4)], 1),
    ([SET, ("SREM", "s", 1, 2, 3), ("EXISTS", "s")], 0),
    ([SET, ("SCARD", "s")], 3),
    ([SET, ("SISMEMBER", "s", 1)], 1),
    ([SET, ("SMISMEMBER", "s", 1, 9)], [1, 0]),
    ([("SADD", "s", 1), ("SMEMBERS", "s")], [b"1"]),
    ([SET, ("SMOVE", "s", "t", 1), ("SMEMBERS", "t")], [b"1"]),
    ([SET, ("SPOP", "s", 9), ("EXISTS", "s")], 0),
    ([("SADD", "s", 1), ("SRANDMEMBER", "s", -3)], [b"1", b"1", b"1"]),
    ([("SADD", "s", 1), ("SSCAN", "s", 0)], [b"0", [b"1"]]),
    ([SET, ("SADD", "t", 1, 2), ("SDIFF", "s", "t")], [b"3"]),
    ([SET, ("SADD", "t", 1), ("SINTER", "s", "t")], [b"1"]),
    ([("SADD", "s", 1), ("SUNION", "s", "t")], [b"1"]),
    ([SET, ("SADD", "t", 1, 2), ("SDIFFSTORE", "d", "s", "t")], 1),
    ([SET, ("SET", "d", 1), ("SINTERSTORE", "d", "s", "t"), ("EXISTS", "d")], 0),
    ([SET, ("SUNIONSTORE", "d", "s", "t"), ("SCARD", "d")], 3),
    ([HASH], 2),
    ([HASH, ("HSET", "h", "f", 2), ("HGET", "h", "f")], b"2"),
    ([HASH, ("HSETNX", "h", "f", 2)], 0),
    ([HASH, ("HMGET", "h", "g", "no")], [b"x", None]),
    ([HASH, ("HDEL", "h", "f", "g", "no"), ("EXISTS", "h")], 0),
    ([HASH, ("HEXISTS", "h", "g")], 1),
    ([HASH, ("HLEN", "h")], 2),
    ([HASH, ("HKEYS", "h")], [b"f", b"g"]),
    ([HASH, ("HVALS", "h")], [b"1", b"x"]),
    ([HASH, ("HGETALL", "h")], [b"f", b"1", b"g", b"x"]),
    ([HASH, ("HINCRBY", "h", "f", 2)], 3),
    ([HASH, ("HINCRBYFLOAT", "h", "f", "0.5")], b"1.5"),
    ([("HSET", "h", "f", "3.1"), ("HINCRBYFLOAT", "h", "f", 0.1)], b"3.2"),
    ([("HSET", "h", "f", "1e20"), ("HINCRBYFLOAT", "h", "f", ".25")], b"100000000000000000000.25"),
    ([("HSET", "h", "f", "1"), ("HINCRBYFLOAT", "h", "f", "-1")], b"0"),
    ([HASH, ("HSCAN", "h", 0, "MATCH", "g")], [b"0", [b"g", b"x"]]),
    ([HASH, ("HPEXPIRE", "h", 1500, "FIELDS", 2, "f", "no"), ("HPTTL", "h", "FIELDS", 2, "f", "g")], [1500, -1]),
    ([HASH, ("HPEXPIRE", "h", 2, "FIELDS", 1, "f"), ("HPERSIST", "h", "FIELDS", 3, "f", "g", "no")], [1, -1, -2]),
    ([("HSETEX", "h", "PX", 9, "FIELDS", 1, "f", 1), ("HPTTL", "h", "FIELDS", 1, "f")], [9]),
    ([LIST], 4),
    ([("LPUSH", "l", 1, 2), ("LRANGE", "l", 0, -1)], [b"2", b"1"]),
    ([LIST, ("LPOP", "l")], b"a"),
    ([LIST, ("RPOP", "l", 2)], [b"a", b"c"]),
    ([LIST, ("LPOP", "l", 9), ("EXISTS", "l")], 0),
    ([LIST, ("LLEN", "l")], 4),
    ([LIST, ("LINDEX", "l", -2)], b"c"),
    ([LIST, ("LSET", "l", 1, "x"), ("LINDEX", "l", 1)], b"x"),
    ([LIST, ("LREM", "l", -1, "a"), ("LRANGE", "l", 0, -1)], [b"a", b"b", b"c"]),
    ([LIST, ("LTRIM", "l", 1, 1), ("LRANGE", "l", 0, -1)], [b"b"]),
    ([LIST, ("LINSERT", "l", "AFTER", "b", "x"), ("LINDEX", "l", 2)], b"x"),
    ([LIST, ("LPOS", "l", "c")], 2),
    ([LIST, ("LMOVE", "l", "m", "RIGHT", "LEFT"), ("LRANGE", "m", 0, -1)], [b"a"]),
    ([BOARD], 3),
    ([BOARD, ("ZADD", "z", "XX", "CH", 5, "a", 5, "d")], 1),
    ([BOARD, ("ZADD", "z", "INCR", 2, "a")], b"3"),
    ([BOARD, ("ZINCRBY", "z", 0.5, "a")], b"1.5"),
    ([BOARD, ("ZREM", "z", "a", "d")], 1),
    ([BOARD, ("ZCARD", "z")], 3),
    ([BOARD, ("ZSCORE", "z", "c")], b"inf"),
    ([BOARD, ("ZMSCORE", "z", "a", "d")], [b"1", None]),
    ([BOARD, ("ZRANK", "z", "b")], 1),
    ([BOARD, ("ZREVRANK", "z", "b")], 1),
    ([BOARD, ("ZCOUNT", "z", "(1", "+inf")], 2),
    ([BOARD, ("ZREMRANGEBYSCORE", "z", "-inf", 2)], 1),
    ([BOARD, ("ZREMRANGEBYRANK", "z", 0, -1), ("EXISTS", "z")], 0),
    ([BOARD, ("ZPOPMIN", "z")], [b"a", b"1"]),
    ([BOARD, ("ZPOPMAX", "z", 1)], [b"c", b"inf"]),
    ([BOARD, ("ZRANGE", "z", 0, 1, "REV")], [b"c", b"b"]),
    ([BOARD, ("ZRANGE", "z", "(1", "inf", "BYSCORE", "LIMIT", 0, 1, "WITHSCORES")], [b"b", b"2.5"]),
    ([BOARD, ("ZSCAN", "z", 0, "MATCH", "a")], [b"0", [b"a", b"1"]]),
]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def pool(clock: ManualClock) -> MemoryPool:
    return MemoryPool(MemoryStore(clock), Endpoint())


@pytest.mark.parametrize(("commands", "reply"), CASES, ids=[" ".join(map(str, case[0][-1]))[:40] for case in CASES])
def test_command_on_collections_replies_as_valkey_does(
    pool: MemoryPool, commands: list[Command], reply: object
) -> None:
    assert pool.execute(tuple(commands))[-1] == reply


def test_expired_field_is_gone_and_the_hash_with_its_last_one(pool: MemoryPool, clock: ManualClock) -> None:
    pool.execute((("HSETEX", "h", "EX", 5, "FIELDS", 1, "f", 1), ("HSETEX", "h", "EX", 9, "FIELDS", 1, "g", 1)))
    clock.advance(5)
    assert pool.execute((("HKEYS", "h"),)) == [[b"g"]]
    clock.advance(5)
    assert pool.execute((("HLEN", "h"), ("EXISTS", "h"))) == [0, 0]


def test_scan_finds_elements_present_throughout(pool: MemoryPool) -> None:
    pool.execute((("SADD", "s", *(f"stays{n}" for n in range(500))),))
    found: set[bytes] = set()
    cursor, step = b"0", 0
    while cursor != b"0" or not step:
        [[cursor, page]] = pool.execute((("SSCAN", "s", cursor, "COUNT", 7),))
        found.update(page)
        step += 1
        pool.execute((("SADD", "s", f"comes{step}"), ("SREM", "s", f"comes{step - 3}")))
    assert {f"stays{n}".encode() for n in range(500)} <= found


@pytest.mark.parametrize("made", [SET, HASH, LIST, BOARD])
def test_every_type_is_dumped_and_restored(pool: MemoryPool, made: Command) -> None:
    key = str(made[1])
    reading = {"s": ("SCARD",), "h": ("HGETALL",), "l": ("LRANGE", 0, -1), "z": ("ZRANGE", 0, -1, "WITHSCORES")}
    name, *arguments = reading[key]
    [_, dumped, value] = pool.execute((made, ("DUMP", key), (name, key, *arguments)))
    pool.execute((("RESTORE", "other", 0, dumped, "REPLACE", "ABSTTL"),))
    assert pool.execute(((name, "other", *arguments),)) == [value]
