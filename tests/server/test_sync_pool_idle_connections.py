"""Test idle connections of the sync pool: those that died are noticed, and all of them can be closed."""

import itertools
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dvcache import Container, Settings
from dvcache.errors import ReplyTimeout
from dvcache.pools import idle_checks, sync_pool
from tests.support.scripted_replies import Speaker, command, greeted
from tests.support.servers import Server, wait_until
from tests.support.sync_pool_limits import HOW, PING, pool_of

pytestmark = pytest.mark.full("waits for slow and hung servers")


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
