"""Fixtures of the conformance suite: call sync and async caches alike; create caches from settings."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal, Protocol, Self, TypeAlias, Unpack, cast

import pytest

from dvcache.cache import Cache
from dvcache.container import Container, Replacements
from dvcache.settings import Settings

Mode: TypeAlias = Literal["sync", "async"]


class MakeCache(Protocol):
    """Creates a cache under test. Called by the tests, for variants in the same database."""

    def __call__(self, **settings: object) -> Cache:
        """Return a cache with changed settings, named as in CACHES: KEY_PREFIX, VERSION, TIMEOUT, OPTIONS."""
        ...


class Blocking:
    """An async cache with blocking methods: each call runs to its end on one event loop.

    Args:
        cache: an `AsyncCache`, or an object with its methods under names that begin with `prefix`.
        runner: the event loop.
        prefix: `"a"` for the `a*` methods of a Django backend.
    """

    def __init__(self, cache: object, runner: asyncio.Runner, prefix: str = "") -> None:
        self._cache, self._runner, self._prefix = cache, runner, prefix

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._cache, self._prefix + name)
        return lambda *args, **kwargs: self._runner.run(_finished(method(*args, **kwargs)))

    def __contains__(self, key: str) -> bool:
        return bool(self.has_key(key))

    def get_lock(self, *args: Any, **kwargs: Any) -> "BlockingLock":
        """Return a lock with blocking methods."""
        return BlockingLock(getattr(self._cache, self._prefix + "get_lock")(*args, **kwargs), self._runner)

    def lock(self, *args: Any, **kwargs: Any) -> "BlockingLock":
        """Do the same as `get_lock`, through `lock` of the cache."""
        return BlockingLock(getattr(self._cache, self._prefix + "lock")(*args, **kwargs), self._runner)

    def in_turn(
        self, calls: int, enter: Callable[[], object], leave: Callable[[], object], *args: object, **kwargs: object
    ) -> None:
        """Call `enter` and `leave` in concurrent tasks, each inside the block of its own lock."""

        async def once() -> None:
            async with getattr(self._cache, self._prefix + "get_lock")(*args, **kwargs):
                enter()
                await asyncio.sleep(0.001)
                leave()

        async def all_of_them() -> None:
            await asyncio.gather(*(once() for _ in range(calls)))

        self._runner.run(all_of_them())

    def gather(self, calls: int, name: str, *args: object, **kwargs: object) -> list[Any]:
        """Call a method in concurrent tasks; return the results."""

        async def all_of_them() -> list[Any]:
            method = getattr(self._cache, self._prefix + name)
            return await asyncio.gather(*(method(*args, **kwargs) for _ in range(calls)))

        return self._runner.run(all_of_them())


class BlockingLock:
    """An async lock with blocking methods."""

    def __init__(self, lock: Any, runner: asyncio.Runner) -> None:
        self._lock, self._runner = lock, runner

    def __getattr__(self, name: str) -> Any:
        found: Any = getattr(self._lock, name)
        if not callable(found):
            return found
        method: Any = found
        return lambda *args, **kwargs: self._runner.run(method(*args, **kwargs))

    def __enter__(self) -> Self:
        self._runner.run(self._lock.__aenter__())
        return self

    def __exit__(self, *reason: object) -> None:
        self._runner.run(self._lock.__aexit__(*reason))


async def _finished(result: Any) -> Any:
    if hasattr(result, "__aiter__"):
        return [item async for item in result]
    return await cast("Awaitable[Any]", result)


def at_once(cache: object, calls: int, name: str, *args: object, **kwargs: object) -> list[Any]:
    """Call a method concurrently, in threads or in tasks; return the results."""
    if isinstance(cache, Blocking):
        return cache.gather(calls, name, *args, **kwargs)
    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(getattr(cache, name), *args, **kwargs) for _ in range(calls)]
        return [future.result() for future in futures]


def in_turn(
    cache: Any, calls: int, enter: Callable[[], object], leave: Callable[[], object], *args: object, **kwargs: object
) -> None:
    """Call `enter` and `leave` concurrently, in threads or in tasks, each inside the block of its own lock."""
    if isinstance(cache, Blocking):
        cache.in_turn(calls, enter, leave, *args, **kwargs)
        return

    def once() -> None:
        with cache.get_lock(*args, **kwargs):
            enter()
            time.sleep(0.001)
            leave()

    with ThreadPoolExecutor(calls) as threads:
        for future in [threads.submit(once) for _ in range(calls)]:
            future.result()


def wait_until_gone(cache: Cache, key: str) -> None:
    """Wait until an entry has expired."""
    give_up = time.monotonic() + 10
    while cache.has_key(key):
        assert time.monotonic() < give_up, "the entry has not expired"
        time.sleep(0.005)


@contextmanager
def wired(mode: Mode, location: str | list[str], **replacements: Unpack[Replacements]) -> Iterator[MakeCache]:
    """Yield a function that creates sync or async caches in one database of a server. Close them after the block.

    Args:
        mode: `"async"` for `AsyncCache` behind `Blocking`.
        location: the LOCATION.
        replacements: providers to replace, as `Container` takes them.
    """
    containers: list[Container] = []
    with asyncio.Runner() as runner:

        def make_cache(**settings: object) -> Cache:
            container = Container(Settings.parse({"LOCATION": location, **settings}), **replacements)
            containers.append(container)
            if mode == "sync":
                return container.cache()
            return cast("Cache", Blocking(container.async_cache(), runner))

        yield make_cache
        for container in containers:
            runner.run(container.aclose())


class Conformance:
    """Base of the suite's classes, with the fixture that all use."""

    @pytest.fixture
    def cache(self, make_cache: MakeCache) -> Cache:
        """Return an empty cache with unchanged settings."""
        cache = make_cache()
        cache.clear()
        return cache
