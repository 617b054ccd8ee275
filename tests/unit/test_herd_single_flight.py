"""Test single flight: one caller of a process asks the server and computes, the others share the outcome."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dvcache import AsyncCache, Cache, Container
from tests.support.herd_memory import LEASE, Counting, K, make_stale, raw, settings
from tests.support.herd_rules import each_write

CALLERS = 50


@pytest.fixture
def factory() -> Counting:
    return Counting()


@pytest.fixture
def container(factory: Counting) -> Iterator[Container]:
    with Container(settings(), pool_factory=factory) as container:
        yield container


@pytest.fixture
def cache(container: Container) -> Cache:
    return container.cache()


@pytest.fixture
def async_cache(container: Container) -> AsyncCache:
    return container.async_cache()


def test_missing_entry_is_computed_once_for_a_thousand_tasks(
    container: Container, async_cache: AsyncCache, factory: Counting
) -> None:
    computed = 0

    async def compute() -> str:
        nonlocal computed
        computed += 1
        await asyncio.sleep(0.01)
        return "new"

    async def scenario() -> list[object]:
        return await asyncio.gather(*(async_cache.get_or_set("k", compute) for _ in range(1000)))

    assert set(asyncio.run(scenario())) == {"new"}
    assert computed == 1
    assert factory.asked[:5] == [b"GET", b"PTTL", b"SET", b"GET", b"PTTL"]
    assert len(factory.asked) <= 7  # and EVALSHA, EVAL
    assert raw(container, "EXISTS", LEASE) == 0


def test_stale_entry_is_served_to_all_tasks_but_one_before_it_is_computed(
    container: Container, async_cache: AsyncCache, factory: Counting
) -> None:
    make_stale(container)
    factory.asked.clear()

    async def scenario() -> tuple[list[object], object]:
        go = asyncio.Event()

        async def compute() -> str:
            await go.wait()
            return "new"

        tasks = [asyncio.create_task(async_cache.get_or_set("k", compute)) for _ in range(CALLERS)]
        done: set[asyncio.Task[object]] = set()
        while len(done) < CALLERS - 1:
            done |= (await asyncio.wait(set(tasks) - done, return_when=asyncio.FIRST_COMPLETED))[0]
        served = [task.result() for task in done]
        assert len(factory.asked) == 5
        assert await async_cache.get_or_set("k", "unused") == "old"  # a later caller reads and claims nothing
        assert await async_cache.get("k") == "old"
        assert len(factory.asked) == 9
        go.set()
        [last] = set(tasks) - done
        return served, await last

    assert asyncio.run(scenario()) == (["old"] * (CALLERS - 1), "new")


def test_threads_and_tasks_share_one_computation(cache: Cache, async_cache: AsyncCache) -> None:
    begun, go = threading.Event(), threading.Event()
    computed: list[str] = []

    def compute() -> str:
        computed.append(threading.current_thread().name)
        begun.set()
        assert go.wait(10)
        return "new"

    async def tasks() -> list[object]:
        asyncio.get_running_loop().call_later(0.05, go.set)
        return await asyncio.gather(*(async_cache.get_or_set("k", "unused") for _ in range(5)))

    with ThreadPoolExecutor(CALLERS) as threads:
        leader = threads.submit(cache.get_or_set, "k", compute)
        assert begun.wait(10)
        followers = [threads.submit(cache.get_or_set, "k", "unused") for _ in range(5)]
        assert asyncio.run(tasks()) == ["new"] * 5
        assert [each.result() for each in (leader, *followers)] == ["new"] * 6
    assert len(computed) == 1


def test_cancelled_leader_cancels_no_follower(container: Container, async_cache: AsyncCache) -> None:
    async def scenario() -> list[object]:
        begun = asyncio.Event()

        async def forever() -> str:
            begun.set()
            await asyncio.sleep(60)
            return "never"

        leader = asyncio.create_task(async_cache.get_or_set("k", forever))
        await begun.wait()
        followers = [asyncio.create_task(async_cache.get_or_set("k", "new")) for _ in range(5)]
        await asyncio.sleep(0.01)
        leader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leader
        return await asyncio.gather(*followers)

    assert asyncio.run(scenario()) == ["new"] * 5
    assert raw(container, "EXISTS", LEASE) == 0


def test_cancelled_follower_leaves_the_others_waiting(async_cache: AsyncCache) -> None:
    async def scenario() -> object:
        go = asyncio.Event()

        async def compute() -> str:
            await go.wait()
            return "new"

        leader = asyncio.create_task(async_cache.get_or_set("k", compute))
        await asyncio.sleep(0.01)
        cancelled, follower = (asyncio.create_task(async_cache.get_or_set("k", "unused")) for _ in range(2))
        await asyncio.sleep(0.01)
        cancelled.cancel()
        await asyncio.sleep(0.01)
        go.set()
        return await asyncio.gather(leader, follower)

    assert asyncio.run(scenario()) == ["new", "new"]


def test_failed_computation_of_the_leader_is_tried_by_the_next_follower(cache: Cache) -> None:
    begun, go = threading.Event(), threading.Event()

    def fail() -> str:
        begun.set()
        assert go.wait(10)
        raise LookupError

    with ThreadPoolExecutor(2) as threads:
        leader = threads.submit(cache.get_or_set, "k", fail)
        assert begun.wait(10)
        follower = threads.submit(cache.get_or_set, "k", "new")
        go.set()
        with pytest.raises(LookupError):
            leader.result()
        assert follower.result() == "new"


def test_function_of_get_or_set_may_get_the_entry_that_it_computes(cache: Cache) -> None:
    began = time.monotonic()
    assert cache.get_or_set("k", lambda: ("outer", cache.get_or_set("k", lambda: "inner"))) == ("outer", "inner")
    assert cache.get("k") == ("outer", "inner")
    assert time.monotonic() - began < 5  # the time for which it would wait for itself


def test_task_started_by_the_function_may_get_the_same_entry(async_cache: AsyncCache) -> None:
    async def inner() -> object:
        return await async_cache.get_or_set("k", "inner")

    async def outer() -> object:
        return "outer", await asyncio.create_task(inner())

    async def scenario() -> object:
        return await asyncio.wait_for(async_cache.get_or_set("k", outer), 5)

    assert asyncio.run(scenario()) == ("outer", "inner")


def test_callers_after_a_write_join_no_earlier_computation(cache: Cache) -> None:
    begun, go = threading.Event(), threading.Event()

    def compute() -> str:
        begun.set()
        assert go.wait(10)
        return "before"

    with ThreadPoolExecutor(2) as threads:
        leader = threads.submit(cache.get_or_set, "k", compute)
        assert begun.wait(10)
        cache.delete("k")
        assert cache.get_or_set("k", lambda: "after") == "after"
        go.set()
        assert leader.result() == "after"
    assert cache.get("k") == "after"


@each_write
def test_writes_leave_no_computation_that_could_be_joined(
    container: Container, cache: Cache, write: Callable[[Cache], object]
) -> None:
    make_stale(container, 1)
    single_flight = container.context().single_flight
    single_flight.enter(K)
    single_flight.hold(K, time.time(), 60)
    write(cache)
    assert single_flight.enter(K)[1]
    assert not single_flight.is_held(K, time.time())


@pytest.mark.parametrize("wait", [0, 0.02])
def test_follower_past_its_wait_limit_computes_too(factory: Counting, wait: float) -> None:
    begun, go = threading.Event(), threading.Event()

    def compute() -> str:
        begun.set()
        assert go.wait(10)
        return "slow"

    with Container(settings(wait=wait), pool_factory=factory) as container, ThreadPoolExecutor(1) as threads:
        cache = container.cache()
        leader = threads.submit(cache.get_or_set, "k", compute)
        assert begun.wait(10)
        assert cache.get_or_set("k", "own") == "own"
        go.set()
        assert leader.result() == "slow"
        assert cache.get("k") == "slow"


def test_sync_cache_on_an_event_loop_does_not_wait_for_a_task_of_that_loop(
    cache: Cache, async_cache: AsyncCache
) -> None:
    async def scenario() -> object:
        go = asyncio.Event()

        async def compute() -> str:
            await go.wait()
            return "slow"

        leader = asyncio.create_task(async_cache.get_or_set("k", compute))
        await asyncio.sleep(0.01)
        found = cache.get_or_set("k", "own")
        go.set()
        await leader
        return found

    assert asyncio.run(scenario()) == "own"


def test_forked_child_does_not_wait_for_the_parents_computation(cache: Cache) -> None:
    def compute() -> int:
        pid = os.fork()
        if pid == 0:
            with_its_own = cache.get_or_set("other", "child's")
            os._exit(0 if with_its_own == "child's" else 1)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    flight, _ = cache._context.single_flight.enter(b":1:other")
    assert cache.get_or_set("k", compute) == 0
    flight.finish()
