"""Test custom async pools: shared by a loop's tasks, bounded, safe under cancellation, closed with their loop."""

import asyncio
import gc
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dvcache.errors import (
    AuthenticationError,
    ClosedError,
    ConfigurationError,
    ConnectError,
    ConnectionLost,
    PoolExhausted,
    ReplyTimeout,
)
from dvcache.pools.custom.async_pool import AsyncCustomPool
from dvcache.pools.custom.loop_pool import IN_USE
from dvcache.pools.factory import Pools
from tests.support.custom_pools import (
    CarelessConnection,
    Counted,
    OwnAsyncBlockingPool,
    OwnAsyncConnection,
    OwnAsyncPool,
    OwnPool,
    endpoint_of,
    pools_of,
)
from tests.support.servers import DelayProxy, Server, TlsProxy, free_port

Make = Callable[..., AsyncCustomPool]
PING = (("PING",),)


def made(url: str, **options: Any) -> Any:
    return Pools().async_pool(endpoint_of(url, **options))


@pytest.fixture(params=[OwnAsyncPool, OwnAsyncBlockingPool])
def make(request: pytest.FixtureRequest, server: Server) -> Iterator[Make]:
    with pools_of(request.param, AsyncCustomPool, Pools().async_pool, server.url()) as make:
        yield make


def test_many_tasks_get_their_own_replies_on_a_bounded_pool(
    make: Make, server: Server, run: Callable[..., object]
) -> None:
    before = server.connections()

    async def main() -> None:
        for most, pool in ((4, make(max_connections=4)), (IN_USE, make())):

            async def work(task: int, pool: AsyncCustomPool = pool) -> None:
                key, value = f"k{task}", b"%d" % task
                assert await pool.execute((("SET", key, value), ("GET", key))) == [b"OK", value]

            await asyncio.gather(*map(work, range(200)))
            assert server.connections() <= before + most
            pool.close()
            await asyncio.sleep(0)
            await asyncio.to_thread(server.wait_until, lambda: server.connections() <= before)

    run(main())


def test_cancelled_callers_keep_replies_in_order_and_connections_pooled(make: Make, server: Server) -> None:
    picks = random.Random(2665)

    async def main(pool: AsyncCustomPool) -> None:
        keys = [f"k{number}" for number in range(60)]
        await pool.execute(tuple(("SET", key, key) for key in keys))

        async def get(key: str) -> bool:
            assert await pool.execute((("GET", key),)) == [key.encode()]
            return True

        cancelled = 0
        for _ in range(10):
            tasks = [asyncio.create_task(get(key)) for key in keys]
            for task in tasks:
                if picks.random() < 0.3:
                    asyncio.get_running_loop().call_later(picks.random() * 0.01, task.cancel)
            results = await asyncio.gather(*tasks, return_exceptions=True)
            cancelled += sum(isinstance(result, asyncio.CancelledError) for result in results)
            assert {type(result) for result in results} <= {bool, asyncio.CancelledError}
        assert cancelled > 25
        assert all(await asyncio.gather(*map(get, keys)))

    with DelayProxy(server.port, delay=0.001) as proxy:
        for kwargs in ({}, {"connection_class": CarelessConnection}):
            asyncio.run(main(make(f"valkey://127.0.0.1:{proxy.port}", max_connections=8, **kwargs)))


def test_errors_after_a_cancelled_caller_are_not_reported(make: Make, server: Server) -> None:
    complaints: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        pool = make(timeout=0.1)
        with server.paused():
            gone = asyncio.create_task(pool.execute(PING))
            await asyncio.sleep(0.02)
            gone.cancel()
            await asyncio.sleep(0.2)
        assert gone.cancelled()
        assert await pool.execute(PING) == [b"PONG"]

    asyncio.run(main())
    gc.collect()
    assert complaints == []


def test_pool_serves_successive_event_loops_and_leaves_nothing(
    make: Make, server: Server, run: Callable[..., object]
) -> None:
    before = server.connections()
    pool = make()

    async def main() -> object:
        return await asyncio.gather(*(pool.execute(PING) for _ in range(3)))

    assert [run(main()) for _ in range(3)] == [[[b"PONG"]] * 3] * 3
    server.wait_until(lambda: server.connections() <= before)
    assert not pool._loop_pools.living()


def test_event_loop_closed_without_cleanup_is_forgotten(make: Make, server: Server) -> None:
    before = server.connections()
    pool = make()
    for _ in range(3):
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(pool.execute(PING)) == [b"PONG"]
        loop.close()
    assert server.connections() <= before + 1
    pool.close()
    server.wait_until(lambda: server.connections() <= before)


