"""Test the permits of the sync pool with scripted connections: none is lost, whatever happens to a waiter."""

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from typing_extensions import override

from dvcache.errors import ClosedError, ConnectError, ConnectionLost, PoolExhausted
from dvcache.pools import capacity, sync_pool
from dvcache.pools.capacity import Living, Waiting
from dvcache.pools.sync_pool import SyncPool
from dvcache.types import Batch, Endpoint
from tests.support.servers import wait_until

PING: Batch = (("PING",),)


class FakeConnection:
    """A connection that answers when `let_go` is set."""

    made: list["FakeConnection"]
    refused: Exception | None

    def __init__(self, endpoint: Endpoint) -> None:
        if FakeConnection.refused:
            raise FakeConnection.refused
        self.endpoint = endpoint
        self.let_go = threading.Event()
        self.asked = self.dropped = self.interrupted = self.lost = self.retired = self.silent = False
        self.is_cooperative = True
        self.used = self.since = self.overdue = 0.0
        self.descriptor = -1
        self.refusals: list[object] = []
        FakeConnection.made.append(self)

    def open(self, until: float | None = None) -> None:  # noqa: ARG002  # a connection's
        self.used = time.monotonic()

    def exchange(self, batch: Batch, started: float, until: float | None = None) -> list[Any]:  # noqa: ARG002  # as above
        self.asked = True
        self.let_go.wait()
        self.used = started
        if self.interrupted:
            raise EOFError
        return [b"PONG"] * len(batch)

    def is_dead(self) -> bool:
        return self.dropped

    def interrupt(self) -> None:
        self.interrupted = True
        self.let_go.set()

    def drop(self) -> None:
        self.dropped = True


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


def started(call: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Call in a thread; append its result or its error to the list."""
    results: list[object] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001  # shown to the test
            results.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, results


def busy(pool: SyncPool) -> tuple[threading.Thread, FakeConnection]:
    """Use the pool's only connection in a thread until `let_go`."""
    thread, _ = started(lambda: pool.execute(PING))
    wait_until(lambda: FakeConnection.made and FakeConnection.made[-1].used)
    return thread, FakeConnection.made[-1]


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


class Held:
    """A holder of a permit."""

    lost = False


def test_permit_of_a_dead_holder_is_free_again() -> None:
    living: Living[Held] = Living()
    held = Held()
    assert living.admit(held, 1)
    assert not living.admit(Held(), 1)
    del held
    assert living.admit(Held(), 1)


def test_permit_of_a_lost_holder_is_free_while_the_thread_lives() -> None:
    living: Living[Held] = Living()
    held = Held()
    assert living.admit(held, 1)
    held.lost = True
    assert living.admit(Held(), 1)
    assert living.alive() == []


def test_unbounded_permits_keep_no_entry_for_each_dead_holder() -> None:
    living: Living[Held] = Living()
    for _ in range(10_000):
        living.admit(Held(), None)
    assert len(living._entries) < 1_000


def test_bounded_permits_admit_no_more_in_threads() -> None:
    living: Living[Held] = Living()
    held, most = [], []

    def work() -> None:
        for _ in range(500):
            holder = Held()
            if living.admit(holder, 3):
                held.append(holder)
                most.append(len(held))
                held.remove(holder)
            del holder

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= max(most) <= 3


def test_queue_skips_a_waiter_whose_caller_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "_STALE", 0.1)
    queue = Waiting()
    with ThreadPoolExecutor(1) as other:
        gone = other.submit(capacity._PlaceWaiter).result()
    queue.waiters.append(weakref.ref(gone))
    assert queue.wait(lambda: "a place", time.monotonic() + 5) == "a place"
    assert not queue.waiters


def test_queue_may_be_entered_again_by_the_waiting_thread(pool: SyncPool) -> None:
    """A signal handler or a finalizer calls the cache while its thread is about to take a permit."""
    thread, connection = busy(pool)
    inner: list[object] = []
    begun = time.monotonic()

    def attempt() -> object:
        if not inner:
            inner.append(None)
            connection.let_go.set()
            thread.join()
            inner.extend(pool.execute(PING))
        return pool._rested_or_new()

    assert pool._waiting.wait(attempt, time.monotonic() + 5) is connection
    assert inner == [None, b"PONG"]
    assert time.monotonic() - begun < 0.9, "the inner call waited until the outer one was taken for gone"
