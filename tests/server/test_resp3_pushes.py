"""Test a server that pushes invalidations between RESP3 replies: every get returns its own value."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dvcache import Container, Settings
from tests.support.client_tracking import atrack, track
from tests.support.custom_pools import OwnAsyncPool, OwnPool
from tests.support.servers import Server

KEYS = 20
POOLS: dict[str, dict[str, Any]] = {
    "built in": {"sync": None, "async": None},
    "own pool": {"sync": OwnPool, "async": OwnAsyncPool},
}


@contextmanager
def tracked(server: Server, pool: Any, greet: Any) -> Iterator[Container]:
    """Yield a container with tracked connections, while a thread writes the keys that it reads."""
    for number in range(KEYS):
        server.raw("SET", f":1:key:{number}", number)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for number in range(KEYS):
                server.raw("SET", f":1:key:{number}", number)

    options: dict[str, Any] = {"CONNECTION_POOL_KWARGS": {"protocol": 3, "valkey_connect_func": greet}}
    options |= {"CONNECTION_POOL_CLASS": pool} if pool else {}
    writer = threading.Thread(target=write)
    writer.start()
    try:
        with Container(Settings.parse({"LOCATION": server.url(), "OPTIONS": options})) as container:
            yield container
    finally:
        stop.set()
        writer.join()


@pytest.mark.full("large data, or many random ones")
@pytest.mark.parametrize("pools", POOLS.values(), ids=POOLS)
def test_sync_gets_between_pushes_return_their_own_values(pools: dict[str, Any], server: Server) -> None:
    with tracked(server, pools["sync"], track) as container:
        cache = container.cache()
        for turn in range(1_500):
            assert cache.get(f"key:{turn % KEYS}") == turn % KEYS


@pytest.mark.full("large data, or many random ones")
@pytest.mark.parametrize("pools", POOLS.values(), ids=POOLS)
def test_async_gets_between_pushes_return_their_own_values(pools: dict[str, Any], server: Server) -> None:
    async def main(cache: Any) -> None:
        for _ in range(100):
            wanted = list(range(KEYS))
            assert await asyncio.gather(*(cache.get(f"key:{number}") for number in wanted)) == wanted

    with tracked(server, pools["async"], atrack) as container:
        asyncio.run(main(container.async_cache()))
