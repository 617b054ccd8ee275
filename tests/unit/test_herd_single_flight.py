"""In one process one caller asks the server for an entry that must be computed, and the others share the outcome."""

# ruff: noqa: ASYNC110  # what is waited for happens on the server

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dvcache import AsyncCache, Cache, Container, Settings
from dvcache.drive import arun, run
from dvcache.flights import Flights
from dvcache.pools.memory import MemoryStore
from dvcache.testing import MemoryPoolFactory
from dvcache.types import Op, Spawn, Wait
from tests.herd_rules import each_write

K, LEASE = b":1:k", b":1:k:lease"
CALLERS = 50


class Counting(MemoryPoolFactory):
    """An in-memory server that counts the commands that it performs."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bytes] = []

    def store(self, endpoint: Any, /) -> MemoryStore:
        store = super().store(endpoint)
        if "execute" not in vars(store):
            perform = store.execute

            def execute(database: int, command: Any) -> object:
                self.asked.append(command[0])
                return perform(database, command)

            vars(store)["execute"] = execute
        return store


@pytest.fixture
def factory() -> Counting:
    return Counting()


@pytest.fixture
def container(factory: Counting) -> Iterator[Container]:
    with Container(settings(), pool_factory=factory) as container:
        yield container


def settings(**herd: object) -> Settings:
    return Settings.parse({"LOCATION": "valkey://production", "OPTIONS": {"HERD": {"timeout": 60, **herd}}})


@pytest.fixture
def cache(container: Container) -> Cache:
    return container.cache()


@pytest.fixture
def async_cache(container: Container) -> AsyncCache:
    return container.async_cache()


def raw(container: Container, *command: Any) -> Any:
    [reply] = container.client().execute((command,))
    return reply


def make_stale(container: Container, value: object = "old") -> None:
    container.cache().set("k", value)
    raw(container, "PEXPIRE", K, 30_000)


def test_of_a_thousand_tasks_on_a_missing_entry_one_asks_and_all_get_its_value(
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


def test_of_many_tasks_on_a_stale_entry_all_but_one_are_served_before_it_is_computed(
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
        assert await async_cache.get_or_set("k", "unused") == "old"  # a later one reads, and claims nothing
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


def test_a_leader_that_is_cancelled_takes_nobody_along(container: Container, async_cache: AsyncCache) -> None:
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


def test_a_follower_that_is_cancelled_leaves_the_others_to_wait(async_cache: AsyncCache) -> None:
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


def test_what_fails_for_the_leader_is_tried_by_the_next_follower(cache: Cache) -> None:
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


def test_a_function_may_ask_the_same_cache_for_the_entry_that_it_computes(cache: Cache) -> None:
    began = time.monotonic()
    assert cache.get_or_set("k", lambda: ("outer", cache.get_or_set("k", lambda: "inner"))) == ("outer", "inner")
    assert cache.get("k") == ("outer", "inner")
    assert time.monotonic() - began < 5  # the time that it would have waited for itself


def test_what_a_task_starts_to_compute_may_ask_for_the_same_entry(async_cache: AsyncCache) -> None:
    async def inner() -> object:
        return await async_cache.get_or_set("k", "inner")

    async def outer() -> object:
        return "outer", await asyncio.create_task(inner())

    async def scenario() -> object:
        return await asyncio.wait_for(async_cache.get_or_set("k", outer), 5)

    assert asyncio.run(scenario()) == ("outer", "inner")


def test_after_a_write_nobody_joins_what_was_under_way_before_it(cache: Cache) -> None:
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
def test_no_write_leaves_a_flight_that_could_be_joined(
    container: Container, cache: Cache, write: Callable[[Cache], object]
) -> None:
    make_stale(container, 1)
    flights = container.context().flights
    flights.enter(K)
    flights.hold(K, time.time(), 60)
    write(cache)
    assert flights.enter(K)[1]
    assert not flights.is_held(K, time.time())


@pytest.mark.parametrize("wait", [0, 0.02])
def test_who_has_waited_long_enough_computes_too(factory: Counting, wait: float) -> None:
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


def test_on_an_event_loop_a_synchronous_cache_does_not_wait_for_a_task_of_that_loop(
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


def test_a_forked_child_waits_for_nobody(cache: Cache) -> None:
    def compute() -> int:
        pid = os.fork()
        if pid == 0:
            with_its_own = cache.get_or_set("other", "child's")
            os._exit(0 if with_its_own == "child's" else 1)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    flight, _ = cache._context.flights.enter(b":1:other")
    assert cache.get_or_set("k", compute) == 0
    flight.land()


def test_a_refresh_in_the_background_serves_the_claimer_too(factory: Counting) -> None:
    async def scenario() -> list[object]:
        async with Container(settings(background=True), pool_factory=factory) as container:
            make_stale(container)
            cache = container.async_cache()
            go = asyncio.Event()

            async def compute() -> str:
                await go.wait()
                return "new"

            found = [await cache.get_or_set("k", compute) for _ in range(3)]
            go.set()
            while await cache.get("k") == "old":
                await asyncio.sleep(0.001)
            return [*found, await cache.get("k")]

    assert asyncio.run(scenario()) == ["old", "old", "old", "new"]


def test_a_synchronous_refresh_is_made_here_and_now(factory: Counting) -> None:
    with Container(settings(background=True), pool_factory=factory) as container:
        make_stale(container)
        assert container.cache().get_or_set("k", lambda: None) is None
        assert container.cache().get("k", "a miss") is None


def test_a_container_ends_what_it_refreshes_and_the_lease_is_dropped(factory: Counting) -> None:
    ended = []

    async def scenario() -> None:
        async with Container(settings(background=True), pool_factory=factory) as container:
            make_stale(container)

            async def compute() -> str:
                try:
                    await asyncio.sleep(60)
                finally:
                    ended.append(True)
                return "never"

            assert await container.async_cache().get_or_set("k", compute) == "old"
            await asyncio.sleep(0.01)
            assert raw(container, "EXISTS", LEASE) == 1

    asyncio.run(scenario())
    assert ended == [True]
    with Container(settings(), pool_factory=factory) as container:
        assert raw(container, "EXISTS", LEASE) == 0


def test_a_refresh_that_fails_is_logged_and_the_next_caller_takes_over(
    factory: Counting, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with Container(settings(background=True), pool_factory=factory) as container:
            make_stale(container)
            cache = container.async_cache()

            def fail() -> str:
                raise LookupError

            assert await cache.get_or_set("k", fail) == "old"
            while raw(container, "EXISTS", LEASE):
                await asyncio.sleep(0.001)
            assert await cache.get_or_set("k", lambda: "new") == "old"
            while await cache.get("k") != "new":
                await asyncio.sleep(0.001)

    asyncio.run(scenario())
    assert "LookupError" in caplog.text


# The effects and what they rest on


def _waits(flights: Flights, seconds: float) -> Op[bool]:
    flight, _ = flights.enter(b"k")
    return (yield Wait(flight.done(), seconds))  # type: ignore[no-any-return]  # what the driver sends


class _Nobody:
    def execute(self, batch: Any, /) -> Any:
        raise AssertionError(batch)

    def close(self) -> None:
        pass


def test_waiting_ends_with_the_work_or_with_the_time() -> None:
    flights = Flights()
    flight, leads = flights.enter(b"k")
    assert leads
    assert run(_waits(flights, 0.001), _Nobody()) is False
    assert asyncio.run(arun(_waits(flights, 0.001), _Nobody())) is False
    done = Wait(flight.done(), 10)

    def waits() -> Op[bool]:
        return (yield done)  # type: ignore[no-any-return]  # as above

    threading.Timer(0.01, flight.land, [7]).start()
    assert run(waits(), _Nobody()) is True
    assert asyncio.run(arun(waits(), _Nobody())) is True
    assert flight.outcome == 7
    assert flights.enter(b"k")[1]


def test_what_is_spawned_is_a_task_or_done_at_once() -> None:
    started: list[Any] = []

    class Tasks:
        def start(self, work: Any, /) -> None:
            started.append(work)

    def work() -> Op[object]:
        return 7
        yield ()

    def spawns() -> Op[object]:
        return (yield Spawn(work(), Tasks()))

    assert run(spawns(), _Nobody()) == 7
    assert started == []
    assert asyncio.run(arun(spawns(), _Nobody())) is None
    assert asyncio.run(started.pop()) == 7


def test_a_flight_lands_once_and_a_late_waiter_sees_it() -> None:
    flights = Flights()
    flight, _ = flights.enter(b"k")
    flight.land(1)
    flight.land(2)
    assert flight.outcome == 1
    assert flight.done().done()


def test_a_note_of_a_lease_counts_no_longer_than_the_lease() -> None:
    flights = Flights()
    mark = flights.hold(b"k", now=100, seconds=5)
    assert mark is not None
    assert flights.hold(b"k", now=104, seconds=5) is None
    assert flights.is_held(b"k", now=104)
    assert not flights.is_held(b"k", now=105)
    newer = flights.hold(b"k", now=105, seconds=5)
    flights.let_go(b"k", mark)
    assert flights.is_held(b"k", now=106)
    flights.detach(b"k")
    assert not flights.is_held(b"k", now=106)
    assert newer is not None


def test_detaching_all_lets_nobody_enter_what_is_under_way() -> None:
    flights = Flights()
    flight, _ = flights.enter(b"k")
    flights.hold(b"k", now=0, seconds=9)
    flights.detach_all()
    assert flights.enter(b"k")[1]
    assert not flights.is_held(b"k", now=0)
    flight.land()
    assert not flights.enter(b"k")[1]
