"""Measure one checkout in a process, for `tests.bench.compare`: read a work from a line, print its microseconds.

Uses nothing but what `dvcache` exports, so that it measures old checkouts too. Its arguments are the checkout and, as
JSON, a CACHES entry for each topology.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import dvcache

VALUE = {"zone": "Europe/Berlin", "offset": 3600, "dst": True}
KEYS = [f"key:{number}" for number in range(100)]
DATA = dict.fromkeys(KEYS, VALUE)
CALLS = {"get": 2000, "set": 2000, "get_many": 100, "set_many": 60}
TOGETHER = 1000
"""Number of calls that `gather` has in flight at once."""

WORKS = (*CALLS, *(f"a{name}" for name in CALLS), "gather")


def main() -> None:
    checkout, topologies = sys.argv[1:]
    assert Path(dvcache.__file__).is_relative_to(checkout), f"{dvcache.__file__} is not of {checkout}"
    loop = asyncio.new_event_loop()
    containers = {
        name: dvcache.Container(dvcache.Settings.parse(each)) for name, each in json.loads(topologies).items()
    }
    opened = {name: loop.run_until_complete(open_caches(each)) for name, each in containers.items()}
    gc.freeze()
    for line in sys.stdin:
        topology, work = line.split()
        cache, async_cache = opened[topology]
        print(measured(work, cache, async_cache, loop), flush=True)
    loop.run_until_complete(close(containers.values()))


async def open_caches(container: dvcache.Container) -> tuple[Any, Any]:
    cache, async_cache = container.cache(), container.async_cache()
    cache.set_many(DATA, None)
    await async_cache.get(KEYS[0])
    return cache, async_cache


async def close(containers: Iterable[dvcache.Container]) -> None:
    for container in containers:
        await container.aclose()


def measured(work: str, cache: Any, async_cache: Any, loop: asyncio.AbstractEventLoop) -> float:
    """Return the microseconds of one call."""
    gc.collect()
    if work == "gather":
        return loop.run_until_complete(together(async_cache.get))
    name = work.removeprefix("a")
    arguments = {"get": (KEYS[0],), "set": (KEYS[0], VALUE, 60), "get_many": (KEYS,), "set_many": (DATA, 60)}[name]
    if work == name:
        return one_by_one(getattr(cache, name), arguments, CALLS[name])
    return loop.run_until_complete(awaited(getattr(async_cache, name), arguments, CALLS[name]))


def one_by_one(call: Callable[..., Any], arguments: tuple[Any, ...], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        call(*arguments)
    return (time.perf_counter() - started) / calls * 1e6


async def awaited(call: Callable[..., Any], arguments: tuple[Any, ...], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        await call(*arguments)
    return (time.perf_counter() - started) / calls * 1e6


async def together(call: Callable[..., Any]) -> float:
    started = time.perf_counter()
    await asyncio.gather(*(call(KEYS[0]) for _ in range(TOGETHER)))
    return (time.perf_counter() - started) / TOGETHER * 1e6


if __name__ == "__main__":
    main()
