"""Test lock objects shared by threads and tasks, releases without an answer, and changed clocks."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dvcache import AsyncCache, Cache, Container, LockNotOwnedError, Settings, TransportError
from tests.support.servers import Server


def container(server: Server) -> Container:
    return Container(Settings.parse({"LOCATION": server.url(), "OPTIONS": {"SOCKET_TIMEOUT": 0.3}}))


def in_thread(work: Callable[[], Any]) -> Any:
    """Return the result of a function in another thread, or raise its error."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        except Exception as error:  # noqa: BLE001  # raised below
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def on_loop(server: Server, scenario: Callable[[AsyncCache], Awaitable[None]]) -> None:
    async def main() -> None:
        async with container(server) as made:
            await scenario(made.async_cache())

    asyncio.run(main())


def lapse(server: Server) -> None:
    """Expire the lock `l` now."""
    server.raw("UNLINK", ":1:l")


def test_lock_that_expired_in_one_task_stays_with_the_next_one(server: Server) -> None:
    async def scenario(cache: AsyncCache) -> None:
        lock = cache.get_lock("l", timeout=60)

        async def holds_too_long() -> None:
            await lock.acquire()
            lapse(server)
            await taken.wait()
            with pytest.raises(LockNotOwnedError):
                await lock.release()

        async def follows() -> None:
            async with lock:
                taken.set()
                await first
                assert await lock.owned()
                assert await cache.get_lock("l").acquire(blocking=False) is False

        taken = asyncio.Event()
        first = asyncio.create_task(holds_too_long())
        await asyncio.sleep(0.02)
        await follows()
        assert await lock.locked() is False

    on_loop(server, scenario)


@pytest.mark.parametrize("thread_local", [True, False])
def test_lock_that_expired_in_one_thread_stays_with_the_next_one(server: Server, thread_local: bool) -> None:
    with container(server) as made:
        lock = made.cache().get_lock("l", timeout=60, thread_local=thread_local)
        lock.acquire()
        lapse(server)
        go, stop, owned = threading.Event(), threading.Event(), []

        def follows() -> None:
            with lock:
                go.set()
                stop.wait(10)
                owned.append(lock.owned())

        thread = threading.Thread(target=follows)
        thread.start()
        assert go.wait(10)
        with pytest.raises(LockNotOwnedError):
            lock.release()
        assert made.cache().get_lock("l").acquire(blocking=False) is False
        stop.set()
        thread.join()
        assert owned == [True]
        assert lock.locked() is False


def test_lock_object_that_holds_waits_like_any_other(server: Server) -> None:
    async def scenario(cache: AsyncCache) -> None:
        lock, inside = cache.get_lock("l", timeout=60), 0

        async def enter() -> None:
            nonlocal inside
            async with lock:
                inside += 1
                assert inside == 1
                await asyncio.sleep(0.001)
                inside -= 1

        await asyncio.gather(*(enter() for _ in range(20)))
        assert await lock.acquire()
        assert await lock.acquire(blocking=False) is False
        assert await lock.acquire(blocking_timeout=0.02) is False
        await lock.release()
        assert await lock.locked() is False

    on_loop(server, scenario)


def test_lock_of_a_task_is_released_by_another_task_or_thread(server: Server) -> None:
    async def scenario(cache: AsyncCache) -> None:
        lock = cache.get_lock("l", timeout=60)
        await asyncio.create_task(lock.acquire())
        await asyncio.create_task(lock.release())
        assert await lock.locked() is False
        await asyncio.create_task(lock.acquire())
        await asyncio.to_thread(asyncio.run, lock.release())
        assert await lock.locked() is False

    on_loop(server, scenario)


def test_lock_that_is_not_local_is_released_by_another_thread(server: Server) -> None:
    with container(server) as made:
        lock = made.cache().get_lock("l", thread_local=False)
        in_thread(lock.acquire)
        in_thread(lock.release)
        assert lock.locked() is False
        in_thread(lock.acquire)
        lock.release()
        assert lock.locked() is False


def test_lock_token_may_be_passed_on(server: Server) -> None:
    with container(server) as made:
        lock, other = made.cache().get_lock("l"), made.cache().get_lock("l")
        lock.acquire()
        other.local.token = lock.local.token
        other.release()
        assert other.local.token is None
        assert lock.locked() is False


@pytest.mark.parametrize("asynchronous", [False, True])
def test_lock_release_without_an_answer_can_be_repeated(own_server: Server, asynchronous: bool) -> None:
    async def scenario(cache: AsyncCache) -> None:
        lock = cache.get_lock("l")
        await lock.acquire()
        with own_server.paused(), pytest.raises(TransportError):
            await lock.release()
        await lock.release()
        assert await lock.locked() is False
        async with lock:
            assert await lock.owned()

    if asynchronous:
        on_loop(own_server, scenario)
        return
    with container(own_server) as made:
        lock = made.cache().get_lock("l")
        lock.acquire()
        with own_server.paused(), pytest.raises(TransportError):
            lock.release()
        lock.release()
        assert lock.locked() is False


def test_lock_release_that_was_not_sent_can_be_repeated(own_server: Server) -> None:
    own_server.stop()
    own_server.start()
    with container(own_server) as made:
        lock = made.cache().get_lock("l")
        lock.acquire()
        own_server.stop()
        for _ in range(2):
            with pytest.raises(TransportError):
                lock.release()
        own_server.start()
        own_server.raw("SET", ":1:l", "another's")
        with pytest.raises(LockNotOwnedError):
            lock.release()


def test_lock_is_acquired_again_after_a_release_without_an_answer(own_server: Server) -> None:
    with container(own_server) as made:
        lock = made.cache().get_lock("l")
        lock.acquire()
        with own_server.paused(), pytest.raises(TransportError):
            lock.release()
        assert lock.acquire(blocking_timeout=5) is True
        assert lock.owned() is True


@pytest.mark.full("waits for slow and hung servers")
def test_lock_whose_acquisition_had_no_answer_can_be_released(own_server: Server) -> None:
    with container(own_server) as made:
        lock = made.cache().get_lock("l")
        assert lock.locked() is False
        with own_server.paused(), pytest.raises(TransportError):
            lock.acquire(blocking=False)
        lock.release()
        assert lock.locked() is False
        with own_server.paused(), pytest.raises(TransportError):
            lock.acquire(blocking=False)
        assert lock.acquire(blocking_timeout=5) is True


@pytest.mark.parametrize("jump", [-1e6, 1e6])
def test_lock_waits_by_the_monotonic_clock(server: Server, monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    real = time.time
    with container(server) as made:
        cache: Cache = made.cache()
        jumped = [0.0]
        monkeypatch.setattr(time, "time", lambda: real() + jumped[0])
        with cache.get_lock("l"):
            began = time.monotonic()
            threading.Timer(0.1, lambda: jumped.append(jumped.pop() + jump)).start()
            assert cache.get_lock("l").acquire(blocking_timeout=0.4) is False
            assert 0.39 < time.monotonic() - began < 10


def test_lock_options_are_existing_keywords(server: Server) -> None:
    with container(server) as made:
        for cache in (made.cache(), made.async_cache()):
            for wrong in ({"timout": 3}, {"timeout_": 3}, {"ttl": 3}, {"client": None}):  # codespell:ignore timout
                for method in (cache.get_lock, cache.lock):
                    with pytest.raises(TypeError, match=next(iter(wrong))):
                        method("x", **wrong)
            with pytest.raises(TypeError, match="positional"):
                cache.get_lock("x", 3)  # type: ignore[misc]  # what redis-py takes for the timeout
