"""Replies of wrong shapes."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import chain, repeat

from hypothesis import strategies as st

from dvcache import Container
from tests.support.scripted_server import encoded

values = st.recursive(
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.sampled_from([0, 1, -1, -2, 400_000_000])
    | st.binary(max_size=12)
    | st.sampled_from([b"0", b"1", b"17", b"1.5", b"inf", b"nan", b"master", b"slave", b"own", b"\xff\xfe", b"QUEUED"])
    | st.sampled_from([Exception("ERR \udcff"), Exception(""), Exception("MOVED x"), Exception("WRONGTYPE no")]),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=10,
)
replies = values.map(encoded) | st.sampled_from(
    [
        b"+OK\r\n",
        b"$-5\r\n",
        b":x\r\n",
        b"@\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"%1\r\n*0\r\n+x\r\n",
        b"#t\r\n",
        b",1.5\r\n",
        b"*2147483647\r\n",
        b"*1\r\n" * 1100 + b":1\r\n",
        b"-\xff\xfe\r\n",
        b"+a\r\n+b\r\n",
        b"_\r\n",
    ]
)
KINDS = {
    "plain": {},
    "herd": {"HERD": True},
    "own pool": {"CONNECTION_POOL_CLASS": "tests.support.custom_pools.OwnPool"},
    "own parser": {"PARSER_CLASS": "valkey._parsers.resp2._RESP2Parser"},
    "RESP3": {"CONNECTION_POOL_KWARGS": {"protocol": 3}},
}


def in_turn(replies: list[bytes]) -> Callable[[list[bytes]], bytes | None]:
    """Answer with these replies, then close the connection: otherwise a scan would never end."""
    turns: Iterator[bytes | None] = chain(replies, repeat(None))
    return lambda _: next(turns)


def get(container: Container, mode: str) -> object:
    if mode == "sync":
        return container.cache().get("k")

    async def got() -> object:
        try:
            return await container.async_cache().get("k")
        finally:
            await container.aclose()

    return asyncio.run(got())
