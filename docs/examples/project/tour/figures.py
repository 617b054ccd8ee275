"""Measure operations of the Django cache on this machine."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, TypeAlias

from django.core.cache import cache

ROUNDS: Final = 9
CALLS: Final = 300
TOGETHER: Final = 1000
SyncCall: TypeAlias = Callable[[], object]
AsyncCall: TypeAlias = Callable[[], Awaitable[object]]
VALUE: Final = {"zone": "Europe/Berlin", "offset": 3600}


def sync_figures() -> Iterator[tuple[str, float]]:
    """Yield operations with their microseconds, the median of the rounds."""
    yield "cache.set", _median(_sync_round, lambda: cache.set("figure", VALUE, 60))
    yield "cache.get", _median(_sync_round, lambda: cache.get("figure"))


async def async_figures() -> list[tuple[str, float]]:
    """Return operations with their microseconds, the median of the rounds."""
    return [
        ("await cache.aset", await _async_median(_one_by_one, lambda: cache.aset("figure", VALUE, 60))),
        ("await cache.aget", await _async_median(_one_by_one, lambda: cache.aget("figure"))),
        (f"gather of {TOGETHER} cache.aget", await _async_median(_together, lambda: cache.aget("figure"))),
    ]


def _median(one_round: Callable[[SyncCall], float], call: SyncCall) -> float:
    one_round(call)
    return statistics.median(one_round(call) for _ in range(ROUNDS))


async def _async_median(one_round: Callable[[AsyncCall], Awaitable[float]], call: AsyncCall) -> float:
    await one_round(call)
    return statistics.median([await one_round(call) for _ in range(ROUNDS)])


def _sync_round(call: SyncCall) -> float:
    started = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - started) / CALLS * 1e6


async def _one_by_one(call: AsyncCall) -> float:
    started = time.perf_counter()
    for _ in range(CALLS):
        await call()
    return (time.perf_counter() - started) / CALLS * 1e6


async def _together(call: AsyncCall) -> float:
    started = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(TOGETHER)))
    return (time.perf_counter() - started) / TOGETHER * 1e6
