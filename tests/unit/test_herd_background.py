"""Test background recomputation: the claiming caller gets the stale value, and a task of the container recomputes."""

# ruff: noqa: ASYNC110  # the awaited condition is on the server

import asyncio

import pytest

from dvcache import Container
from dvcache.testing import MemoryPoolFactory
from tests.support.herd_memory import LEASE, make_stale, raw, settings


@pytest.fixture
def factory() -> MemoryPoolFactory:
    return MemoryPoolFactory()


def test_background_refresh_serves_the_claiming_caller_too(factory: MemoryPoolFactory) -> None:
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


def test_sync_refresh_runs_in_the_caller(factory: MemoryPoolFactory) -> None:
    with Container(settings(background=True), pool_factory=factory) as container:
        make_stale(container)
        assert container.cache().get_or_set("k", lambda: None) is None
        assert container.cache().get("k", "a miss") is None


def test_close_cancels_background_refreshes_and_drops_the_lease(factory: MemoryPoolFactory) -> None:
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


def test_background_refresh_that_fails_is_logged_and_left_to_the_next(
    factory: MemoryPoolFactory, caplog: pytest.LogCaptureFixture
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
