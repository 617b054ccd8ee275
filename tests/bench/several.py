"""Measure a cache on several servers beside one server, with and without the herd policy, and beside others."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from dvcache import Container, Settings
from tests.bench.figures import Figures
from tests.bench.measures import measure_async, measure_sync
from tests.bench.peers import KEYS, VALUE, Async, Sync, async_peer, django_valkey, sync_peer
from tests.support.servers import Server

ALONE: Final = "standalone"
"""The peer to which the others are compared."""


def on_core(servers: Iterable[Server], core: int) -> None:
    for each in servers:
        os.sched_setaffinity(each.pid, {core})


def show_several(
    name: str,
    entry: Mapping[str, Any],
    server: Server,
    rounds: int,
    *,
    theirs: tuple[str | None, Mapping[str, Any]],
    sync: Mapping[str, Sync] | None = None,
    aio: Mapping[str, Async] | None = None,
) -> None:
    """Measure and print.

    Args:
        name: name of the topology.
        entry: its LOCATION and OPTIONS.
        server: the single server.
        rounds: number of rounds of each peer.
        theirs: a Python with django-valkey, and its entry in CACHES.
        sync: further peers.
        aio: further asynchronous peers.
    """
    herd = {**entry, "KEY_PREFIX": "herd", "OPTIONS": {**entry["OPTIONS"], "HERD": True}}
    ways = {ALONE: {"LOCATION": server.url()}, name: entry, f"{name}, herd": herd}
    chosen = {way: Settings.parse(each) for way, each in ways.items()}
    for each in chosen.values():
        with Container(each) as own:
            own.cache().set_many(dict.fromkeys(KEYS, VALUE), None)
    peers = {way: sync_peer(each) for way, each in chosen.items()} | dict(sync or {})
    figures: Mapping[str, Any] = measure_sync(peers, server, rounds)
    python, their_entry = theirs
    if python is not None:
        for work, rows in django_valkey(python, their_entry, rounds).items():
            figures[work][f"django-valkey {name}"] = rows
    Figures(figures, ALONE).show(f"{name}, sync")
    async_peers = {way: async_peer(each) for way, each in chosen.items()} | dict(aio or {})
    Figures(asyncio.run(measure_async(async_peers, server, rounds)), ALONE).show(f"{name}, async")
