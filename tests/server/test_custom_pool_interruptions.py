"""Test custom pools in sync code after interruptions: no reply reaches another call."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from dvcache.errors import (
    ClosedError,
    ReplyTimeout,
    WrongTypeError,
)
from dvcache.pools.custom.sync_pool import CustomPool
from dvcache.pools.factory import Pools
from tests.support.custom_pools import (
    OwnBlockingPool,
    OwnPool,
    TrustingPool,
    pools_of,
)
from tests.support.servers import Server
from tests.support.sync_custom_pools import made

Make = Callable[..., CustomPool]
PING = (("PING",),)


@pytest.fixture(params=[OwnPool, OwnBlockingPool])
def make(request: pytest.FixtureRequest, server: Server) -> Iterator[Make]:
    with pools_of(request.param, CustomPool, Pools().pool, server.url()) as make:
        yield make


class Interrupted(BaseException):
    """Raised by a signal handler in the middle of a read."""


def test_interrupted_call_never_leaves_its_reply_to_another(
    make: Make, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = make(max_connections=1)
    pool.execute((("SET", "a", b"of a"), ("SET", "b", b"of b")))
    with monkeypatch.context() as patched:

        def interrupt(*_: object, **__: object) -> None:
            raise Interrupted

        patched.setattr("valkey.connection.AbstractConnection.read_response", interrupt)
        with pytest.raises(Interrupted):
            pool.execute((("GET", "a"),))
    assert pool.execute((("GET", "b"),)) == [b"of b"]
    assert server.raw("DBSIZE") == 2


@pytest.mark.parametrize("how", ["abandoned", "interrupted", "too late"])
def test_abandoned_batch_never_leaves_its_reply_to_another(
    how: str, make: Make, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = make(max_connections=1, timeout=0.2 if how == "too late" else 5)
    pool.execute((("SET", "a", b"of a"), ("SET", "b", b"of b")))
    with ExitStack() as ending:
        if how == "too late":
            ending.enter_context(server.paused())
        pending = pool.begin((("GET", "a"),))
        if how == "abandoned":
            pending.abandon()
        elif how == "too late":
            with pytest.raises(ReplyTimeout, match=r"0\.2 s.*tested"):
                pending.replies()
        else:
            patched = ending.enter_context(monkeypatch.context())

            def interrupt(*_: object, **__: object) -> None:
                raise Interrupted

            patched.setattr("valkey.connection.AbstractConnection.read_response", interrupt)
            with pytest.raises(Interrupted):
                pending.replies()
    assert pool.execute((("GET", "b"),)) == [b"of b"]


def test_begun_batch_is_read_later_and_its_connection_used_again(make: Make, server: Server) -> None:
    before = server.connections()
    pool = make(max_connections=1)
    for number in range(3):
        pending = pool.begin((("SET", "a", number), ("LPUSH", "a", 1), ("GET", "a")))
        ok, refused, value = pending.replies()
        assert (ok, type(refused), value) == (b"OK", WrongTypeError, b"%d" % number)
    assert server.connections() == before + 1


def test_connection_interrupted_during_its_greeting_is_discarded(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = make(max_connections=1, client_name="greeted")
    with monkeypatch.context() as patched:

        def interrupt(*_: object, **__: object) -> None:
            raise Interrupted

        patched.setattr("valkey.connection.AbstractConnection.read_response", interrupt)
        with pytest.raises(Interrupted):
            pool.execute(PING)
    assert pool.execute((("GET", "none"),)) == [None]


def test_close_and_release_break_no_call_in_progress(make: Make, server: Server) -> None:
    before = server.connections()
    pool = make()
    pool.execute(PING)
    custom: Any = pool._made().pool
    for connection in [custom.get_connection("PING"), custom.get_connection("PING")]:
        custom.release(connection)
    assert server.connections() == before + 2
    answers: list[object] = []
    with server.paused():
        caller = threading.Thread(target=lambda: answers.extend(pool.execute(PING)))
        caller.start()
        server.wait_until(lambda: any(use.connection for use in pool._living.alive()))
        pool.release()
        pool.close()
    caller.join()
    assert answers == [b"PONG"]
    server.wait_until(lambda: server.connections() == before)
    with pytest.raises(ClosedError, match="tested"):
        pool.execute(PING)


@pytest.mark.parametrize("cls", [OwnPool, OwnBlockingPool, TrustingPool])
def test_threads_of_a_forked_child_have_connections_of_their_own(cls: type, server: Server) -> None:
    pool = made(server.url(), CONNECTION_POOL_CLASS=cls)
    pool.execute(tuple(("SET", f"k{number}", number) for number in range(50)))

    def right(first_key: int) -> bool:
        return all(pool.execute((("GET", f"k{n}"),)) == [b"%d" % n] for n in range(first_key, 50))

    child = os.fork()
    if child == 0:
        os._exit(0 if all(right(first_key) for first_key in range(20)) else 1)
    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(right, range(20)))
    assert os.waitpid(child, 0)[1] == 0
    assert server.raw("DBSIZE") == 50
    pool.close()
