"""The lean pool's places: none is lost, whatever becomes of who waits for one. With lanes that are no connections."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from dvcache.errors import ClosedError, ConnectError, ConnectionLost, PoolExhausted
from dvcache.pools import lean
from dvcache.pools.lean import LeanPool
from dvcache.types import Batch, Endpoint
from tests.servers import wait_until

PING: Batch = (("PING",),)


class Lane:
    """A lane that answers when `let_go` is set."""

    made: list["Lane"]
    refused: Exception | None

    def __init__(self, endpoint: Endpoint) -> None:
        if Lane.refused:
            raise Lane.refused
        self.endpoint = endpoint
        self.let_go = threading.Event()
        self.dropped = self.interrupted = False
        self.used = 0.0
        Lane.made.append(self)

    def open(self) -> None: ...

    def exchange(self, batch: Batch, started: float) -> list[Any]:
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
def lanes(monkeypatch: pytest.MonkeyPatch) -> list[Lane]:
    Lane.made, Lane.refused = [], None
    monkeypatch.setattr(lean, "Lane", Lane)
    return Lane.made


@pytest.fixture
def pool() -> Iterator[LeanPool]:
    pool = LeanPool(Endpoint(max_connections=1, timeout=5.0))
    yield pool
    pool.abort()


def started(call: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Call in a thread; its result or its error ends up in the list."""
    results: list[object] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001  # shown to the test
            results.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, results


def busy(pool: LeanPool) -> tuple[threading.Thread, Lane]:
    """Have a thread use the pool's only lane until `let_go`."""
    thread, _ = started(lambda: pool.execute(PING))
    wait_until(lambda: Lane.made and pool._open)
    return thread, Lane.made[-1]


def waiting_by(event: type[threading.Event], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have those who wait for a lane wait by another kind of event."""

    class Turn:
        def __init__(self) -> None:
            self.come = event()
            self.lane: Any = None

    monkeypatch.setattr(lean, "_Turn", Turn)


class Interrupted(BaseException):
    """What a signal handler raises."""


@pytest.mark.parametrize("comes", [False, True], ids=["before its turn", "after its turn has come"])
def test_a_wait_that_is_interrupted_loses_no_place(
    comes: bool, pool: LeanPool, lanes: list[Lane], monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, lane = busy(pool)

    class InterruptedEvent(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert timeout
            if comes:
                lane.let_go.set()
                thread.join()
            raise Interrupted

    with monkeypatch.context() as patched:
        waiting_by(InterruptedEvent, patched)
        with pytest.raises(Interrupted):
            pool.execute(PING)
    lane.let_go.set()
    thread.join()
    caller, results = started(lambda: pool.execute(PING))
    wait_until(lambda: [each.let_go.set() for each in lanes] and not caller.is_alive())
    assert results == [[b"PONG"]]
    assert pool._open == 1
    assert not pool._queue


def test_a_connection_that_cannot_be_made_gives_its_place_back(pool: LeanPool) -> None:
    Lane.refused = ConnectError("no server could be started")
    for _ in range(3):
        with pytest.raises(ConnectError):
            pool.execute(PING)
    assert pool._open == 0


def test_who_waits_in_vain_leaves_the_line(lanes: list[Lane]) -> None:
    pool = LeanPool(Endpoint(max_connections=1, timeout=0.02))
    thread, lane = busy(pool)
    with pytest.raises(PoolExhausted):
        pool.execute(PING)
    assert not pool._queue
    lane.let_go.set()
    thread.join()
    assert pool.execute(PING) == [b"PONG"]
    assert lanes == [lane]
    pool.close()


def test_closing_wakes_those_who_wait_and_keeps_no_lane(pool: LeanPool, lanes: list[Lane]) -> None:
    user, lane = busy(pool)
    waiting = [started(lambda: pool.execute(PING)) for _ in range(3)]
    wait_until(lambda: len(pool._queue) == 3)
    pool.close()
    for thread, _ in waiting:
        thread.join()
    lane.let_go.set()
    user.join()
    assert all(isinstance(results[0], ClosedError) for _, results in waiting)
    assert [each.dropped for each in lanes] == [True]


def test_a_lane_handed_over_while_the_pool_closes_is_dropped(
    pool: LeanPool, lanes: list[Lane], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The waiter has its turn, and the pool is closed before it goes on."""
    user, lane = busy(pool)
    come, go_on = threading.Event(), threading.Event()

    class SlowEvent(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            result = super().wait(timeout)
            come.set()
            go_on.wait()
            return result

    waiting_by(SlowEvent, monkeypatch)
    thread, results = started(lambda: pool.execute(PING))
    wait_until(lambda: pool._queue)
    lane.let_go.set()
    user.join()
    come.wait()
    pool.close()
    go_on.set()
    thread.join()
    assert isinstance(results[0], ClosedError)
    assert lane.dropped
    assert len(lanes) == 1


def test_aborting_ends_what_is_under_way_and_nothing_is_used_again(pool: LeanPool, lanes: list[Lane]) -> None:
    results: list[object] = []

    def work() -> None:
        with suppress(ConnectionLost):
            results.append(pool.execute(PING))

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: lanes)
    pool.abort()
    thread.join()
    assert results == []
    assert lanes[0].dropped
    with pytest.raises(ClosedError):
        pool.execute(PING)