def test_threads_with_an_event_loop_each_have_a_pool_each(make: Make) -> None:
    pool = make()
    seen: list[object] = []

    async def main() -> None:
        seen.extend(await asyncio.gather(*(pool.execute(PING) for _ in range(20))))

    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [[b"PONG"]] * 80


def test_hung_server_fails_every_call_within_the_timeout_and_recovers(make: Make, server: Server) -> None:
    async def main() -> None:
        pool = make(timeout=0.2)
        await pool.execute((("SET", "a", "of a"), ("SET", "b", "of b")))
        with server.paused():
            results = await asyncio.gather(*(pool.execute((("GET", "a"),)) for _ in range(5)), return_exceptions=True)
        assert {type(result) for result in results} <= {ReplyTimeout, ConnectError}
        assert await pool.execute((("GET", "b"),)) == [b"of b"]

    asyncio.run(main())


def test_wait_for_a_connection_ends_with_an_error_that_names_the_alias(server: Server) -> None:
    kwargs = {"max_connections": 1, "timeout": 0.05}

    async def main() -> None:
        pool = made(server.url(), CONNECTION_POOL_CLASS=OwnAsyncBlockingPool, CONNECTION_POOL_KWARGS=kwargs)
        await pool.execute(PING)
        with server.paused():
            holder = asyncio.create_task(pool.execute(PING))
            await asyncio.sleep(0)
            with pytest.raises(PoolExhausted, match=r"all 1 connections were busy for 0\.05 s.*tested"):
                await pool.execute(PING)
        assert await holder == [b"PONG"]
        pool.close()

    asyncio.run(main())


def test_errors_are_mapped_and_contain_no_password(make: Make) -> None:
    async def main() -> None:
        with pytest.raises(AuthenticationError) as caught:
            await make(username="nobody", password="hunter2").execute(PING)
        assert "hunter2" not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
        with pytest.raises(ConnectError, match=r"tested.*127\.0\.0\.1"):
            await make(f"valkey://127.0.0.1:{free_port()}").execute(PING)

    asyncio.run(main())


def test_release_breaks_no_call_in_progress_and_close_ends_all(make: Make, server: Server) -> None:
    before = server.connections()

    async def main() -> None:
        pool = make()
        await asyncio.gather(pool.execute(PING), pool.execute(PING))
        with server.paused():
            under_way = asyncio.create_task(pool.execute(PING))
            await asyncio.sleep(0.01)
            await asyncio.to_thread(pool.release)
            await asyncio.sleep(0.01)
        assert await under_way == [b"PONG"]
        assert server.connections() == before + 1
        with server.paused():
            lost = asyncio.create_task(pool.execute(PING))
            await asyncio.sleep(0.01)
            await asyncio.to_thread(pool.close)
            with pytest.raises(ConnectionLost):
                await lost
        with pytest.raises(ClosedError, match="tested"):
            await pool.execute(PING)
        await asyncio.to_thread(server.wait_until, lambda: server.connections() <= before)

    asyncio.run(main())


@pytest.mark.parametrize("way", ["unix", "TLS", "own connection"])
def test_custom_pool_uses_every_kind_of_connection(way: str, server: Server, tls_proxy: TlsProxy) -> None:
    urls = {"unix": server.unix_url(1), "TLS": tls_proxy.url(1), "own connection": server.url(1)}
    kwargs = {"connection_class": OwnAsyncConnection, "nickname": "mine"} if way == "own connection" else {}
    Counted.reset()

    async def main() -> None:
        pool = made(urls[way], CONNECTION_POOL_CLASS=OwnAsyncPool, CONNECTION_POOL_KWARGS=kwargs)
        assert await pool.execute((("SET", "k", "v"), ("GET", "k"))) == [b"OK", b"v"]
        assert Counted.calls["get_connection"] == 1
        assert ("send_packed_command mine" in Counted.calls) == bool(kwargs)
        pool.close()

    asyncio.run(main())


def test_sync_class_is_refused_on_use_with_its_option(server: Server) -> None:
    with pytest.raises(ConfigurationError, match="names a class of synchronous code") as caught:
        asyncio.run(made(server.url(), CONNECTION_POOL_CLASS=OwnPool).execute(PING))
    assert (caught.value.alias, caught.value.key) == ("tested", "OPTIONS['CONNECTION_POOL_CLASS']")
