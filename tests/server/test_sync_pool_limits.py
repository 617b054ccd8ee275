"""Test the limits of the sync pool: the timeout for silence, the deadline for the whole, despite interruptions."""

import itertools
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dvcache import Container, Settings
from dvcache.errors import PoolExhausted, ReplyTimeout, ServerError, TransportError
from dvcache.pools import idle_checks, sync_pool
from dvcache.pools.sync_pool import SyncPool
from dvcache.types import Endpoint
from tests.support.scripted_replies import Speaker, command, greeted
from tests.support.servers import Server, TlsProxy, wait_until

pytestmark = pytest.mark.full("waits for slow and hung servers")

LATE = 0.05
"""Seconds beyond its limit within which a wait must end, on a busy machine."""
BUSY = 5.0
PING = (("PING",),)
HOW: dict[str, Callable[[SyncPool], object]] = {
    "executed": lambda pool: pool.execute(PING),
    "begun": lambda pool: pool.begin(PING).replies(),
}
WORDS = b"x" * 4_000_000


def pool_of(port: int, **options: object) -> SyncPool:
    return SyncPool(Endpoint(host="127.0.0.1", port=port, alias="tested", **options))  # type: ignore[arg-type]  # each test's own fields


@contextmanager
def raises_after(seconds: float, error: type[Exception] = ReplyTimeout) -> Iterator[None]:
    """Check that the block ends with the error after these seconds."""
    started = time.monotonic()
    with pytest.raises(error):
        yield
    taken = time.monotonic() - started
    assert seconds - 0.02 <= taken < seconds + LATE + BUSY


def drip(step: int, pause: float) -> Callable[[socket.socket, int], None]:
    """Answer with a value of 100 kB, so many bytes at a time."""

    def talk(sock: socket.socket, _: int) -> None:
        greeted(sock)
        while command(sock):
            reply = b"$100000\r\n" + b"y" * 100_000 + b"\r\n"
            for start in range(0, len(reply), step):
                sock.sendall(reply[start : start + step])
                time.sleep(pause)

    return talk


def gulp(step: int, pause: float) -> Callable[[socket.socket, int], None]:
    """Read so many bytes at a time, then acknowledge."""

    def talk(sock: socket.socket, _: int) -> None:
        greeted(sock)
        left = len(WORDS)
        while left > 0 and (data := sock.recv(step)):
            left -= len(data)
            time.sleep(pause)
        sock.sendall(b"+OK\r\n")
        command(sock)

    return talk


def test_slow_reply_may_take_longer_than_the_timeout() -> None:
    with Speaker(drip(10_000, 0.06)) as server:
        pool = pool_of(server.port, timeout=0.3)
        [value] = pool.execute((("GET", "k"),), time.monotonic() + 20)
        assert value == b"y" * 100_000
        pool.close()


def test_slow_reply_ends_at_the_deadline() -> None:
    with Speaker(drip(1_000, 0.05)) as server:
        pool = pool_of(server.port, timeout=1.0)
        with raises_after(0.4):
            pool.execute((("GET", "k"),), time.monotonic() + 0.4)
        with pytest.raises(ReplyTimeout, match="deadline has passed"):
            pool.execute((("GET", "k"),), time.monotonic() + 0.2)
        pool.close()


def test_write_that_is_read_slowly_may_take_longer_than_the_timeout() -> None:
    with Speaker(gulp(400_000, 0.1), buffer=65_536) as server:
        pool = pool_of(server.port, timeout=0.5)
        assert pool.execute((("SET", "k", WORDS),), time.monotonic() + 30) == [b"OK"]
        pool.close()


@pytest.mark.parametrize("timeout", [0.5, 5.0, None])
def test_write_that_is_read_slowly_ends_at_the_deadline(timeout: float | None) -> None:
    with Speaker(gulp(10_000, 0.1), buffer=65_536) as server:
        pool = pool_of(server.port, timeout=timeout)
        with raises_after(0.6):
            pool.execute((("SET", "k", WORDS * 3),), time.monotonic() + 0.6)
        pool.close()


def test_write_that_nobody_reads_ends_at_the_timeout() -> None:
    with Speaker(gulp(1, 60), buffer=65_536) as server:
        pool = pool_of(server.port, timeout=0.3)
        with raises_after(0.3):
            pool.execute((("SET", "k", WORDS * 3),))
        pool.close()


