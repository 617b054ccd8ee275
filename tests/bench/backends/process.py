"""Measure one cache in a process: read a work from a line, print the microseconds of a call and of its CPU time.

Uses Django only, so that it runs in the environment of any backend. Its argument is an entry of CACHES, as JSON. An
entry without a BACKEND is measured through dvcache's container. The first line printed is the MiB of memory after the
first use.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

VALUE = {"zone": "Europe/Berlin", "offset": 3600, "dst": True}
KEYS = [f"key:{number}" for number in range(100)]
DATA = dict.fromkeys(KEYS, VALUE)
ARGUMENTS = {"get": (KEYS[0],), "set": (KEYS[0], VALUE, 60), "get_many": (KEYS,), "set_many": (DATA, 60)}
CALLS = {"get": 1000, "set": 1000, "get_many": 50, "set_many": 30, "aget": 300, "gather": 1000, "threads": 1000}
"""Calls of a round. `gather` has all in flight at once, `threads` shares them among its threads."""
THREADS = 8


def main() -> None:
    cache = opened(json.loads(sys.argv[1]))
    cache.set_many(DATA, None)
    assert cache.get(KEYS[0]) == VALUE
    print(memory(), flush=True)
    measured = Works(cache, for_loops(cache))
    gc.freeze()
    for line in sys.stdin:
        gc.collect()
        try:
            print(*measured(line.strip()), flush=True)
        except Exception as error:  # noqa: BLE001  # of any backend
            print(f"failed: {type(error).__name__}: {error}".replace("\n", " "), flush=True)


def memory() -> float:
    """Return the MiB of resident memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def for_loops(cache: Any) -> Any:
    """Return the cache for event loops, which some backends have as a class of its own."""
    if isinstance(cache, Core):
        return cache
    from django.core.cache import caches  # noqa: PLC0415  # as below

    return caches["async" if "async" in caches.settings else "default"]


def opened(entry: dict[str, Any]) -> Any:
    if "BACKEND" not in entry:
        return Core(entry)
    from django.conf import settings  # noqa: PLC0415  # the core is measured without Django
    from django.core.cache import caches  # noqa: PLC0415

    aliases = {"default": entry}
    if async_backend := entry.pop("ASYNC_BACKEND", None):
        # django-valkey shares pools by URL, also between its sync and its async class.
        location = entry["LOCATION"].replace("127.0.0.1", "localhost")
        aliases["async"] = {**entry, "BACKEND": async_backend, "LOCATION": location}
    settings.configure(CACHES=aliases)
    return caches["default"]


class Core:
    """dvcache's container with the names of a Django cache."""

    def __init__(self, entry: dict[str, Any]) -> None:
        import dvcache  # noqa: PLC0415  # other backends' environments have none

        self._container = dvcache.Container(dvcache.Settings.parse(entry))
        cache = self._container.cache()
        self.get, self.set, self.get_many, self.set_many = cache.get, cache.set, cache.get_many, cache.set_many

    @property
    def aget(self) -> Callable[[str], Awaitable[object]]:
        return self._container.async_cache().get


class Works:
    """The works of a cache; each call measures one round."""

    def __init__(self, cache: Any, async_cache: Any) -> None:
        self._cache, self._async_cache = cache, async_cache
        self._loops: dict[str, asyncio.AbstractEventLoop] = {"asyncio": asyncio.new_event_loop()}
        self._threads = ThreadPoolExecutor(THREADS)

    def __call__(self, work: str) -> list[float]:
        """Return the microseconds of one call, and those of its CPU time in this process."""
        name, _, loop = work.partition(" ")
        if name in ARGUMENTS:
            taken = clocked(self._in_turn, getattr(self._cache, name), ARGUMENTS[name], CALLS[name])
        elif name == "threads":
            taken = clocked(self._in_threads)
        else:
            coroutine = {"aget": self._awaited, "gather": self._gathered}[name]()
            taken = clocked(self._loop(loop or "asyncio").run_until_complete, coroutine)
        return [seconds / CALLS[name] * 1e6 for seconds in taken]

    def _loop(self, name: str) -> asyncio.AbstractEventLoop:
        if name not in self._loops:
            import uvloop  # noqa: PLC0415  # not in the memory of the first use

            self._loops[name] = uvloop.new_event_loop()
        return self._loops[name]

    def _in_turn(self, call: Callable[..., object], arguments: tuple[object, ...], calls: int) -> None:
        for _ in range(calls):
            call(*arguments)

    def _in_threads(self) -> None:
        list(self._threads.map(self._share, range(THREADS)))

    def _share(self, _: int) -> None:
        self._in_turn(self._cache.get, ARGUMENTS["get"], CALLS["threads"] // THREADS)

    async def _awaited(self) -> None:
        call = self._async_cache.aget
        for _ in range(CALLS["aget"]):
            await call(KEYS[0])

    async def _gathered(self) -> None:
        call = self._async_cache.aget
        await asyncio.gather(*(call(KEYS[0]) for _ in range(CALLS["gather"])))


def clocked(call: Callable[..., object], *arguments: object) -> tuple[float, float]:
    """Return the seconds of a call, and those of CPU time."""
    started, cpu = time.perf_counter(), time.process_time()
    call(*arguments)
    return time.perf_counter() - started, time.process_time() - cpu


if __name__ == "__main__":
    main()
