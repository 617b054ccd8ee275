"""Test that custom pools behave like the built-in pool: errors, limits, lost and interrupted calls, forks."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dvcache.errors import (
    AuthenticationError,
    ClosedError,
    ConnectError,
    ConnectionLost,
    PoolExhausted,
    ReplyTimeout,
    ServerError,
)
from dvcache.pools.custom.sync_pool import CustomPool
from dvcache.pools.factory import Pools
from dvcache.pools.sync_pool import SyncPool
from tests.support.custom_pools import (
    OwnBlockingPool,
    OwnParser,
    OwnPool,
    pools_of,
)
from tests.support.servers import Server, free_port
from tests.support.sync_custom_pools import made

Make = Callable[..., CustomPool]
PING = (("PING",),)


@pytest.fixture(params=[OwnPool, OwnBlockingPool])
def make(request: pytest.FixtureRequest, server: Server) -> Iterator[Make]:
    with pools_of(request.param, CustomPool, Pools().pool, server.url()) as make:
        yield make


BUSY = (("EVAL", "for i = 1, 300000 do end return 'done'", 0),)
"""A command that keeps the server busy for some milliseconds."""
REFUSED = [
    ("LPUSH", "text", "x"),
    ("NOSUCH", "key", "secret-value"),
    ("GET",),
    ("EVALSHA", "f" * 40, 0),
    ("EVAL", "return redis.error_reply('BUSY of its own')", 0),
    ("EVAL", "return redis.error_reply('READONLY of its own')", 0),
    ("EVAL", "return {1, redis.error_reply('ERR within')}", 0),
    ("SELECT", 99),
    ("SET", "k", "v", "NONSENSE"),
]


@pytest.mark.parametrize("parser", [None, "valkey._parsers.resp2._RESP2Parser", OwnParser])
def test_server_errors_are_those_of_the_built_in_pool(parser: Any, server: Server) -> None:
    custom = made(server.url(), CONNECTION_POOL_CLASS=OwnPool, **({"PARSER_CLASS": parser} if parser else {}))
    lean = made(server.url())
    assert isinstance(lean, SyncPool)
    try:
        for pool in (lean, custom):
            assert pool.execute((("SET", "text", "x"), ("SET", "text", "v"), ("GET", "text"))) == [b"OK", b"OK", b"v"]
        for command in REFUSED:
            expected, [answered] = lean.execute((command, ("PING",)))[0], custom.execute((command,))
            assert repr(answered) == repr(expected), command
            assert type(answered) is type(expected), command
            assert custom.execute(PING) == [b"PONG"]
    finally:
        lean.close()
        custom.close()


def test_wrong_credentials_are_an_auth_error_without_the_password(make: Make) -> None:
    pool = make(username="nobody", password="hunter2")
    with pytest.raises(AuthenticationError) as caught:
        pool.execute(PING)
    assert "hunter2" not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r} {pool!r}"


def test_missing_server_and_refused_database_are_reported(make: Make, server: Server) -> None:
    port = free_port()
    with pytest.raises(ConnectError, match=rf"tested.*127\.0\.0\.1:{port}"):
        make(f"valkey://127.0.0.1:{port}").execute(PING)
    with pytest.raises(ServerError, match="out of range"):
        make(server.url(99)).execute(PING)


def test_limited_pool_makes_callers_wait_and_opens_no_more(make: Make, server: Server) -> None:
    before = server.connections()
    pool = make(max_connections=2)
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda _: pool.execute(BUSY), range(16)))
    assert replies == [[b"done"]] * 16
    assert server.connections() <= before + 2


def test_wait_for_a_connection_ends_with_an_error_that_names_the_alias(server: Server) -> None:
    kwargs = {"max_connections": 1, "timeout": 0.05}
    pool = made(server.url(), CONNECTION_POOL_CLASS=OwnBlockingPool, CONNECTION_POOL_KWARGS=kwargs)
    pool.execute(PING)
    with server.paused():
        holder = threading.Thread(target=pool.execute, args=(PING,))
        holder.start()
        server.wait_until(lambda: any(use.connection for use in pool._living.alive()))
        with pytest.raises(PoolExhausted, match=r"all 1 connections were busy for 0\.05 s.*tested"):
            pool.execute(PING)
    holder.join()
    pool.close()


def test_hung_server_raises_within_the_timeout_and_late_reply_is_dropped(make: Make, server: Server) -> None:
    pool = make(timeout=0.2)
    pool.execute((("SET", "a", b"of a"), ("SET", "b", b"of b")))
    with server.paused():
        started = time.monotonic()
        with pytest.raises(ReplyTimeout, match=r"0\.2 s.*tested") as caught:
            pool.execute((("GET", "a"),))
        assert time.monotonic() - started < 10
    assert caught.value.command == "GET"
    assert pool.execute((("GET", "b"),)) == [b"of b"]


def test_killed_connection_is_replaced_and_never_counts_twice(make: Make, server: Server) -> None:
    pool = make(max_connections=1)
    pool.execute(PING)
    with server.paused():
        lost: list[Exception] = []

        def count() -> None:
            try:
                pool.execute((("INCRBY", "n", 1),))
            except ConnectionLost as error:
                lost.append(error)

        caller = threading.Thread(target=count)
        caller.start()
        server.wait_until(lambda: any(use.connection for use in pool._living.alive()))
        pool.abort()
        caller.join()
    assert len(lost) == 1
    with pytest.raises(ClosedError, match="tested"):
        pool.execute(PING)