def test_tls_writes_and_reads_end_at_the_timeout_and_at_the_deadline(server: Server, tmp_path: Path) -> None:
    with TlsProxy(server.port, tmp_path) as proxy:
        pool = SyncPool(
            Endpoint(
                scheme="valkeys",
                host="127.0.0.1",
                port=proxy.port,
                timeout=0.3,
                options={"ssl_ca_certs": str(proxy.ca_path)},
            )
        )
        assert pool.execute((("SET", "k", WORDS), ("GET", "k")))[1] == WORDS
        with server.paused(), raises_after(0.3):
            pool.execute(PING)
        pool.execute(PING)
        with server.paused(), raises_after(0.15):
            pool.execute(PING, time.monotonic() + 0.15)
        pool.close()


@pytest.mark.parametrize("timeout", [5.0, None])
def test_hung_server_ends_a_call_at_the_deadline(timeout: float | None, server: Server) -> None:
    pool = pool_of(server.port, timeout=timeout)
    pool.execute(PING)
    with server.paused(), raises_after(0.3):
        pool.execute(PING, time.monotonic() + 0.3)
    pool.close()


def test_begun_batch_ends_at_the_deadline(server: Server) -> None:
    pool = pool_of(server.port, timeout=5.0)
    pool.execute(PING)
    with server.paused(), raises_after(0.3):
        pool.begin(PING, time.monotonic() + 0.3).replies()
    pool.close()


def test_wait_for_a_connection_ends_at_the_deadline(server: Server) -> None:
    pool = pool_of(server.port, timeout=5.0, max_connections=1)
    pending = pool.begin(PING)
    with raises_after(0.3, PoolExhausted):
        pool.execute(PING, time.monotonic() + 0.3)
    with pytest.raises(PoolExhausted, match="deadline has passed"):
        pool.execute(PING, time.monotonic() + 0.1)
    assert pending.replies() == [b"PONG"]
    pool.close()


@contextmanager
def ticking(seconds: float) -> Iterator["itertools.count[int]"]:
    """Interrupt the main thread by a timer."""
    count = itertools.count()
    before = signal.signal(signal.SIGALRM, lambda *_: next(count))
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        yield count
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("how", HOW)
def test_timer_does_not_prolong_the_wait_for_a_reply(how: str, server: Server) -> None:
    pool = pool_of(server.port, timeout=0.5)
    pool.execute(PING)
    with server.paused(), ticking(0.1) as ticks, raises_after(0.5):
        HOW[how](pool)
    assert next(ticks) > 2
    assert pool.execute(PING) == [b"PONG"]
    pool.close()


def test_signals_of_another_thread_do_not_prolong_the_wait_for_a_reply(server: Server) -> None:
    pool = pool_of(server.port, timeout=0.5)
    pool.execute(PING)
    over = threading.Event()
    main = threading.get_ident()
    before = signal.signal(signal.SIGUSR1, lambda *_: None)

    def disturb() -> None:
        while not over.wait(0.02):
            signal.pthread_kill(main, signal.SIGUSR1)

    disturber = threading.Thread(target=disturb)
    disturber.start()
    try:
        with server.paused(), raises_after(0.5):
            pool.execute(PING)
    finally:
        over.set()
        disturber.join()
        signal.signal(signal.SIGUSR1, before)
    pool.close()


def test_timer_does_not_prolong_the_wait_for_a_connection(server: Server) -> None:
    pool = pool_of(server.port, timeout=0.4, max_connections=1)
    pending = pool.begin(PING)
    with ticking(0.1), raises_after(0.4, PoolExhausted):
        pool.execute(PING)
    pending.abandon()
    pool.close()


def test_refused_value_costs_its_caller_alone(server: Server) -> None:
    limit = int(server.raw("CONFIG", "GET", "proto-max-bulk-len")[1])
    server.raw("CONFIG", "SET", "proto-max-bulk-len", 1_048_576)
    try:
        pool = pool_of(server.port, max_connections=1)
        pool.execute((("SET", "n", 1),))
        for size in (1_100_000, 40_000_000):
            [refused] = pool.execute((("SET", "big", b"x" * size),))
            assert isinstance(refused, ServerError)
            assert "Protocol error" in str(refused)
            assert pool.execute((("INCRBY", "n", 1),))[0] > 1
        replies = pool.execute((("INCRBY", "n", 1), ("SET", "big", b"x" * 1_100_000), ("INCRBY", "n", 1)))
        assert [type(each) is not int for each in replies][1:] == [True, True]
        assert pool.execute((("GET", "n"),)) == [b"4"]
        pool.close()
    finally:
        server.raw("CONFIG", "SET", "proto-max-bulk-len", limit)


