"""Test the multiplexed pool with servers that hang, refuse or end connections, and its own end."""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from dvcache.clients.runner import AsyncRunner
from dvcache.clients.standalone import Standalone
from dvcache.errors import (
    AuthenticationError,
    ClosedError,
    ConnectError,
    ConnectionLost,
    ReplyTimeout,
    ServerError,
)
from dvcache.pools import async_connection
from dvcache.pools.async_pool import MultiplexedPool
from dvcache.types import Endpoint
from tests.support.multiplexed_pools import ping
from tests.support.servers import DelayProxy, Server, free_port

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


def test_hung_server_fails_every_waiting_call_within_the_timeout(make: Make, server: Server) -> None:
    async def main() -> None:
        pool = make(timeout=0.2)
        await ping(pool)
        with server.paused():
            started = time.monotonic()
            results = await asyncio.gather(*(ping(pool) for _ in range(20)), return_exceptions=True)
            assert time.monotonic() - started < 2
        assert {type(result) for result in results} == {ReplyTimeout}
        assert len({id(result) for result in results}) == 20
        assert await ping(pool) == b"PONG"

    asyncio.run(main())


def test_blocked_event_loop_is_no_timeout_of_the_server(make: Make) -> None:
    async def main() -> None:
        pool = make(timeout=0.1)
        await ping(pool)
        waiting = asyncio.create_task(ping(pool))
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251  # the point: someone blocks the loop
        assert await waiting == b"PONG"

    asyncio.run(main())


def test_silent_server_fails_within_the_connect_timeout(make: Make, server: Server) -> None:
    async def main() -> None:
        pool = make(connect_timeout=0.2, timeout=30.0)
        with server.paused():
            started = time.monotonic()
            results = await asyncio.gather(*(ping(pool) for _ in range(10)), return_exceptions=True)
            assert time.monotonic() - started < 2
        assert {type(result) for result in results} == {ConnectError}
        assert await ping(pool) == b"PONG"

    asyncio.run(main())


def test_refused_connection_names_alias_and_server() -> None:
    pool = MultiplexedPool(Endpoint(host="127.0.0.1", port=free_port(), alias="sessions"))
    with pytest.raises(ConnectError, match=r"sessions.*127\.0\.0\.1") as caught:
        asyncio.run(ping(pool))
    assert isinstance(caught.value, ConnectionError)


def test_wrong_credentials_are_an_auth_error_without_the_password(make: Make) -> None:
    pool = make(options={"username": "nobody", "password": "hunter2"})
    with pytest.raises(AuthenticationError) as caught:
        asyncio.run(ping(pool))
    assert "hunter2" not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"


def test_wrong_database_is_a_server_error(make: Make) -> None:
    with pytest.raises(ServerError, match="out of range"):
        asyncio.run(ping(make(db=99)))


def test_killed_connection_fails_waiting_calls_and_the_next_call_works(make: Make, server: Server) -> None:
    async def main() -> None:
        pool = make()
        await ping(pool)
        with server.paused():
            waiting = [asyncio.create_task(ping(pool)) for _ in range(3)]
            await asyncio.sleep(0.05)
            pool._connections.get(asyncio.get_running_loop())._transport.abort()  # type: ignore[union-attr]  # as a broken network does
            results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(result) for result in results} == {ConnectionLost}
        assert await ping(pool) == b"PONG"

    asyncio.run(main())


def test_standalone_client_repeats_only_safe_commands(make: Make, server: Server) -> None:
    def kill() -> None:
        server.raw("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    async def main() -> None:
        client = AsyncRunner(Standalone(make()))
        await client.execute((("SET", "k", b"v"),))
        kill()
        assert await client.execute((("GET", "k"),)) == [b"v"]
        kill()
        with pytest.raises(ConnectionLost):
            await client.execute((("GET", "k"), ("INCRBY", "n", 1)))
        assert await client.execute((("GET", "n"),)) == [None]

    asyncio.run(main())


def test_bytes_over_the_in_flight_limit_wait_for_buffer_space(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_connection, "IN_FLIGHT", 100_000)

    async def main() -> None:
        pool = make()
        await ping(pool)
        value = b"x" * 50_000
        tasks = [asyncio.create_task(pool.execute((("SET", f"k{n}", value),))) for n in range(40)]
        await asyncio.sleep(0)
        held = pool._connections.get(asyncio.get_running_loop())._in_flight
        assert 100_000 < held < 40 * 50_000
        assert await asyncio.gather(*tasks) == [[b"OK"]] * 40

    asyncio.run(main())


def test_closed_pool_refuses_and_leaves_no_connection(make: Make, server: Server) -> None:
    before = server.connections()

    async def main() -> None:
        pool = make()
        await ping(pool)
        pool.close()
        with pytest.raises(ClosedError, match="tested"):
            await ping(pool)
        await asyncio.sleep(0.05)
        server.wait_until(lambda: server.connections() == before)

    asyncio.run(main())


def test_close_from_another_thread_closes_the_loops_connection(make: Make, server: Server) -> None:
    before = server.connections()

    async def main() -> None:
        pool = make()
        await ping(pool)
        await asyncio.to_thread(pool.close)
        await asyncio.sleep(0.05)
        server.wait_until(lambda: server.connections() == before)

    asyncio.run(main())


def test_connection_being_opened_while_the_pool_closes_is_closed(proxy: DelayProxy, server: Server) -> None:
    before = server.connections()
    proxy.delay = 0.05
    pool = MultiplexedPool(Endpoint(host="127.0.0.1", port=proxy.port))

    async def close_meanwhile() -> None:
        asking = asyncio.create_task(pool.execute((("PING",),)))
        await asyncio.to_thread(server.wait_until, lambda: proxy.accepted)
        pool.close()
        with pytest.raises(ClosedError):
            await asking
        await asyncio.to_thread(server.wait_until, lambda: server.connections() == before)

    asyncio.run(close_meanwhile())
    assert pool._connections.living() == []
