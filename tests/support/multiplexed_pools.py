"""Multiplexed pools on a server, and the time that their calls take."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from dvcache.pools.async_pool import MultiplexedPool
from dvcache.types import Endpoint
from tests.support.servers import Server

MARGIN: Final = 10.0
"""Seconds by which a busy machine may be late."""

PING: Final = (("PING",),)

Run: TypeAlias = Callable[[Coroutine[Any, Any, Any]], Any]
Make: TypeAlias = Callable[..., MultiplexedPool]


@contextmanager
def made_on(server: Server) -> Iterator[Make]:
    """Yield a function that makes pools on the server; close them at the end of the block."""
    pools = []

    def pool(**fields: Any) -> MultiplexedPool:
        made = MultiplexedPool(Endpoint(**{"host": "127.0.0.1", "port": server.port, "alias": "tested", **fields}))
        pools.append(made)
        return made

    yield pool
    for made in pools:
        made.close()


async def timed(work: Coroutine[Any, Any, Any]) -> tuple[Any, float]:
    """Return the outcome of a coroutine, a result or an exception, and its duration in seconds."""
    began = time.monotonic()
    outcome = (await asyncio.gather(work, return_exceptions=True))[0]
    return outcome, time.monotonic() - began


async def ping(pool: MultiplexedPool) -> object:
    [reply] = await pool.execute(PING)
    return reply
