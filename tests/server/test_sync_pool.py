"""Test the sync pool on a real server: concurrency, limits, timeouts, lost connections."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dvcache.clients.runner import Runner
from dvcache.clients.standalone import Standalone
from dvcache.errors import (
    AuthenticationError,
    ClosedError,
    ConnectError,
    ConnectionLost,
    PoolExhausted,
    ReplyTimeout,
    ServerError,
    TransportError,
    WrongTypeError,
)
from dvcache.pools import idle_checks, sync_pool
from dvcache.pools.sync_pool import SyncPool
from dvcache.types import Endpoint
from tests.support.servers import Server, free_port

Make = Callable[..., SyncPool]


@pytest.fixture
def make(server: Server) -> Iterator[Make]:
    pools = []

    def pool(**options: object) -> SyncPool:
        made = SyncPool(Endpoint(host="127.0.0.1", port=server.port, alias="tested", **options))  # type: ignore[arg-type]  # each test's own fields
        pools.append(made)
        return made

    yield pool
    for made in pools:
        made.close()


def test_server_error_is_a_value_in_its_place(make: Make) -> None:
    first, error, last = make().execute((("SET", "k", b"v"), ("LPUSH", "k", b"x"), ("GET", "k")))
    assert (first, last) == (b"OK", b"v")
    assert isinstance(error, WrongTypeError)
    assert (error.alias, error.endpoint.startswith("valkey://127.0.0.1:")) == ("tested", True)


def test_unknown_command_is_reported_without_its_arguments(make: Make) -> None:
    [error] = make().execute((("NOSUCH", "key", b"secret-value"),))
    assert isinstance(error, ServerError)
    assert "NOSUCH" in str(error)
    assert "secret-value" not in str(error)


@pytest.mark.parametrize("size", [0, 1, 65_000, 65_536, 65_537, 3_000_000])
def test_values_of_any_size_round_trip(make: Make, size: int) -> None:
    value = bytes(n % 251 for n in range(1000)) * (size // 1000) + b"x" * (size % 1000)
    pool = make()
    assert pool.execute((("SET", "k", value), ("GET", "k"), ("GET", "none"))) == [b"OK", value, None]
    assert pool.execute((("GET", "k"),)) == [value]


def test_connection_is_opened_on_first_use(make: Make, server: Server) -> None:
    before = server.connections()
    pool = make()
    assert server.connections() == before
    pool.execute((("PING",),))
    assert server.connections() == before + 1
    assert pool.execute(()) == []


def test_one_thread_needs_one_connection(make: Make, server: Server) -> None:
    before = server.connections()
    pool = make()
    for _ in range(100):
        pool.execute((("PING",),))
    assert server.connections() == before + 1


def test_threads_get_their_own_replies(make: Make) -> None:
    pool = make()

    def work(thread: int) -> bool:
        pairs = ((f"{thread}:{n}", b"%d:%d" % (thread, n)) for n in range(300))
        return all(pool.execute((("SET", key, value), ("GET", key)))[1] == value for key, value in pairs)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(8)))


def test_limited_pool_makes_callers_wait_and_opens_no_more(make: Make, server: Server) -> None:
    before = server.connections()
    pool = make(max_connections=2)

    def work(_: int) -> list[object]:
        return [pool.execute((("PING",),))[0] for _ in range(100)]

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(8))) == [[b"PONG"] * 100] * 8
    assert server.connections() <= before + 2


@pytest.mark.full("waits for slow and hung servers")
def test_wait_for_a_connection_ends_with_an_error_that_names_the_alias(make: Make, server: Server) -> None:
    pool = make(max_connections=1, timeout=2.0)
    pool.execute((("PING",),))
    with server.paused():

        def hold() -> None:
            with pytest.raises(ReplyTimeout):
                pool.execute((("PING",),))

        holder = threading.Thread(target=hold)
        holder.start()
        server.wait_until(lambda: not pool._free)
        pool._endpoint = Endpoint(port=server.port, alias="tested", max_connections=1, timeout=0.05)
        with pytest.raises(PoolExhausted, match="tested"):
            pool.execute((("PING",),))
        holder.join()


def test_wait_for_a_connection_has_its_own_timeout(make: Make, server: Server) -> None:
    pool = make(max_connections=1, timeout=30.0, options={"timeout": 0.05})
    with server.paused():
        holder = threading.Thread(target=pool.execute, args=((("PING",),),))
        holder.start()
        server.wait_until(lambda: len(pool._living))
        with pytest.raises(PoolExhausted, match=r"busy for 0\.05 s"):
            pool.execute((("PING",),))
    holder.join()
    patient = make(max_connections=1, timeout=0.3, options={"timeout": None})
    patient.execute((("SET", "big", b"x" * 1_000_000),))
    connection = patient._free.pop()
    waiting: list[object] = []
    waiter = threading.Thread(target=lambda: waiting.extend(patient.execute((("GET", "big"),))))
    waiter.start()
    waiter.join(0.5)
    patient._free.append(connection)
    patient._attend()
    waiter.join()
    assert waiting == [b"x" * 1_000_000]


def test_hung_server_raises_within_the_timeout(make: Make, server: Server) -> None:
    pool = make(timeout=0.2)
    pool.execute((("PING",),))
    with server.paused():
        started = time.monotonic()
        with pytest.raises(ReplyTimeout, match=r"0\.2 s.*tested") as caught:
            pool.execute((("GET", "k"),))
        assert time.monotonic() - started < 2
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.command == "GET"
    assert pool.execute((("PING",),)) == [b"PONG"]


def test_late_reply_is_dropped(make: Make, server: Server) -> None:
    pool = make(timeout=0.1)
    pool.execute((("SET", "a", b"of a"), ("SET", "b", b"of b")))
    with server.paused(), pytest.raises(ReplyTimeout):
        pool.execute((("GET", "a"),))
    assert pool.execute((("GET", "b"),)) == [b"of b"]


def test_silent_server_fails_within_the_connect_timeout(make: Make, server: Server) -> None:
    pool = make(connect_timeout=0.2, timeout=30.0)
    with server.paused():
        started = time.monotonic()
        with pytest.raises(ConnectError, match=r"no answer within 0\.2 s"):
            pool.execute((("PING",),))
        assert time.monotonic() - started < 2


def test_refused_connection_names_alias_and_server() -> None:
    port = free_port()
    pool = SyncPool(Endpoint(host="127.0.0.1", port=port, alias="sessions"))
    with pytest.raises(TransportError, match=rf"sessions.*127\.0\.0\.1:{port}") as caught:
        pool.execute((("PING",),))
    assert isinstance(caught.value, ConnectError | ConnectionError)


def test_wrong_credentials_are_an_auth_error_without_the_password(make: Make) -> None:
    pool = make(options={"username": "nobody", "password": "hunter2"})
    with pytest.raises(AuthenticationError) as caught:
        pool.execute((("PING",),))
    assert "hunter2" not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r} {pool!r}"


def test_wrong_database_is_a_server_error(make: Make) -> None:
    with pytest.raises(ServerError, match="out of range"):
        make(db=99).execute((("PING",),))


def test_failed_attempt_returns_its_permit(make: Make, server: Server) -> None:
    pool = make(max_connections=1, connect_timeout=0.05)
    with server.paused():
        for _ in range(3):
            with pytest.raises(ConnectError):
                pool.execute((("PING",),))
    assert pool.execute((("PING",),)) == [b"PONG"]


def test_killed_connection_is_lost_and_the_next_call_works(
    make: Make, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (idle_checks, sync_pool):
        monkeypatch.setattr(module, "CHECK_AFTER", 1000.0)
    pool = make(max_connections=1)
    pool.execute((("PING",),))
    server.raw("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    with pytest.raises(ConnectionLost):
        pool.execute((("INCRBY", "n", 1),))
    assert pool.execute((("INCRBY", "n", 1),)) == [1]


def test_standalone_client_repeats_only_safe_commands(
    make: Make, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (idle_checks, sync_pool):
        monkeypatch.setattr(module, "CHECK_AFTER", 1000.0)
    client = Runner(Standalone(make()))
    client.execute((("SET", "k", b"v"),))
    server.raw("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert client.execute((("GET", "k"),)) == [b"v"]
    server.raw("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    with pytest.raises(ConnectionLost):
        client.execute((("GET", "k"), ("INCRBY", "n", 1)))
    assert client.execute((("GET", "n"),)) == [None]


def test_connection_closed_while_idle_is_replaced_before_use(
    make: Make, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (idle_checks, sync_pool):
        monkeypatch.setattr(module, "CHECK_AFTER", 0.0)
    pool = make()
    for _ in range(5):
        server.raw("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        time.sleep(0.02)
        pool.execute((("INCRBY", "n", 1),))
    assert pool.execute((("GET", "n"),)) == [b"5"]


def test_closed_pool_refuses_and_leaves_no_connection(make: Make, server: Server) -> None:
    before = server.connections()
    pool = make()
    pool.execute((("PING",),))
    pool.close()
    pool.close()
    with pytest.raises(ClosedError, match="tested"):
        pool.execute((("PING",),))
    server.wait_until(lambda: server.connections() == before)


def test_close_does_not_break_a_call_in_progress(make: Make, server: Server) -> None:
    before = server.connections()
    pool = make()
    pool.execute((("PING",),))
    answers: list[object] = []
    with server.paused():
        caller = threading.Thread(target=lambda: answers.extend(pool.execute((("PING",),))))
        caller.start()
        time.sleep(0.05)
        pool.close()
    caller.join()
    assert answers == [b"PONG"]
    server.wait_until(lambda: server.connections() == before)


class Interrupted(BaseException):
    """Raised by a signal handler or a test in the middle of a read."""


def test_interrupted_call_never_leaves_its_reply_to_another(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = make()
    pool.execute((("SET", "a", b"of a"), ("SET", "b", b"of b")))
    with monkeypatch.context() as patched:

        def interrupt(*_: object) -> None:
            raise Interrupted

        [connection] = pool._free
        patched.setattr(connection, "_feed", interrupt)
        with pytest.raises(Interrupted):
            pool.execute((("GET", "a"),))
    assert pool.execute((("GET", "b"),)) == [b"of b"]


def test_missing_certificate_file_is_named() -> None:
    pool = SyncPool(Endpoint(scheme="valkeys", host="127.0.0.1", port=free_port(), options={"ssl_ca_certs": "/no/ca"}))
    with pytest.raises(ConnectError, match="ssl_ca_certs names no file: /no/ca"):
        pool.execute((("PING",),))
