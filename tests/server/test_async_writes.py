"""Test when a multiplexed connection writes: sequential calls at once, calls of one tick together."""

import asyncio
from collections.abc import Callable
from typing import Any

from dvcache.clients.runner import AsyncRunner
from dvcache.clients.standalone import Standalone
from dvcache.pools.async_connection import MultiplexedConnection
from dvcache.pools.async_pool import MultiplexedPool
from dvcache.types import Endpoint
from tests.support.servers import Server


class Recorder:
    """A transport that records everything written to it."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


async def recorded(pool: MultiplexedPool) -> tuple[MultiplexedConnection, Recorder]:
    """Open a connection, and record what it writes afterwards."""
    await pool.execute((("PING",),))
    line = pool._connections.get(asyncio.get_running_loop())
    recorder = line._transport = Recorder(line._transport)
    return line, recorder


def echo(text: str) -> tuple[tuple[str, ...], ...]:
    return (("ECHO", text),)


def on_pool(server: Server, main: Callable[[MultiplexedPool], Any], run: Callable[..., object]) -> None:
    pool = MultiplexedPool(Endpoint(host="127.0.0.1", port=server.port, alias="tested"))
    try:
        run(main(pool))
    finally:
        pool.close()


def test_sequential_calls_are_written_at_once(server: Server, run: Callable[..., object]) -> None:
    async def main(pool: MultiplexedPool) -> None:
        line, recorder = await recorded(pool)
        for count in range(1, 4):
            reply = line.send(echo(f"{count}"))
            assert len(recorder.written) == count
            assert await reply == [f"{count}".encode()]

    on_pool(server, main, run)


def test_calls_of_one_tick_are_written_together(server: Server, run: Callable[..., object]) -> None:
    async def main(pool: MultiplexedPool) -> None:
        line, recorder = await recorded(pool)
        for writes in (2, 3, 4):  # the first call of the first tick was written at once, those of later ticks were not
            replies = [line.send(echo(f"{n}")) for n in range(50)]
            assert [await reply for reply in replies] == [[f"{n}".encode()] for n in range(50)]
            assert len(recorder.written) == writes

    on_pool(server, main, run)


def test_sequential_call_after_a_burst_is_written_at_once_again(server: Server, run: Callable[..., object]) -> None:
    async def main(pool: MultiplexedPool) -> None:
        line, recorder = await recorded(pool)
        await asyncio.gather(*(line.send(echo(f"{n}")) for n in range(5)))
        await line.send(echo("once"))
        recorder.written.clear()
        reply = line.send(echo("again"))
        assert len(recorder.written) == 1
        assert await reply == [b"again"]

    on_pool(server, main, run)


def test_call_cancelled_before_the_end_of_its_tick_is_not_written(server: Server, run: Callable[..., object]) -> None:
    async def main(pool: MultiplexedPool) -> None:
        line, recorder = await recorded(pool)
        first, second, third = (line.send(echo(text)) for text in ("first", "second", "third"))
        second.cancel()
        assert (await first, await third) == ([b"first"], [b"third"])
        assert not any(b"second" in data for data in recorder.written)
        assert line._in_flight == 0

    on_pool(server, main, run)


def test_batch_without_commands_is_answered(server: Server, run: Callable[..., object]) -> None:
    async def main(pool: MultiplexedPool) -> None:
        client = AsyncRunner(Standalone(pool))
        assert await client.execute(echo("opens")) == [b"opens"]
        assert await client.execute(()) == []

    on_pool(server, main, run)
