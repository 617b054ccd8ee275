"""Measure each work in rounds, the peers taking turns."""

import asyncio
import gc
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, ExitStack
from typing import Final, TypeAlias

from tests.bench.peers import KEYS, ONE_AT_A_TIME, VALUE, Async, AsyncPeer, Sync, container
from tests.support.servers import Server

Rounds: TypeAlias = dict[str, dict[str, list[float]]]

CALLS: Final = {"get": 2000, "set": 2000, "get_many": 200, "set_many": 100}
"""Calls of one round."""
NAMES: Final = {"get_many": "get_many(100)", "set_many": "set_many(100)"}
TOGETHER: Final = 1000


def measure_sync(peers: Mapping[str, Sync], server: Server, rounds: int) -> Rounds:
    figures: Rounds = defaultdict(lambda: defaultdict(list))
    with ExitStack() as stack:
        opened = {name: stack.enter_context(peer(server)) for name, peer in peers.items()}
        fill(server)
        for work, calls in CALLS.items():
            for number in range(-2, rounds):
                for name, peer in opened.items():
                    figure = sync_round(getattr(peer, work), calls)
                    if number >= 0:
                        figures[NAMES.get(work, work)][name].append(figure)
    return figures


async def measure_async(peers: Mapping[str, Async], server: Server, rounds: int) -> Rounds:
    figures: Rounds = defaultdict(lambda: defaultdict(list))
    async with AsyncExitStack() as stack:
        opened = {name: await stack.enter_async_context(peer(server)) for name, peer in peers.items()}
        fill(server)
        for number in range(-2, rounds):
            for name, peer in opened.items():
                for label, figure in await async_rounds(name, peer):
                    if number >= 0:
                        figures[label][name].append(figure)
    return figures


def fill(server: Server) -> None:
    """Store the entries to be read, the same bytes for every peer."""
    with container(server) as own:
        own.cache().set_many(dict.fromkeys(KEYS, VALUE), None)


def sync_round(call: Callable[[], object], calls: int) -> float:
    gc.collect()
    started = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - started) / calls * 1e6


async def async_rounds(name: str, peer: AsyncPeer) -> list[tuple[str, float]]:
    """Make one round of every work, as (label, microseconds)."""
    found = [
        (f"{NAMES.get(work, work)}", await one_by_one(getattr(peer, work), calls)) for work, calls in CALLS.items()
    ]
    if name not in ONE_AT_A_TIME:
        found.append((f"gather of {TOGETHER:,} gets", await together(peer.get)))
    return found


async def one_by_one(call: Callable[[], Awaitable[object]], calls: int) -> float:
    gc.collect()
    started = time.perf_counter()
    for _ in range(calls):
        await call()
    return (time.perf_counter() - started) / calls * 1e6


async def together(call: Callable[[], Awaitable[object]]) -> float:
    gc.collect()
    started = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(TOGETHER)))
    return (time.perf_counter() - started) / TOGETHER * 1e6
