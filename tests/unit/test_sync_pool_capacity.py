"""Test the permits of the sync pool with scripted connections: none is lost, whatever happens to a waiter."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from typing_extensions import override

from dvcache.errors import ClosedError, ConnectError, ConnectionLost, PoolExhausted
from dvcache.pools import capacity, sync_pool
from dvcache.pools.sync_pool import SyncPool
from dvcache.types import Endpoint
from tests.support.fake_connections import PING, FakeConnection, busy, started
from tests.support.servers import wait_until


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> list[FakeConnection]:
    FakeConnection.made, FakeConnection.refused = [], None
    monkeypatch.setattr(sync_pool, "SyncConnection", FakeConnection)
    return FakeConnection.made


@pytest.fixture
def pool() -> Iterator[SyncPool]:
    pool = SyncPool(Endpoint(max_connections=1, timeout=5.0))
    yield pool
    pool.abort()


def waiting_at(gate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the lock at which callers wait for a connection."""

    class GatedWaiter:
        def __init__(self) -> None:
            self.gate, self.thread = gate(), threading.get_ident()
            self.seen = time.monotonic()

    monkeypatch.setattr(capacity, "_PlaceWaiter", GatedWaiter)


class Gate:
    """A lock that only its maker holds."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lock.acquire()

    def acquire(self, timeout: float) -> bool:
        return self.lock.acquire(timeout=timeout)

    def release(self) -> None:
        self.lock.release()


class Interrupted(BaseException):
    """Raised by a signal handler."""


@pytest.mark.parametrize("comes", [False, True], ids=["before its turn", "after its turn has come"])
def test_interrupted_wait_loses_no_permit(
    comes: bool, pool: SyncPool, connections: list[FakeConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, connection = busy(pool)

    class InterruptedGate(Gate):
        @override
        def acquire(self, timeout: float) -> bool:
            assert timeout
            if comes:
                connection.let_go.set()
                thread.join()
            raise Interrupted

    with monkeypatch.context() as patched:
        waiting_at(InterruptedGate, patched)
        with pytest.raises(Interrupted):
            pool.execute(PING)
    connection.let_go.set()
    thread.join()
    caller, results = started(lambda: pool.execute(PING))
    wait_until(lambda: [each.let_go.set() for each in connections] and not caller.is_alive())
    assert results == [[b"PONG"]]
    assert len(pool._living) == 1
    assert not pool._waiters


def test_failed_connection_returns_its_permit(pool: SyncPool) -> None:
    FakeConnection.refused = ConnectError("no server could be started")
    for _ in range(3):
        with pytest.raises(ConnectError):
            pool.execute(PING)
    assert len(pool._living) == 0


def test_waiter_that_times_out_leaves_the_queue(connections: list[FakeConnection]) -> None:
    pool = SyncPool(Endpoint(max_connections=1, timeout=0.02))
    thread, connection = busy(pool)
    with pytest.raises(PoolExhausted):
        pool.execute(PING)
    assert not pool._waiters
    connection.let_go.set()
    thread.join()
    assert pool.execute(PING) == [b"PONG"]
    assert connections == [connection]
    pool.close()


def test_close_wakes_the_waiters_and_keeps_no_connection(pool: SyncPool, connections: list[FakeConnection]) -> None:
    user, connection = busy(pool)
    waiting = [started(lambda: pool.execute(PING)) for _ in range(3)]
    wait_until(lambda: len(pool._waiters) == 3)
    pool.close()
    for thread, _ in waiting:
        thread.join()
    connection.let_go.set()
    user.join()
    assert all(isinstance(results[0], ClosedError) for _, results in waiting)
    assert [each.dropped for each in connections] == [True]


def test_connection_returned_while_the_pool_closes_is_dropped(
    pool: SyncPool, connections: list[FakeConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool is closed between the wake-up of the waiter and its next step."""
    user, connection = busy(pool)
    come, go_on = threading.Event(), threading.Event()

    class SlowGate(Gate):
        @override
        def acquire(self, timeout: float) -> bool:
            result = super().acquire(10.0)
            come.set()
            go_on.wait()
            return result

    waiting_at(SlowGate, monkeypatch)
    thread, results = started(lambda: pool.execute(PING))
    wait_until(lambda: pool._waiters)
    connection.let_go.set()
    user.join()
    come.wait()
    pool.close()
    go_on.set()
    thread.join()
    assert isinstance(results[0], ClosedError)
    assert connection.dropped
    assert len(connections) == 1


def test_abort_ends_calls_in_progress_and_nothing_is_used_again(
    pool: SyncPool, connections: list[FakeConnection]
) -> None:
    results: list[object] = []

    def work() -> None:
        with suppress(ConnectionLost):
            results.append(pool.execute(PING))

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: connections and connections[0].asked)
    pool.abort()
    thread.join()
    assert results == []
    assert connections[0].dropped
    with pytest.raises(ClosedError):
        pool.execute(PING)
