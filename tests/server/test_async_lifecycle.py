"""Test how async connections open and close: cancellation, early closes, surplus replies, dropped loops, memory."""

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

from dvcache.errors import ClosedError, ConnectError, ConnectionLost
from dvcache.pools import takeover
from dvcache.pools.async_pool import MultiplexedPool
from dvcache.pools.factory import Pools
from dvcache.types import Endpoint
from tests.support.async_scripted_server import Speaker, command
from tests.support.custom_pools import OwnAsyncPool, endpoint_of
from tests.support.multiplexed_pools import MARGIN, PING, Make, Run, made_on, timed
from tests.support.servers import Server

pytestmark = pytest.mark.full("waits for slow and hung servers")


@pytest.fixture
def make(server: Server) -> Iterator[Make]:
    with made_on(server) as pool:
        yield pool


def test_close_between_connecting_and_takeover_is_noticed_at_once(
    make: Make, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal ends
        ends += 1
        if ends > 1:
            while await command(reader):
                writer.write(b"+PONG\r\n")

    real: Any = takeover.async_connection

    def slow_to_hand_over(endpoint: Endpoint) -> Any:
        connection = real(endpoint)
        connect = connection.connect

        async def connected() -> None:
            await connect()
            if ends <= 1:
                await asyncio.sleep(0.1)  # the server closes the connection in the meantime

        connection.connect = connected
        return connection

    monkeypatch.setattr(takeover, "async_connection", slow_to_hand_over)

    async def main() -> None:
        with Speaker(talk) as port:
            pool = make(port=port, timeout=20.0)
            outcome, took = await timed(pool.execute(PING))
            assert outcome == [b"PONG"]
            assert took < 0.2 + MARGIN
            pool.close()

    run(main())


def test_server_that_always_closes_the_connection_causes_no_endless_loop(make: Make, run: Run) -> None:
    connections = 0

    async def talk(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1

    async def main() -> None:
        with Speaker(talk) as port:
            outcome, took = await timed(make(port=port, timeout=20.0).execute(PING))
            assert isinstance(outcome, ConnectionLost)
            assert took < MARGIN
            assert connections <= 2

    run(main())


def test_unexpected_reply_on_an_idle_connection_closes_it(make: Make, run: Run) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while parts := await command(reader):
            writer.write(b"+%b\r\n" % parts[1])
            if parts[1] == b"stray":
                await asyncio.sleep(0.02)
                writer.write(b"+nobody's\r\n")

    async def main() -> None:
        with Speaker(talk) as port:
            pool = make(port=port)
            assert await pool.execute((("GET", "stray"),)) == [b"stray"]
            time.sleep(0.1)  # noqa: ASYNC251  # the loop polls nothing meanwhile: the stray reply waits
            for key in ("a", "b", "c"):
                try:
                    [reply] = await pool.execute((("GET", key),))
                except ConnectionLost:
                    continue
                assert reply == key.encode()
            pool.close()

    run(main())


def test_surplus_partial_reply_closes_the_connection(make: Make, run: Run) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while parts := await command(reader):
            writer.write(b"+%b\r\n" % parts[1] + (b"$5\r\nstr" if parts[1] == b"part" else b""))

    async def main() -> None:
        with Speaker(talk) as port:
            pool = make(port=port)
            assert await pool.execute((("GET", "part"),)) == [b"part"]
            assert await pool.execute((("GET", "a"),)) == [b"a"]
            pool.close()

    run(main())


def test_task_cancelled_during_connecting_is_cancelled(make: Make, server: Server, run: Run) -> None:
    async def main() -> None:
        pool = make(connect_timeout=20.0)
        with server.paused():
            async with asyncio.timeout(20):
                calls = [asyncio.ensure_future(pool.execute(PING)) for _ in range(3)]
                await asyncio.sleep(0.05)
                for task in asyncio.all_tasks() - {asyncio.current_task()}:
                    task.cancel()
                outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError}
        assert await pool.execute(PING) == [b"PONG"]

    run(main())


def test_connecting_that_is_cancelled_alone_is_restarted(make: Make, server: Server, run: Run) -> None:
    async def main() -> None:
        pool = make(connect_timeout=20.0)
        with server.paused():
            call = asyncio.ensure_future(pool.execute(PING))
            await asyncio.sleep(0.05)
            for task in asyncio.all_tasks() - {asyncio.current_task(), call}:
                task.cancel()
            await asyncio.sleep(0.05)
        assert await call == [b"PONG"]

    run(main())


def test_callers_of_an_aborted_pool_get_closed_error(make: Make, server: Server, run: Run) -> None:
    async def main() -> None:
        pool = make(connect_timeout=20.0)
        with server.paused():
            call = asyncio.ensure_future(pool.execute(PING))
            await asyncio.sleep(0.05)
            pool.abort()
            with pytest.raises(ClosedError):
                await call

    run(main())


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
