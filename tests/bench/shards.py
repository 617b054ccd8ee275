"""Three shards beside one server: `python -m tests.bench shards`.

With `--django-valkey PYTHON` its shard client, which is synchronous only, does the same in a process of its own.
"""

import asyncio
import os
from collections.abc import Mapping
from typing import Any, Final

from dvcache import Container, Settings
from tests.bench.figures import Figures
from tests.bench.measures import measure_async, measure_sync
from tests.bench.peers import KEYS, VALUE, async_peer, django_valkey, sync_peer
from tests.servers import Server
from tests.shards import Shards

ALONE: Final = "standalone"
"""The peer that the others are compared with."""


def show_shards(server: Server, rounds: int, core: int, theirs: str | None) -> None:
    """Measure and print.

    Args:
        server: the one server.
        rounds: how often each peer's turn comes.
        core: where every shard runs.
        theirs: a Python with django-valkey.
    """
    with Shards() as shards:
        for each in shards.servers:
            os.sched_setaffinity(each.pid, {core})
        ways: dict[str, dict[str, Any]] = {
            ALONE: {"LOCATION": server.url()},
            "shards": {"LOCATION": shards.urls, "OPTIONS": {"SHARDED": True}},
            "shards, herd": {
                "LOCATION": shards.urls,
                "KEY_PREFIX": "herd",
                "OPTIONS": {"SHARDED": True, "HERD": True},
            },
        }
        chosen = {name: Settings.parse(way) for name, way in ways.items()}
        for way in chosen.values():
            with Container(way) as own:
                own.cache().set_many(dict.fromkeys(KEYS, VALUE), None)
        sync = {name: sync_peer(way) for name, way in chosen.items()}
        figures: Mapping[str, Any] = measure_sync(sync, server, rounds)
        if theirs is not None:
            options = {"CLIENT_CLASS": "django_valkey.client.ShardClient"}
            entry = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": shards.urls, "OPTIONS": options}
            for work, rows in django_valkey(theirs, entry, rounds).items():
                figures[work]["django-valkey shards"] = rows
        Figures(figures, ALONE).show("shards, sync")
        aio = {name: async_peer(way) for name, way in chosen.items()}
        Figures(asyncio.run(measure_async(aio, server, rounds)), ALONE).show("shards, async")
