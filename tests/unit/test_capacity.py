"""Test the places of a bounded pool and the queue for them."""

import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dvcache.pools import capacity, sync_pool
from dvcache.pools.capacity import Living, Waiting
from dvcache.pools.sync_pool import SyncPool
from dvcache.types import Endpoint
from tests.support.fake_connections import PING, FakeConnection, busy


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
