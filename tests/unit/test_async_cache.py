"""Test methods and rules that only an asynchronous cache has."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest

from dvcache.cache import AsyncCache
from dvcache.container import Container
from dvcache.settings import Settings
from dvcache.testing import MemoryPoolFactory


def _with_cache(main: Callable[[AsyncCache], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        settings = Settings.parse({"LOCATION": "valkey://production/1"})
        async with Container(settings, pool_factory=MemoryPoolFactory()) as container:
            await main(container.async_cache())

    asyncio.run(run())


async def _slow(value: object = 7) -> object:
    await asyncio.sleep(0)
    return value


class Late:
    """An awaitable that is no coroutine."""

    def __await__(self) -> Any:
        return _slow().__await__()


@pytest.mark.parametrize(
    "make",
    [_slow, partial(_slow, 7), lambda: _slow(), lambda: asyncio.ensure_future(_slow()), Late, lambda: 7],  # noqa: PLW0108  # the forms under test
    ids=["coroutine function", "partial", "lambda", "future", "awaitable", "plain function"],
)
def test_get_or_set_awaits_any_awaitable_of_the_function(make: Callable[[], Any]) -> None:
    async def main(cache: AsyncCache) -> None:
        assert await cache.get_or_set("key", make) == 7
        assert await cache.get("key") == 7

    _with_cache(main)


def test_get_or_set_does_not_call_the_function_on_a_hit() -> None:
    async def main(cache: AsyncCache) -> None:
        await cache.set("key", 1)
        assert await cache.get_or_set("key", lambda: pytest.fail("called")) == 1

    _with_cache(main)


def test_get_or_set_raises_the_coroutines_error_and_stores_nothing() -> None:
    async def fail() -> int:
        await asyncio.sleep(0)
        raise LookupError

    async def main(cache: AsyncCache) -> None:
        with pytest.raises(LookupError):
            await cache.get_or_set("key", fail)
        assert await cache.has_key("key") is False

    _with_cache(main)


def test_cancelled_get_or_set_stores_nothing() -> None:
    async def main(cache: AsyncCache) -> None:
        began = asyncio.Event()

        async def forever() -> int:
            began.set()
            await asyncio.Event().wait()
            return 1

        task = asyncio.create_task(cache.get_or_set("key", forever))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await cache.has_key("key") is False

    _with_cache(main)


def test_iter_keys_may_be_left_early() -> None:
    async def main(cache: AsyncCache) -> None:
        await cache.set_many({f"key{number}": 1 for number in range(50)})
        names = cache.iter_keys("key*", itersize=10)
        async for name in names:
            assert name.startswith("key")
            break
        await names.aclose()
        assert len([name async for name in cache.iter_keys("key*")]) == 50

    _with_cache(main)


def test_coroutine_sends_nothing_before_it_is_awaited() -> None:
    async def main(cache: AsyncCache) -> None:
        coroutine = cache.set("key", 1)
        assert await cache.has_key("key") is False
        await coroutine
        assert await cache.has_key("key") is True

    _with_cache(main)
