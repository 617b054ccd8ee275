"""Test how async connections open and close: cancellation, early closes, surplus replies, dropped loops, memory."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from dvcache.errors import ClosedError, ConnectionLost
from dvcache.pools import takeover
from dvcache.types import Endpoint
from tests.support.async_scripted_server import Speaker, command
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
