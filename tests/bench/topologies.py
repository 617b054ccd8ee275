"""Measure a cache on Sentinel and on replicas beside the primary alone, all of them on the same servers."""

import asyncio
import os
from collections.abc import Mapping
from typing import Any, Final

from dvcache import Settings
from tests.bench.figures import Figures
from tests.bench.measures import measure_async, measure_sync
from tests.bench.peers import async_peer, sync_peer
from tests.support.topologies import SentinelFleet

SERVICE: Final = "service_name"
ALONE: Final = "standalone"
"""The peer to which the others are compared."""


def show_topologies(rounds: int, core: int) -> None:
    """Measure and print.

    Args:
        rounds: number of rounds of each peer.
        core: the processor core of every server.
    """
    with SentinelFleet() as fleet:
        primary = fleet.primary(SERVICE)
        for server in (*fleet.sentinels, *fleet.replication(SERVICE).nodes):
            os.sched_setaffinity(server.pid, {core})
        chosen = settings(fleet)
        sync = measure_sync({name: sync_peer(each) for name, each in chosen.items()}, primary, rounds)
        Figures(sync, ALONE).show("topologies, sync")
        asynchronous = {name: async_peer(each) for name, each in chosen.items()}
        Figures(asyncio.run(measure_async(asynchronous, primary, rounds)), ALONE).show("topologies, async")


def settings(fleet: SentinelFleet) -> Mapping[str, Settings]:
    """Return the ways to reach the same servers, by name."""
    urls = fleet.replication(SERVICE).urls()
    sentinels: dict[str, Any] = {"SENTINELS": fleet.addresses}
    ways: dict[str, dict[str, Any]] = {
        ALONE: {"LOCATION": urls[0]},
        "replicas": {"LOCATION": urls},
        "sentinel": {
            "LOCATION": f"valkey://{SERVICE}/0",
            "OPTIONS": {**sentinels, "CONNECTION_FACTORY": "django_valkey.pool.SentinelConnectionFactory"},
        },
        "sentinel with replicas": {
            "LOCATION": f"valkey://{SERVICE}/0",
            "OPTIONS": {**sentinels, "CLIENT_CLASS": "django_valkey.client.SentinelClient"},
        },
    }
    return {name: Settings.parse(way) for name, way in ways.items()}
