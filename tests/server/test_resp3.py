"""Test that every reply over RESP3 is that over RESP2, on every kind of pool."""

import asyncio
from typing import Any

import pytest

from dvcache.effects import Transaction
from dvcache.errors import WrongTypeError
from dvcache.pools.factory import Pools
from dvcache.pools.resp3 import as_resp2
from dvcache.settings import Settings
from dvcache.types import Batch
from tests.support.custom_pools import OwnAsyncPool, OwnPool
from tests.support.servers import Server

COMMANDS: Batch = (
    *(
        ("ZADD", "z", 1.5, "a", 3, "b", "inf", "c", "-inf", "d", "1e300", "e"),
        ("ZSCORE", "z", "a"),
        ("ZSCORE", "z", "b"),
    ),
    *(("ZSCORE", "z", "c"), ("ZSCORE", "z", "none"), ("ZMSCORE", "z", "b", "none"), ("ZINCRBY", "z", 0.25, "a")),
    *(("ZRANGE", "z", 0, -1), ("ZRANGE", "z", 0, -1, "WITHSCORES"), ("ZREVRANGE", "z", 0, 1, "WITHSCORES")),
    *(("ZRANGEBYSCORE", "z", 1, 9, "WITHSCORES", "LIMIT", 0, 5), ("ZRANK", "z", "b", "WITHSCORE"), ("ZSCAN", "z", 0)),
    *(("ZINTER", 1, "z", "WITHSCORES"), ("ZADD", "z", "INCR", 1, "b"), ("ZPOPMIN", "z"), ("ZPOPMAX", "z", 2)),
    *(("ZRANGE", "none", 0, -1, "WITHSCORES"), ("ZPOPMIN", "none", 1), ("ZCARD", "z")),
    *(("SADD", "s", "x"), ("SMEMBERS", "s"), ("SMEMBERS", "none"), ("SISMEMBER", "s", "x"), ("SPOP", "s", 1)),
    *(
        ("HSET", "h", "f", "v"),
        ("HGETALL", "h"),
        ("HGETALL", "none"),
        ("HMGET", "h", "f", "g"),
        ("HINCRBYFLOAT", "h", "n", 1),
    ),
    *(("HRANDFIELD", "none", 1, "WITHVALUES"), ("HSCAN", "h", 0), ("HGET", "h", "g")),
    *(("SET", "k", "WITHSCORES"), ("GET", "k"), ("GET", "none"), ("MGET", "k", "none"), ("INCRBYFLOAT", "n", 1.5)),
    *(("EVAL", "return true", 0), ("EVAL", "return false", 0), ("EVAL", "return {1, false, {'a'}}", 0)),
    *(("EVAL", "redis.setresp(3) return redis.call('HGETALL', 'h')", 0), ("CONFIG", "GET", "maxmemory"), ("ROLE",)),
    *(("SCAN", 0, "MATCH", "none"), ("PTTL", "k"), ("EXISTS", "k"), ("LPUSH", "k", "wrong type"), ("PING",)),
)


def replies(server: Server, mode: str, **options: Any) -> list[str]:
    server.raw("FLUSHALL")
    [endpoint] = Settings.parse({"LOCATION": server.url(), "OPTIONS": options}).endpoints
    if mode == "sync":
        pool = Pools().pool(endpoint)
        answered = pool.execute(COMMANDS)
        pool.close()
    else:

        async def ask() -> Any:
            return await Pools().async_pool(endpoint).execute(COMMANDS)

        answered = asyncio.run(ask())
    return [f"{command}: {reply!r}" for command, reply in zip(COMMANDS, answered, strict=True)]


POOLS = {"sync": OwnPool, "async": OwnAsyncPool}


@pytest.mark.parametrize("parser", [None, "valkey._parsers.resp3._RESP3Parser", "valkey._parsers.resp2._RESP2Parser"])
@pytest.mark.parametrize("own", [False, True], ids=["built in", "own pool"])
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_resp3_replies_are_those_of_resp2(mode: str, parser: str | None, server: Server, *, own: bool) -> None:
    options: dict[str, Any] = {"CONNECTION_POOL_KWARGS": {"protocol": 3}}
    options |= {"CONNECTION_POOL_CLASS": POOLS[mode]} if own else {}
    options |= {"PARSER_CLASS": parser} if parser else {}
    assert replies(server, mode, **options) == replies(server, mode)


def test_resp3_is_selected_by_the_url(server: Server) -> None:
    for protocol in (2, 3):
        [endpoint] = Settings.parse({"LOCATION": f"{server.url()}?protocol={protocol}"}).endpoints
        pool = Pools().pool(endpoint)
        [info] = pool.execute((("CLIENT", "INFO"),))
        assert f" resp={protocol} ".encode() in info
        pool.close()


def test_resp3_pairs_alone_are_flattened() -> None:
    batch: Batch = (("ZRANGE", "k", 0, -1, "WITHSCORES"), ("EVAL", "…", 0), ("HRANDFIELD", "k", 1, "WITHVALUES"))
    assert as_resp2(batch, [[[b"a", 1.0], [b"b", 0.5]], [[b"a", 1.0], True], []]) == [
        [b"a", b"1", b"b", b"0.5"],
        [[b"a", b"1"], 1],
        [],
    ]


@pytest.mark.parametrize("options", [{}, {"CONNECTION_POOL_CLASS": OwnPool}], ids=["built in", "own pool"])
@pytest.mark.parametrize("protocol", [2, 3])
def test_resp3_transaction_returns_its_results(protocol: int, options: dict[str, Any], server: Server) -> None:
    server.raw("HSET", "h", "f", "v")
    kwargs = {"CONNECTION_POOL_KWARGS": {"protocol": protocol}}
    [endpoint] = Settings.parse({"LOCATION": server.url(), "OPTIONS": {**kwargs, **options}}).endpoints
    pool = Pools().pool(endpoint)
    commands: Batch = (("HGETALL", "h"), ("ZADD", "z", 1.5, "a"), ("ZSCORE", "z", "a"))
    [done, replies] = pool.execute(Transaction("k", lambda _: commands))
    assert done is True
    assert replies == [[b"f", b"v"], 1, b"1.5"]
    [done, replies] = pool.execute(Transaction("h", lambda _: commands))
    assert isinstance(done, WrongTypeError)
    assert replies is None
    assert pool.execute((("PING",),)) == [b"PONG"]
    pool.close()
