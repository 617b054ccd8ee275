"""Test pools of in-memory servers: sharing, closing, threads, forks and event loops."""

import asyncio
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import pytest

from dvcache.errors import ClosedError
from dvcache.memory import AsyncMemoryPool, MemoryPool, memory_store
from dvcache.memory.store import MemoryStore
from dvcache.scripts.script import Call
from dvcache.testing import ManualClock, MemoryPoolFactory
from dvcache.types import Endpoint


def test_arguments_are_stored_as_they_would_be_sent() -> None:
    pool = MemoryPool(MemoryStore(), Endpoint())
    pool.execute((("MSETEX", 6, "é", "ü", b"bytes", b"\xff", "int", -(10**30), "float", 0.1, "big", 1e300, 7, "m"),))
    assert pool.execute((("MGET", "é".encode(), "bytes", "int", "float", "big", "7"),)) == [
        [b"\xc3\xbc", b"\xff", b"-1000000000000000000000000000000", b"0.1", b"1e+300", b"m"]
    ]


@pytest.mark.parametrize("argument", [None, True, [1], object()])
def test_unsendable_argument_is_refused_before_anything_is_performed(argument: object) -> None:
    pool = MemoryPool(MemoryStore(), Endpoint())
    with pytest.raises(TypeError, match="must be str, int, float or bytes"):
        pool.execute((("SET", "a", 1), ("SET", "b", argument)))  # type: ignore[arg-type]  # what is tested
    assert pool.execute((("DBSIZE",),)) == [0]


def test_sync_and_async_pools_of_one_server_share_its_data() -> None:
    factory = MemoryPoolFactory()
    endpoint = Endpoint(host="example.org")
    factory.pool(endpoint).execute((("SET", "k", b"v"),))
    assert asyncio.run(factory.async_pool(endpoint).execute((("GET", "k"),))) == [b"v"]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Endpoint(host="a", alias="other", options={"password": "x"}), True),
        (Endpoint(host="a", db=1), False),
        (Endpoint(host="a", port=1), False),
        (Endpoint(host="b"), False),
        (Endpoint(scheme="unix", path="/a", host="a"), False),
    ],
)
def test_endpoints_share_data_if_they_name_the_same_database(other: Endpoint, same: bool) -> None:
    factory = MemoryPoolFactory()
    factory.pool(Endpoint(host="a")).execute((("SET", "k", b"v"),))
    assert factory.pool(other).execute((("EXISTS", "k"),)) == [int(same)]


def test_factories_share_nothing() -> None:
    endpoint = Endpoint()
    MemoryPoolFactory().pool(endpoint).execute((("SET", "k", b"v"),))
    assert MemoryPoolFactory().pool(endpoint).execute((("EXISTS", "k"),)) == [0]


def test_factory_uses_its_clock_and_scripts() -> None:
    def python_version(call: Call, keys: object, args: object) -> object:
        assert (keys, args) == ([b"k"], [b"5"])
        return call("SET", "k", "v", "EX", 5)

    clock = ManualClock()
    pool = MemoryPoolFactory(clock, scripts={"return 'mine'": python_version}).pool(Endpoint())
    assert pool.execute((("EVAL", "return 'mine'", 1, "k", 5), ("PTTL", "k"))) == [b"OK", 5000]
    clock.advance(5)
    assert pool.execute((("EXISTS", "k"),)) == [0]


def test_memory_urls_share_a_store_by_host_within_the_process() -> None:
    first = MemoryPool(memory_store(Endpoint(scheme="memory", host="shared")), Endpoint(scheme="memory", host="shared"))
    first.execute((("SET", "k", b"v"),))
    for host, db, found in (("shared", 0, 1), ("shared", 2, 0), ("another", 0, 0)):
        endpoint = Endpoint(scheme="memory", host=host, db=db, alias="other")
        assert MemoryPool(memory_store(endpoint), endpoint).execute((("EXISTS", "k"),)) == [found]


def test_closed_pool_refuses_and_leaves_the_data_to_others() -> None:
    factory = MemoryPoolFactory()
    pool, other = factory.pool(Endpoint(alias="tested")), factory.pool(Endpoint())
    pool.execute((("SET", "k", b"v"),))
    pool.close()
    with pytest.raises(ClosedError, match="tested"):
        pool.execute((("GET", "k"),))
    assert other.execute((("GET", "k"),)) == [b"v"]


def test_closed_async_pool_refuses() -> None:
    pool = AsyncMemoryPool(MemoryStore(), Endpoint())
    pool.close()
    with pytest.raises(ClosedError):
        asyncio.run(pool.execute((("PING",),)))


def test_threads_lose_no_increment() -> None:
    pool = MemoryPool(MemoryStore(), Endpoint())
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: pool.execute((("INCRBY", "n", 1),) * 10), range(400)))
    assert pool.execute((("GET", "n"),)) == [b"4000"]


def test_other_tasks_run_during_an_async_round_trip() -> None:
    pool = AsyncMemoryPool(MemoryStore(), Endpoint())

    async def add() -> None:
        [found] = await pool.execute((("GET", "n"),))
        await pool.execute((("SET", "n", int(found or 0) + 1),))

    async def main() -> object:
        await asyncio.gather(add(), add())
        return await pool.execute((("GET", "n"),))

    assert asyncio.run(main()) == [b"1"]


def test_task_cancelled_before_its_round_trip_performs_nothing() -> None:
    pool = AsyncMemoryPool(MemoryStore(), Endpoint())

    async def main() -> object:
        task = asyncio.create_task(pool.execute((("SET", "k", b"v"),)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return await pool.execute((("EXISTS", "k"),))

    assert asyncio.run(main()) == [0]


def test_forked_child_is_not_blocked_by_a_lock_held_by_its_parent() -> None:
    store = MemoryStore()
    pool = MemoryPool(store, Endpoint())
    with store._lock:
        child = os.fork()
        if child == 0:
            os._exit(0 if pool.execute((("SET", "k", b"child"),)) == [b"OK"] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert pool.execute((("EXISTS", "k"),)) == [0]


def test_memory_pools_open_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("a socket was made")

    factory = MemoryPoolFactory()

    async def main() -> object:
        monkeypatch.setattr(socket, "socket", refuse)
        pool = factory.async_pool(Endpoint())
        return [*factory.pool(Endpoint()).execute((("SET", "k", b"v"),)), *await pool.execute((("GET", "k"),))]

    assert asyncio.run(main()) == [b"OK", b"v"]
