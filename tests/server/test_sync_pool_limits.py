"""Test the limits of the sync pool: the timeout for silence, the deadline for the whole, despite interruptions."""

import itertools
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dvcache.errors import PoolExhausted, ReplyTimeout
from dvcache.pools.sync_pool import SyncPool
from dvcache.types import Endpoint
from tests.support.scripted_replies import Speaker, command, greeted
from tests.support.servers import Server, TlsProxy
from tests.support.sync_pool_limits import HOW, PING, pool_of

pytestmark = pytest.mark.full("waits for slow and hung servers")
LATE = 0.05
"""Seconds beyond its limit within which a wait must end, on a busy machine."""
BUSY = 5.0
WORDS = b"x" * 4_000_000


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