def test_unexpected_reply_on_an_idle_connection_is_dropped() -> None:
    said = threading.Event()

    def talk(sock: socket.socket, number: int) -> None:
        greeted(sock)
        while data := command(sock):
            sock.sendall(b"$%d\r\n%b\r\n" % (len(str(number)), str(number).encode()) * data.count(b"GET"))
            if number == 0:
                time.sleep(0.002)
                sock.sendall(b"$5\r\nstray\r\n")
                said.set()

    with Speaker(talk) as server:
        pool = pool_of(server.port)
        assert pool.execute((("GET", "k"),)) == [b"0"]
        said.wait(5)
        time.sleep(0.01)
        assert pool.execute((("GET", "k"),)) == [b"1"]
        assert pool.execute((("GET", "k"), ("GET", "k"))) == [b"1", b"1"]
        pool.close()


@pytest.mark.parametrize("how", HOW)
def test_surplus_reply_closes_its_connection(how: str) -> None:
    def talk(sock: socket.socket, number: int) -> None:
        greeted(sock)
        while command(sock):
            sock.sendall(b"+OK\r\n" if number else b"+OK\r\n+EXTRA\r\n")

    with Speaker(talk) as server:
        pool = pool_of(server.port)
        with pytest.raises(TransportError, match="more replies than commands"):
            HOW[how](pool)
        assert pool.execute(PING) == [b"OK"]
        pool.close()


