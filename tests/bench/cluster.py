"""A cluster of three primaries beside one server, and beside valkey-py's own clients: `python -m tests.bench cluster`.

With `--django-valkey PYTHON` its cluster backend does the same in a process of its own.
"""

import asyncio
import os
import pickle
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import valkey.asyncio.cluster
import valkey.cluster

from dvcache import Container, Settings
from tests.bench.figures import Figures
from tests.bench.measures import measure_async, measure_sync
from tests.bench.peers import KEYS, VALUE, Async, AsyncPeer, Sync, SyncPeer, async_peer, django_valkey, sync_peer
from tests.clusters import Cluster
from tests.servers import Server

ALONE: Final = "standalone"
"""The peer that the others are compared with."""
STORED: Final = [f":1:{key}" for key in KEYS]


def show_cluster(server: Server, rounds: int, core: int, theirs: str | None) -> None:
    """Measure and print.

    Args:
        server: the one server.
        rounds: how often each peer's turn comes.
        core: where every node runs.
        theirs: a Python with django-valkey.
    """
    with Cluster() as cluster:
        for node in cluster.nodes:
            os.sched_setaffinity(node.pid, {core})
        ways: dict[str, dict[str, Any]] = {
            ALONE: {"LOCATION": server.url()},
            "cluster": {"LOCATION": cluster.urls(), "OPTIONS": {"CLUSTER": True}},
            "cluster, herd": {
                "LOCATION": cluster.urls(),
                "KEY_PREFIX": "herd",
                "OPTIONS": {"CLUSTER": True, "HERD": True},
            },
        }
        chosen = {name: Settings.parse(way) for name, way in ways.items()}
        for each in chosen.values():
            with Container(each) as own:
                own.cache().set_many(dict.fromkeys(KEYS, VALUE), None)
        sync = {name: sync_peer(each) for name, each in chosen.items()} | {"valkey-py cluster": _theirs(cluster)}
        figures: Mapping[str, Any] = measure_sync(sync, server, rounds)
        if theirs is not None:
            entry = {"BACKEND": "django_valkey.cluster_cache.cache.ClusterValkeyCache", "LOCATION": cluster.urls()[0]}
            for work, rows in django_valkey(theirs, entry, rounds).items():
                figures[work]["django-valkey cluster"] = rows
        Figures(figures, ALONE).show("cluster, sync")
        aio = {name: async_peer(each) for name, each in chosen.items()} | {"valkey-py cluster": _theirs_async(cluster)}
        Figures(asyncio.run(measure_async(aio, server, rounds)), ALONE).show("cluster, async")


class ValkeyPy:
    """valkey-py's client of a cluster, with a cache's work around it."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def get(self) -> object:
        return pickle.loads(self._client.get(STORED[0]))

    def set(self) -> object:
        return self._client.set(STORED[0], pickle.dumps(VALUE), px=60_000)

    def get_many(self) -> object:
        return dict(zip(KEYS, map(pickle.loads, self._client.mget_nonatomic(STORED)), strict=True))

    def set_many(self) -> object:
        pipeline = self._client.pipeline()
        for key in STORED:
            pipeline.set(key, pickle.dumps(VALUE), px=60_000)
        return pipeline.execute()


class AsyncValkeyPy:
    """The same, asynchronous."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def get(self) -> object:
        return pickle.loads(await self._client.get(STORED[0]))

    async def set(self) -> object:
        return await self._client.set(STORED[0], pickle.dumps(VALUE), px=60_000)

    async def get_many(self) -> object:
        return dict(zip(KEYS, map(pickle.loads, await self._client.mget_nonatomic(STORED)), strict=True))

    async def set_many(self) -> object:
        pipeline = self._client.pipeline()
        for key in STORED:
            pipeline.set(key, pickle.dumps(VALUE), px=60_000)
        return await pipeline.execute()


def _theirs(cluster: Cluster) -> Sync:
    @contextmanager
    def peer(_: Server) -> Iterator[SyncPeer]:
        client = valkey.cluster.ValkeyCluster.from_url(cluster.urls()[0])
        try:
            yield ValkeyPy(client)
        finally:
            client.disconnect_connection_pools()

    return peer


def _theirs_async(cluster: Cluster) -> Async:
    @asynccontextmanager
    async def peer(_: Server) -> AsyncIterator[AsyncPeer]:
        async with valkey.asyncio.cluster.ValkeyCluster.from_url(cluster.urls()[0]) as client:
            yield AsyncValkeyPy(client)

    return peer
