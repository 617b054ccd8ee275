"""What the conformance suite is run with: one way to call both colours, and one cache made of settings."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal, Protocol, TypeAlias, Unpack, cast

import pytest

from dvcache.cache import Cache
from dvcache.container import Container, Replacements
from dvcache.settings import Settings

Colour: TypeAlias = Literal["sync", "async"]


class MakeCache(Protocol):
    """Makes a cache of the wiring under test. The tests call it, for variants in the same database."""

    def __call__(self, **settings: object) -> Cache:
        """Return a cache with other settings, named as in CACHES: KEY_PREFIX, VERSION, TIMEOUT, OPTIONS."""
        ...


class Blocking:
    """An asynchronous cache that is called like a synchronous one: each method runs to its end on one event loop.

    Args:
        cache: an `AsyncCache`, or what has its methods under names that begin with `prefix`.
        runner: the event loop.
        prefix: `"a"` for the asynchronous half of a Django backend.
    """

    def __init__(self, cache: object, runner: asyncio.Runner, prefix: str = "") -> None:
        self._cache, self._runner, self._prefix = cache, runner, prefix

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._cache, self._prefix + name)
        return lambda *args, **kwargs: self._runner.run(_finished(method(*args, **kwargs)))

    def __contains__(self, key: str) -> bool:
        return bool(self.has_key(key))

    def gather(self, calls: int, name: str, *args: object, **kwargs: object) -> list[Any]:
        """Return the results of a method that runs so many times at once."""

        async def all_of_them() -> list[Any]:
            method = getattr(self._cache, self._prefix + name)
            return await asyncio.gather(*(method(*args, **kwargs) for _ in range(calls)))

        return self._runner.run(all_of_them())


async def _finished(result: Any) -> Any:
    if hasattr(result, "__aiter__"):
        return [item async for item in result]
    return await cast("Awaitable[Any]", result)


def at_once(cache: object, calls: int, name: str, *args: object, **kwargs: object) -> list[Any]:
    """Return the results of a method that runs so many times at once: in threads, or in tasks."""
    if isinstance(cache, Blocking):
        return cache.gather(calls, name, *args, **kwargs)
    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(getattr(cache, name), *args, **kwargs) for _ in range(calls)]
        return [future.result() for future in futures]


def wait_until_gone(cache: Cache, key: str) -> None:
    """Wait until an entry that has a lifetime is gone."""
    give_up = time.monotonic() + 10
    while cache.has_key(key):
        assert time.monotonic() < give_up, "the entry outlives its lifetime"
        time.sleep(0.005)


@contextmanager
def wired(colour: Colour, location: str | list[str], **replacements: Unpack[Replacements]) -> Iterator[MakeCache]:
    """Make caches of one colour in one database of a server, and end their connections with the block.

    Args:
        colour: `"async"` for `AsyncCache`, behind `Blocking`.
        location: the LOCATION.
        replacements: providers to replace, as `Container` takes them.
    """
    containers: list[Container] = []
    with asyncio.Runner() as runner:

        def make_cache(**settings: object) -> Cache:
            container = Container(Settings.parse({"LOCATION": location, **settings}), **replacements)
            containers.append(container)
            if colour == "sync":
                return container.cache()
            return cast("Cache", Blocking(container.async_cache(), runner))

        yield make_cache
        for container in containers:
            runner.run(container.aclose())


class Conformance:
    """The fixture that the parts of the suite share."""

    @pytest.fixture
    def cache(self, make_cache: MakeCache) -> Cache:
        """Return the cache of the unchanged settings, empty."""
        cache = make_cache()
        cache.clear()
        return cache