def test_busy_pool_does_not_poll(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = itertools.count()
    is_dead = sync_pool.SyncConnection.is_dead
    monkeypatch.setattr(sync_pool.SyncConnection, "is_dead", lambda connection: (next(looked), is_dead(connection))[1])
    pool = pool_of(server.port)
    pool.execute(PING)
    rested = 0
    started = time.monotonic()
    for _ in range(1000):
        pool.execute(PING)
        rested += time.monotonic() - started > sync_pool.CHECK_AFTER
        started = time.monotonic()
    assert next(looked) <= 2 * rested + 1
    time.sleep(0.01)
    pool.execute(PING)
    assert next(looked) >= 2
    pool.close()


def black_holes(dead: set[int]) -> Callable[[socket.socket, int], None]:
    """Answer, except on the connections of these numbers."""

    def talk(sock: socket.socket, number: int) -> None:
        greeted(sock)
        while command(sock):
            if number not in dead:
                sock.sendall(b"+PONG\r\n")

    return talk


@pytest.mark.parametrize("how", HOW)
def test_timeout_on_an_idle_connection_drops_the_other_idle_ones(how: str) -> None:
    dead: set[int] = set()
    with Speaker(black_holes(dead)) as server:
        pool = pool_of(server.port, timeout=0.3)
        pending = [pool.begin(PING) for _ in range(8)]
        assert [each.replies() for each in pending] == [[b"PONG"]] * 8
        assert server.accepted == 8
        dead |= set(range(8))
        time.sleep(0.01)
        with pytest.raises(ReplyTimeout):
            HOW[how](pool)
        for _ in range(8):
            assert pool.execute(PING) == [b"PONG"]
        assert server.accepted == 9
        pool.close()


def test_timeout_keeps_connections_used_in_the_meantime() -> None:
    dead: set[int] = set()
    with Speaker(black_holes(dead)) as server:
        pool = pool_of(server.port, timeout=0.3)
        pending = [pool.begin(PING) for _ in range(2)]
        for each in pending:
            each.replies()
        dead.add(1)  # returned last, and so taken first
        time.sleep(0.01)
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(pool.execute, PING)
            wait_until(lambda: len(pool._free) == 1)
            assert pool.execute(PING) == [b"PONG"]
            with pytest.raises(ReplyTimeout):
                waiting.result()
        assert pool.execute(PING) == [b"PONG"]
        assert server.accepted == 2
        pool.close()


def test_idle_connections_closed_by_the_server_are_closed_here(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle_checks, "SWEEP", 0.2)
    pool = pool_of(server.port)
    pending = [pool.begin(PING) for _ in range(20)]
    for each in pending:
        each.replies()
    assert len(pool._free) == 20
    time.sleep(0.05)
    server.raw("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    wait_until(lambda: not pool._free)
    pool.close()


def test_closed_idle_connections_are_closed_when_one_is_noticed(server: Server) -> None:
    pool = pool_of(server.port)
    pending = [pool.begin(PING) for _ in range(20)]
    for each in pending:
        each.replies()
    time.sleep(0.05)
    server.raw("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert pool.execute(PING) == [b"PONG"]
    assert len(pool._free) == 1
    pool.close()


@pytest.mark.parametrize("how", ["release", "close", "abort"])
def test_many_connections_are_closed_without_recursion(how: str, server: Server) -> None:
    before = server.connections()
    pool = pool_of(server.port)
    pending = [pool.begin(PING) for _ in range(1200)]
    for each in pending:
        each.replies()
    getattr(pool, how)()
    assert not pool._free
    server.wait_until(lambda: server.connections() <= before)
    pool.close()


def test_connection_keeps_no_buffer_of_its_largest_reply(server: Server) -> None:
    pool = pool_of(server.port)
    pool.execute((("SET", "big", b"x" * 40_000_000),))
    pool.execute((("GET", "big"),))
    resident = _resident()
    pending = [pool.begin((("GET", "big"),)) for _ in range(8)]
    for each in pending:
        each.replies()
    del pending, each
    assert len(pool._free) == 8
    assert _resident() - resident < 100_000_000
    pool.close()


@pytest.mark.parametrize("how", ["release", "close"])
def test_container_closes_many_idle_connections_without_recursion(how: str, server: Server) -> None:
    before = server.connections()
    with Container(Settings.parse({"LOCATION": server.url()})) as container:
        client = container.client()
        with ThreadPoolExecutor(400) as threads:
            gate = threading.Barrier(400)
            list(threads.map(lambda _: (gate.wait(30), client.execute((("BLPOP", "nothing", 0.5),))), range(400)))
        getattr(container, how)()
        server.wait_until(lambda: server.connections() <= before)


def test_pushes_between_replies_of_sync_calls_are_dropped(server: Server) -> None:
    """CLIENT TRACKING by a connect function, while another connection writes the keys being read."""

    def track(connection: Any) -> None:
        connection.on_connect()
        connection.send_command("CLIENT", "TRACKING", "ON", "BCAST")
        connection.read_response()

    settings = {"valkey_connect_func": track, "protocol": 3}
    entry = {"LOCATION": server.url(), "OPTIONS": {"CONNECTION_POOL_KWARGS": settings}}
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            writer.execute((("SET", f"w{number % 50}", number),))

    writer = pool_of(server.port)
    with Container(Settings.parse(entry)) as container:
        cache = container.cache()
        cache.set_many({f"k{number}": number for number in range(50)})
        thread = threading.Thread(target=write)
        thread.start()
        try:
            assert all(cache.get(f"k{number % 50}") == number % 50 for number in range(3000))
        finally:
            over.set()
            thread.join()
    writer.close()


def test_watchdog_is_renewed_after_a_fork_without_a_thread_warning(server: Server) -> None:
    script = """
import os, signal, sys, time, warnings
from dvcache.errors import ReplyTimeout
from dvcache.pools.sync_pool import SyncPool as LeanPool
from dvcache.types import Endpoint

pool = LeanPool(Endpoint(host="127.0.0.1", port=int(sys.argv[1]), timeout=0.5))
pool.execute((("PING",),))
warnings.simplefilter("error")
ready, stopped = os.pipe(), os.pipe()
child = os.fork()
pool.execute((("PING",),))
if child:
    os.read(ready[0], 1)
    os.kill(int(sys.argv[2]), signal.SIGSTOP)
    os.write(stopped[1], b"x")
else:
    os.write(ready[1], b"x")
    os.read(stopped[0], 1)
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
started = time.monotonic()
try:
    pool.execute((("PING",),))
except ReplyTimeout:
    held = 0.45 < time.monotonic() - started < 10
else:
    held = False
if not child:
    os._exit(0 if held else 1)
signal.setitimer(signal.ITIMER_REAL, 0)
print(held, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    command = [sys.executable, "-c", script, str(server.port), str(server.pid)]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    finally:
        server.resume()
    assert ended.stdout.split() == ["True", "0"], ended.stderr


def _resident() -> int:
    """Return the resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
