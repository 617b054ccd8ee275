"""Test the limits of async pools: silence, deadlines, back-pressure, blocked loops."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from dvcache.effects import Transaction
from dvcache.errors import ConnectError, PoolExhausted, ReplyTimeout
from dvcache.pools.factory import Pools
from tests.support.async_scripted_server import Speaker, command
from tests.support.custom_pools import OwnAsyncBlockingPool, OwnAsyncPool, endpoint_of
from tests.support.multiplexed_pools import MARGIN, PING, Make, Run, made_on, timed
from tests.support.servers import DelayProxy, Server, TlsProxy

pytestmark = pytest.mark.full("waits for slow and hung servers")


@pytest.fixture
def make(server: Server) -> Iterator[Make]:
    with made_on(server) as pool:
        yield pool


def test_large_reply_may_take_longer_than_the_timeout(make: Make, run: Run) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await command(reader)
        writer.write(b"$20000\r\n")
        for _ in range(20):
            await asyncio.sleep(0.05)
            writer.write(b"x" * 1000)
        writer.write(b"\r\n")
        while await command(reader):
            writer.write(b"+PONG\r\n")

    async def main() -> None:
        with Speaker(talk) as port:
            pool = make(port=port, timeout=0.4)
            slow = asyncio.ensure_future(pool.execute((("GET", "big"),)))
            others = [asyncio.ensure_future(pool.execute(PING)) for _ in range(5)]
            assert await slow == [b"x" * 20_000]
            assert await asyncio.gather(*others) == [[b"PONG"]] * 5
            pool.close()

    run(main())


def test_stalled_reply_fails_after_the_timeout(make: Make, run: Run) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await command(reader)
        for _ in range(4):
            await asyncio.sleep(0.1)
            writer.write(b"$20000\r\n" if _ == 0 else b"x" * 1000)
        await reader.read()

    async def main() -> None:
        with Speaker(talk) as port:
            outcome, took = await timed(make(port=port, timeout=0.3).execute((("GET", "big"),)))
            assert isinstance(outcome, ReplyTimeout)
            assert 0.6 < took < 0.7 + MARGIN

    run(main())


def test_write_to_a_slow_reader_may_take_longer_than_the_timeout(make: Make, run: Run) -> None:
    size = 12_000_000

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"$%d\r\n" % size)
        left = size + 2
        while left:
            left -= len(await reader.read(min(left, 400_000)))
            await asyncio.sleep(0.02)
        writer.write(b"+OK\r\n")
        await reader.read()

    async def main() -> None:
        with Speaker(talk, received=64 * 1024) as port:
            pool = make(port=port, timeout=1.0)
            outcome, took = await timed(pool.execute((("SET", "big", b"x" * size),)))
            assert outcome == [b"OK"]
            assert took > 0.5
            pool.close()

    run(main())


def test_write_to_a_stalled_reader_fails_after_the_timeout(make: Make, run: Run) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's transports have it
        await asyncio.sleep(30)

    async def main() -> None:
        with Speaker(talk) as port:
            pool = make(port=port, timeout=0.4)
            outcome, took = await timed(pool.execute((("SET", "big", b"x" * 30_000_000),)))
            assert isinstance(outcome, ReplyTimeout)
            assert 0.35 < took < 0.5 + MARGIN

    run(main())


def test_deadline_fails_its_caller_alone_and_drops_its_reply(make: Make, run: Run) -> None:
    async def main() -> None:
        pool = make(timeout=5.0)
        await pool.execute((("SET", "a", "of a"), ("SET", "b", "of b")))
        began = time.monotonic()
        blocked = asyncio.ensure_future(pool.execute((("BLPOP", "none", 0.5),)))
        await asyncio.sleep(0)
        hasty = timed(pool.execute((("GET", "a"),), began + 0.1))
        patient = asyncio.ensure_future(pool.execute((("GET", "b"),), began + 30))
        outcome, took = await hasty
        assert isinstance(outcome, ReplyTimeout)
        assert "deadline" in str(outcome)
        assert 0.09 < took < 0.15 + MARGIN
        assert not patient.done()
        assert await patient == [b"of b"]
        assert await blocked == [None]
        assert await pool.execute((("GET", "b"),), time.monotonic() + 5) == [b"of b"]
        begun = pool.begin((("GET", "b"),), time.monotonic() + 5)
        assert begun is not None
        assert await begun == [b"of b"]

    run(main())


def test_deadline_of_a_later_call_may_end_first(make: Make, run: Run) -> None:
    async def main() -> None:
        pool = make(timeout=None)
        await pool.execute(PING)
        began = time.monotonic()
        blocked = asyncio.ensure_future(pool.execute((("BLPOP", "none", 0.6),)))
        await asyncio.sleep(0)
        ended: dict[float, float] = {}

        async def call(seconds: float) -> None:
            with pytest.raises(ReplyTimeout):
                await pool.execute(PING, began + seconds)
            ended[seconds] = time.monotonic() - began

        await asyncio.gather(*map(call, (0.4, 0.1, 0.2, 0.3)))
        assert list(ended) == [0.1, 0.2, 0.3, 0.4]
        assert all(seconds - 0.01 < took < seconds + MARGIN for seconds, took in ended.items())
        assert await blocked == [None]

    run(main())


@pytest.mark.parametrize(
    "batch", [PING, Transaction("k", lambda _: (("SET", "k", "v"),))], ids=["batch", "transaction"]
)
def test_deadline_limits_connecting(batch: Any, make: Make, server: Server, run: Run) -> None:
    async def main() -> None:
        pool = make(connect_timeout=30.0, timeout=30.0)
        with server.paused():
            outcome, took = await timed(pool.execute(batch, time.monotonic() + 0.15))
            assert isinstance(outcome, ConnectError)
            assert "deadline" in str(outcome)
            assert took < 0.2 + MARGIN
        assert await pool.execute(PING) == [b"PONG"]

    run(main())


def test_hung_server_ends_the_connection_with_any_deadline(make: Make, server: Server, run: Run) -> None:
    async def main() -> None:
        pool = make(timeout=0.2)
        await pool.execute(PING)
        with server.paused():
            outcome, took = await timed(pool.execute(PING, time.monotonic() + 30))
            assert isinstance(outcome, ReplyTimeout)
            assert "deadline" not in str(outcome)
            assert took < 0.25 + MARGIN
        assert await pool.execute(PING) == [b"PONG"]

    run(main())


def test_large_reply_received_while_the_loop_was_blocked_is_in_time(make: Make, server: Server, run: Run) -> None:
    server.raw("SET", "big", b"x" * 1_500_000)

    async def main() -> None:
        pool = make(timeout=0.2)
        for deadline in (None, 0.25):
            await pool.execute(PING)
            until = None if deadline is None else time.monotonic() + deadline
            calls = [asyncio.ensure_future(pool.execute((("GET", "big"),), until))]
            calls += [asyncio.ensure_future(pool.execute(PING, until)) for _ in range(5)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            time.sleep(0.5)  # noqa: ASYNC251  # the point: someone blocks the loop
            big, *others = await asyncio.gather(*calls)
            assert len(big[0]) == 1_500_000
            assert others == [[b"PONG"]] * 5

    run(main())


def test_tls_and_large_values_work_over_a_buffered_connection(tls_proxy: TlsProxy, run: Run) -> None:
    pool: Any = Pools().async_pool(endpoint_of(tls_proxy.url()))

    async def main() -> None:
        sizes = [0, 1, 70_000, 3, 3_000_000, 5]
        await asyncio.gather(*(pool.execute((("SET", f"k{size}", b"x" * size),)) for size in sizes))
        for _ in range(3):
            got = await asyncio.gather(*(pool.execute((("GET", f"k{size}"),)) for size in sizes))
            assert [len(reply) for [reply] in got] == sizes
            await asyncio.sleep(0.01)
        pool.close()

    run(main())


OWN = {"own pool": OwnAsyncPool, "own blocking pool": OwnAsyncBlockingPool}


@pytest.mark.parametrize("cls", OWN.values(), ids=OWN)
def test_deadline_limits_a_call_on_a_custom_pool(cls: Any, server: Server, run: Run) -> None:
    kwargs = {"max_connections": 1, **({"timeout": 20} if cls is OwnAsyncBlockingPool else {})}

    async def main() -> None:
        options = {"CONNECTION_POOL_CLASS": cls, "SOCKET_TIMEOUT": 20, "SOCKET_CONNECT_TIMEOUT": 20}
        pool: Any = Pools().async_pool(endpoint_of(server.url(), **options, CONNECTION_POOL_KWARGS=kwargs))
        with server.paused():
            outcome, took = await timed(pool.execute(PING, time.monotonic() + 0.15))
            assert isinstance(outcome, ConnectError | ReplyTimeout)
            assert took < 0.2 + MARGIN
        assert await pool.execute(PING) == [b"PONG"]
        holder = asyncio.ensure_future(pool.execute((("BLPOP", "none", 0.6),)))
        await asyncio.sleep(0.05)
        outcome, took = await timed(pool.execute(PING, time.monotonic() + 0.1))
        assert isinstance(outcome, PoolExhausted)
        assert took < 0.15 + MARGIN
        assert await holder == [None]
        blocked, took = await timed(pool.execute((("BLPOP", "none", 0.6),), time.monotonic() + 0.1))
        assert isinstance(blocked, ReplyTimeout)
        assert took < 0.15 + MARGIN
        assert await pool.execute((("SET", "k", "v"), ("GET", "k"))) == [b"OK", b"v"]
        pool.close()

    run(main())


def test_delayed_proxy_keeps_every_reply_in_order(make: Make, server: Server, run: Run) -> None:
    with DelayProxy(server.port, delay=0.002) as proxy:

        async def main() -> None:
            pool = make(port=proxy.port)
            await pool.execute(tuple(("SET", f"k{n}", n) for n in range(50)))
            for _ in range(20):
                calls = [pool.execute((("GET", f"k{n}"),), time.monotonic() + 20) for n in range(50)]
                assert await asyncio.gather(*calls) == [[b"%d" % n] for n in range(50)]
            pool.close()

        run(main())
