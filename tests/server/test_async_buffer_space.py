"""Test the wait for buffer space of a multiplexed connection."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from dvcache.errors import PoolExhausted, ReplyTimeout
from dvcache.pools import async_connection
from tests.support.multiplexed_pools import MARGIN, PING, Make, Run, made_on, timed
from tests.support.servers import Server

pytestmark = pytest.mark.full("waits for slow and hung servers")


@pytest.fixture
def make(server: Server) -> Iterator[Make]:
    with made_on(server) as pool:
        yield pool


def test_calls_waiting_for_buffer_space_are_sent_in_order(
    make: Make, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(async_connection, "IN_FLIGHT", 50_000)

    async def main() -> None:
        pool = make()
        await pool.execute(PING)
        order: list[int] = []

        async def push(number: int) -> None:
            await pool.execute((("RPUSH", "order", b"%06d" % number + b"x" * 5_000),))
            order.append(number)

        await asyncio.gather(*map(push, range(300)))
        assert order == list(range(300))
        [pushed] = await pool.execute((("LRANGE", "order", 0, -1),))
        assert [int(each[:6]) for each in pushed] == order

    run(main())


def test_unpackable_call_fails_alone_while_buffer_space_is_awaited(
    make: Make, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(async_connection, "IN_FLIGHT", 1_000)

    async def main() -> None:
        pool = make()
        await pool.execute(PING)
        wrong: Any = (("SET", "k", object()),)
        calls = [pool.execute((("SET", "k", b"x" * 2_000),)), pool.execute(wrong), pool.execute(PING)]
        first, refused, last = await asyncio.gather(*calls, return_exceptions=True)
        assert (first, last) == ([b"OK"], [b"PONG"])
        assert isinstance(refused, TypeError)

    run(main())


def test_wait_for_buffer_space_costs_the_same_for_many_as_for_few(make: Make, run: Run) -> None:
    async def main() -> None:
        pool = make(timeout=30.0)
        value = b"x" * 10_000

        async def seconds(calls: int) -> float:
            await pool.execute(PING)
            began = time.process_time()
            batches = [pool.execute((("SET", f"k{number % 50}", value),)) for number in range(calls)]
            assert await asyncio.gather(*batches) == [[b"OK"]] * calls
            return (time.process_time() - began) / calls

        few = min([await seconds(1_500) for _ in range(3)])
        assert await seconds(20_000) < few * 5

    run(main())


def test_hung_server_fails_calls_awaiting_buffer_space_within_the_timeout(
    make: Make, server: Server, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(async_connection, "IN_FLIGHT", 100_000)

    async def main() -> None:
        pool = make(timeout=0.3)
        await pool.execute(PING)
        with server.paused():
            calls = [timed(pool.execute((("SET", "k", b"x" * 10_000),))) for _ in range(200)]
            outcomes = await asyncio.gather(*calls)
        assert {type(outcome) for outcome, _ in outcomes} == {ReplyTimeout}
        assert max(took for _, took in outcomes) < 0.35 + MARGIN

    run(main())


def test_deadline_limits_the_wait_for_buffer_space(make: Make, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_connection, "IN_FLIGHT", 1_000)

    async def main() -> None:
        pool = make(timeout=5.0)
        await pool.execute(PING)
        blocked = asyncio.ensure_future(pool.execute((("BLPOP", "none", 0.5), ("SET", "k", b"x" * 2_000))))
        await asyncio.sleep(0)
        outcome, took = await timed(pool.execute(PING, time.monotonic() + 0.1))
        assert isinstance(outcome, PoolExhausted)
        assert took < 0.15 + MARGIN
        assert await pool.execute(PING) == [b"PONG"]
        assert await blocked == [None, b"OK"]

    run(main())
