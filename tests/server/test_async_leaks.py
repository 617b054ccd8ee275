"""Test that connections of event loops leave nothing behind: no context, descriptor or buffer."""

import asyncio
import contextvars
import gc
import os
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dvcache.errors import ConnectError
from dvcache.pools import takeover
from dvcache.pools.async_pool import MultiplexedPool
from dvcache.pools.factory import Pools
from dvcache.types import Endpoint
from tests.support.custom_pools import OwnAsyncPool, endpoint_of
from tests.support.multiplexed_pools import PING, Make, Run, made_on
from tests.support.servers import Server

pytestmark = pytest.mark.full("waits for slow and hung servers")


@pytest.fixture
def make(server: Server) -> Iterator[Make]:
    with made_on(server) as pool:
        yield pool


class Request:
    """A request object, as a web framework keeps one in a ContextVar."""


request: contextvars.ContextVar[Request | None] = contextvars.ContextVar("request", default=None)


@pytest.mark.parametrize("options", [{}, {"CONNECTION_POOL_CLASS": OwnAsyncPool}], ids=["built in", "own pool"])
def test_connections_keep_nothing_of_their_first_callers_context(
    options: dict[str, Any], server: Server, run: Run
) -> None:
    pool: Any = Pools().async_pool(endpoint_of(server.url(), **options))

    async def handle() -> "weakref.ref[Request]":
        made = Request()
        request.set(made)
        await pool.execute(PING, time.monotonic() + 100)
        return weakref.ref(made)

    async def main() -> None:
        kept = await asyncio.create_task(handle())
        await pool.execute(PING)
        gc.collect()
        assert kept() is None
        pool.close()

    run(main())


def eager(loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> Any:
    """Step a coroutine once before its task is scheduled, as Python 3.12's eager task factory does."""
    context = contextvars.copy_context()
    try:
        waited = context.run(work.send, None)
    except StopIteration as stop:
        done = loop.create_future()
        done.set_result(stop.value)
        return done
    except BaseException as error:  # noqa: BLE001  # the task's
        failed = loop.create_future()
        failed.set_exception(error)
        return failed

    async def rest() -> Any:
        step, going = waited, work
        while True:
            if step is None:
                await asyncio.sleep(0)
            else:
                step._asyncio_future_blocking = False
                await asyncio.wait([step])
            try:
                step = going.send(None)
            except StopIteration as stop:
                return stop.value

    return asyncio.Task(rest(), loop=loop, **{"context": context, **more})


FACTORIES = {"of Python": getattr(asyncio, "eager_task_factory", eager)}


@pytest.mark.parametrize("factory", FACTORIES.values(), ids=FACTORIES)
def test_eager_task_factory_leaves_nothing_after_a_failed_connect(
    factory: Any, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails = True
    real: Any = takeover.async_connection

    def failing(endpoint: Endpoint) -> Any:
        if fails:
            raise ConnectError("fails at once")
        return real(endpoint)

    monkeypatch.setattr(takeover, "async_connection", failing)

    async def main() -> None:
        nonlocal fails
        asyncio.get_running_loop().set_task_factory(factory)
        pool = MultiplexedPool(Endpoint(host="127.0.0.1", port=server.port))
        for _ in range(2):
            with pytest.raises(ConnectError, match="fails at once"):
                await pool.execute(PING)
        fails = False
        assert await pool.execute(PING) == [b"PONG"]
        assert await asyncio.gather(*(pool.execute(PING) for _ in range(5))) == [[b"PONG"]] * 5
        pool.close()

    asyncio.run(main())


@pytest.mark.parametrize("options", [{}, {"CONNECTION_POOL_CLASS": OwnAsyncPool}], ids=["built in", "own pool"])
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_event_loops_dropped_without_close_leak_no_descriptor(options: dict[str, Any], server: Server) -> None:
    pool: Any = Pools().async_pool(endpoint_of(server.url(), **options))

    def served() -> None:
        asyncio.new_event_loop().run_until_complete(pool.execute(PING))

    served()
    gc.collect()
    before = descriptors()
    for _ in range(20):
        served()
    gc.collect()
    assert descriptors() <= before + 8
    pool.close()


def descriptors() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def test_buffer_of_a_large_reply_is_released(make: Make, server: Server) -> None:
    server.raw("SET", "big", b"x" * 120_000_000)

    async def main() -> None:
        pool = make()
        await pool.execute(PING)
        before = resident()
        [big] = await pool.execute((("GET", "big"),))
        assert len(big) == 120_000_000
        del big
        await asyncio.sleep(0.01)
        assert resident() - before < 80_000_000  # malloc may keep 64 MB of the freed memory

    asyncio.run(main())


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    with open("/proc/self/statm") as file:  # noqa: PTH123  # a proc file
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_custom_pool_closes_idle_connections_that_the_server_has_closed(server: Server, run: Run) -> None:
    async def main() -> None:
        pool: Any = Pools().async_pool(endpoint_of(server.url(), CONNECTION_POOL_CLASS=OwnAsyncPool))
        await asyncio.gather(*(pool.execute((("BLPOP", "none", 0.05),)) for _ in range(20)))
        server.raw("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        loop_pool = pool._loop_pools.get(asyncio.get_running_loop())
        await asyncio.sleep(0.05)
        loop_pool._swept -= 100
        assert await pool.execute(PING) == [b"PONG"]
        idle = loop_pool._made.pool._available_connections
        assert sum(each.is_connected for each in idle) == 1
        pool.close()

    run(main())
