"""Test the multiplexed pool on a real server: sharing, cancellation, timeouts, loops, lost connections."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from dvcache.errors import (
    WrongTypeError,
)
from dvcache.pools.async_pool import MultiplexedPool
from dvcache.types import Endpoint
from tests.support.multiplexed_pools import ping
from tests.support.servers import DelayProxy, Server

Make = Callable[..., MultiplexedPool]


@pytest.fixture
def make(server: Server) -> Iterator[Make]:
    pools = []

    def pool(**options: object) -> MultiplexedPool:
        fields = {"host": "127.0.0.1", "port": server.port, "alias": "tested", **options}
        made = MultiplexedPool(Endpoint(**fields))  # type: ignore[arg-type]  # each test's own fields
        pools.append(made)
        return made

    yield pool
    for made in pools:
        made.close()


def clients(server: Server) -> set[bytes]:
    """Return the ids of the clients but this one; those of an earlier test may still be ending."""
    return {line.split()[0] for line in server.raw("CLIENT", "LIST").splitlines() if b"cmd=client" not in line}


def test_server_error_is_a_value_in_its_place(make: Make, run: Callable[..., object]) -> None:
    async def main() -> None:
        first, error, last = await make().execute((("SET", "k", b"v"), ("LPUSH", "k", b"x"), ("GET", "k")))
        assert (first, last) == (b"OK", b"v")
        assert isinstance(error, WrongTypeError)

    run(main())


def test_tasks_of_a_loop_share_one_connection_and_get_their_own_replies(
    make: Make, server: Server, run: Callable[..., object]
) -> None:
    before = clients(server)

    async def main() -> None:
        pool = make()

        async def work(task: int) -> None:
            for n in range(20):
                key, value = f"{task}:{n}", b"%d:%d" % (task, n)
                assert await pool.execute((("SET", key, value), ("GET", key))) == [b"OK", value]

        await asyncio.gather(*map(work, range(50)))
        assert len(clients(server) - before) == 1

    run(main())
    server.wait_until(lambda: clients(server) <= before)


def test_large_and_small_values_keep_their_order(make: Make) -> None:
    async def main() -> None:
        pool = make()
        sizes = [0, 1, 70_000, 3, 3_000_000, 5]
        await asyncio.gather(*(pool.execute((("SET", f"k{size}", b"x" * size),)) for size in sizes))
        got = await asyncio.gather(*(pool.execute((("GET", f"k{size}"),)) for size in sizes))
        assert [len(reply) for [reply] in got] == sizes

    asyncio.run(main())


def test_pool_serves_successive_event_loops(make: Make, server: Server, run: Callable[..., object]) -> None:
    before = server.connections()
    pool = make()
    assert [run(ping(pool)) for _ in range(3)] == [b"PONG"] * 3
    server.wait_until(lambda: server.connections() == before)


def test_four_threads_with_an_event_loop_each_have_a_connection_each(make: Make, server: Server) -> None:
    before = server.connections()
    pool = make()
    seen = []
    ready = threading.Barrier(5, timeout=10)

    async def main() -> None:
        assert await ping(pool) == b"PONG"
        await asyncio.to_thread(ready.wait)
        await asyncio.to_thread(ready.wait)
        seen.append(await asyncio.gather(*(ping(pool) for _ in range(100))))

    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    ready.wait()
    assert server.connections() == before + 4
    ready.wait()
    for thread in threads:
        thread.join()
    assert seen == [[b"PONG"] * 100] * 4
    server.wait_until(lambda: server.connections() == before)


def test_event_loop_closed_without_cleanup_is_forgotten(make: Make, server: Server) -> None:
    before = server.connections()
    pool = make()
    for _ in range(3):
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(ping(pool)) == b"PONG"
        loop.close()
    assert server.connections() <= before + 1
    pool.close()
    server.wait_until(lambda: server.connections() == before)


def test_fifty_first_callers_open_one_connection(make: Make, server: Server) -> None:
    before = int(server.info("stats")["total_connections_received"])

    async def main() -> None:
        pool = make()
        assert await asyncio.gather(*(ping(pool) for _ in range(50))) == [b"PONG"] * 50
        assert int(server.info("stats")["total_connections_received"]) == before + 1

    asyncio.run(main())


def test_cancelled_first_caller_does_not_cancel_the_others(make: Make) -> None:
    async def main() -> None:
        pool = make()
        first = asyncio.create_task(ping(pool))
        others = [asyncio.create_task(ping(pool)) for _ in range(5)]
        await asyncio.sleep(0)
        first.cancel()
        assert await asyncio.gather(*others) == [b"PONG"] * 5
        assert first.cancelled() or await first == b"PONG"

    asyncio.run(main())


@asynccontextmanager
async def delayed(server: Server, make: Make, delay: float) -> AsyncIterator[MultiplexedPool]:
    with DelayProxy(server.port, delay=delay) as proxy:
        pool = make(port=proxy.port)
        yield pool
        pool.close()


@pytest.mark.full("large data, or many random ones")
def test_cancelled_callers_leave_the_other_replies_in_place(make: Make, server: Server) -> None:
    picks = random.Random(2624)

    async def main() -> None:
        async with delayed(server, make, 0.002) as pool:
            keys = [f"k{n}" for n in range(200)]
            await pool.execute(tuple(("SET", key, key.encode()) for key in keys))

            async def get(key: str) -> None:
                assert await pool.execute((("GET", key),)) == [key.encode()]

            async def get_and_maybe_cancel(key: str) -> bool:
                task = asyncio.create_task(get(key))
                if picks.random() < 0.2:
                    await asyncio.sleep(picks.random() * 0.004)
                    task.cancel()
                await asyncio.wait([task])
                return not task.cancelled() and task.exception() is None

            done = 0
            cancelled = 0
            for _ in range(100):
                results = await asyncio.gather(*(get_and_maybe_cancel(key) for key in keys))
                done += sum(results)
                cancelled += results.count(False)
            assert done + cancelled == 20_000
            assert cancelled > 1_000
            await asyncio.gather(*(get(key) for key in keys))

    asyncio.run(main())
