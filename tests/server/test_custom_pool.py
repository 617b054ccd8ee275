"""Test that custom pools behave like the built-in pool: errors, limits, lost and interrupted calls, forks."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
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
    ServerError,
    WrongTypeError,
)
from dvcache.pools.custom.sync_pool import CustomPool
from dvcache.pools.factory import Pools
from dvcache.pools.sync_pool import SyncPool
from tests.support.custom_pools import (
    Counted,
    OwnAsyncPool,
    OwnBlockingPool,
    OwnConnection,
    OwnParser,
    OwnPool,
    TrustingPool,
    endpoint_of,
    pools_of,
)
from tests.support.servers import Server, TlsProxy, free_port

Make = Callable[..., CustomPool]
PING = (("PING",),)


def made(url: str, **options: Any) -> Any:
    return Pools().pool(endpoint_of(url, **options))


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


def test_custom_classes_receive_their_own_options(server: Server) -> None:
    kwargs = {"connection_class": OwnConnection, "nickname": "mine", "client_name": "own"}
    Counted.reset()
    pool = made(server.url(2), PARSER_CLASS=OwnParser, CONNECTION_POOL_KWARGS=kwargs)
    assert b"name=own " in pool.execute((("CLIENT", "INFO"),))[0]
    assert Counted.calls["send_packed_command mine"] > 0
    assert Counted.calls["read_response"] > 0
    pool.close()


class SlowPool(OwnPool):
    made = 0

    def __init__(self, **kwargs: Any) -> None:
        time.sleep(0.05)
        type(self).made += 1
        super().__init__(**kwargs)


def test_twenty_concurrent_first_threads_make_one_pool(server: Server) -> None:
    pool = made(server.url(), CONNECTION_POOL_CLASS=SlowPool)
    together = threading.Barrier(20)

    def ping(_: int) -> Any:
        together.wait(10)
        return pool.execute(PING)

    SlowPool.made = 0
    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(ping, range(20))) == [[b"PONG"]] * 20
    assert SlowPool.made == 1
    pool.close()


def test_library_name_is_not_sent_if_the_settings_say_so(server: Server) -> None:
    for options in ({}, {"CONNECTION_POOL_CLASS": OwnPool}):
        for kwargs, sent in (({}, True), ({"lib_name": None, "lib_version": None}, False)):
            pool = made(server.url(), CONNECTION_POOL_KWARGS=kwargs, **options)
            [info] = pool.execute((("CLIENT", "INFO"),))
            assert (b"lib-name=valkey-py" in info) is sent
            pool.close()


@pytest.mark.parametrize("way", ["unix", "TLS"])
def test_custom_pool_uses_every_kind_of_connection(way: str, server: Server, tls_proxy: TlsProxy) -> None:
    url = server.unix_url(1) if way == "unix" else tls_proxy.url(1)
    Counted.reset()
    pool = made(url, CONNECTION_POOL_CLASS=OwnPool)
    assert pool.execute((("SET", "k", "v"), ("GET", "k"))) == [b"OK", b"v"]
    assert Counted.calls == {"get_connection": 1}
    pool.close()


def test_class_of_the_other_mode_is_refused_on_use_with_its_option(server: Server) -> None:
    for options, key in (
        ({"CONNECTION_POOL_CLASS": OwnAsyncPool}, "OPTIONS['CONNECTION_POOL_CLASS']"),
        ({"PARSER_CLS": "tests.support.custom_pools.OwnAsyncParser"}, "OPTIONS['PARSER_CLS']"),
    ):
        with pytest.raises(ConfigurationError, match="names a class of asynchronous code") as caught:
            made(server.url(), **options).execute(PING)
        assert (caught.value.alias, caught.value.key) == ("tested", key)


@pytest.mark.full("waits for slow and hung servers")
def test_hung_server_ends_a_call_at_the_deadline(make: Make, server: Server) -> None:
    pool = make(timeout=20)
    pool.execute(PING)
    for call in (
        lambda until: pool.execute(PING, until),
        lambda until: pool.begin(PING, until).replies(),
    ):
        with server.paused():
            started = time.monotonic()
            with pytest.raises(ReplyTimeout, match="deadline has passed"):
                call(started + 0.3)
            assert 0.28 <= time.monotonic() - started < 10
        assert pool.execute(PING) == [b"PONG"]


def test_wait_for_a_permit_ends_at_the_deadline(make: Make) -> None:
    pool = make(max_connections=1, timeout=20)
    pending = pool.begin(PING)
    started = time.monotonic()
    with pytest.raises(PoolExhausted, match="deadline has passed"):
        pool.execute(PING, started + 0.2)
    assert 0.18 <= time.monotonic() - started < 10
    assert pending.replies() == [b"PONG"]


def test_permit_is_free_again_when_its_holder_dies(make: Make, server: Server) -> None:
    """The state after an exception at an unlucky instruction: nobody returns the connection."""
    before = server.connections()
    pool = make(max_connections=2, timeout=5)
    for _ in range(10):
        pending = pool.begin(PING)
        del pending
    pending, other = pool.begin(PING), pool.begin(PING)
    assert [pending.replies(), other.replies()] == [[b"PONG"]] * 2
    server.wait_until(lambda: server.connections() <= before + 2)


def test_timeout_closes_idle_connections(make: Make, server: Server) -> None:
    pool = make(timeout=0.3)
    pending = [pool.begin(PING) for _ in range(4)]
    assert [each.replies() for each in pending] == [[b"PONG"]] * 4
    before = server.connections()
    with server.paused(), pytest.raises(ReplyTimeout):
        pool.execute(PING)
    server.wait_until(lambda: server.connections() <= before - 4)


@pytest.mark.full("waits for slow and hung servers")
def test_queue_with_an_abandoned_lock_blocks_nobody(server: Server) -> None:
    """The state after KeyboardInterrupt between `Condition.__enter__` and the block that releases the lock."""
    with pools_of(OwnBlockingPool, CustomPool, Pools().pool, server.url()) as make:
        pool = make(max_connections=2, timeout=5)
        pending = pool.begin(PING)
        custom: Any = pool._made().pool
        custom.pool.mutex.acquire()
        with ThreadPoolExecutor(1) as thread:
            stuck = thread.submit(pool.execute, PING)
            server.wait_until(lambda: len(pool._living) == 2)
            del pending
            assert pool.execute(PING) == [b"PONG"]
            assert stuck.result() == [b"PONG"]
