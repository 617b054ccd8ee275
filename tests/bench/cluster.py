"""Measure a cluster of three primaries beside one server and valkey-py's clients: `python -m tests.bench cluster`.

With `--django-valkey PYTHON` its cluster backend does the same in a process of its own.
"""

import pickle
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Final

import valkey.asyncio.cluster
import valkey.cluster

from dvcache.routing.slots import slot
from tests.bench.peers import (
    KEYS,
    VALUE,
    Async,
    AsyncPeer,
    RawSocket,
    RawStream,
    Sync,
    SyncPeer,
    raw_socket,
    raw_stream,
    sets,
)
from tests.bench.several import on_core, show_several
from tests.support.clusters import Cluster, ClusterNode
from tests.support.servers import Server

STORED: Final = [f":1:{key}" for key in KEYS]


def show_cluster(server: Server, rounds: int, core: int, theirs: str | None) -> None:
    """Measure and print.

    Args:
        server: the single server.
        rounds: number of rounds of each peer.
        core: the processor core of every node.
        theirs: a Python with django-valkey.
    """
    with Cluster() as cluster:
        on_core(cluster.nodes, core)
        backend = "django_valkey.cluster_cache.cache.ClusterValkeyCache"
        show_several(
            "cluster",
            {"LOCATION": cluster.urls(), "OPTIONS": {"CLUSTER": True}},
            server,
            rounds,
            theirs=(theirs, {"BACKEND": backend, "LOCATION": cluster.urls()[0]}),
            sync={"raw, standalone": raw_socket, "raw, cluster": _raw(cluster), "valkey-py cluster": _theirs(cluster)},
            aio={
                "raw, standalone": raw_stream,
                "raw, cluster": _raw_async(cluster),
                "valkey-py cluster": _theirs_async(cluster),
            },
        )


class RawCluster:
    """A socket to each primary, with keys known beforehand: the minimum for any client."""

    def __init__(self, nodes: Mapping[RawSocket, Sequence[str]]) -> None:
        self._nodes, self._first = nodes, next(node for node, keys in nodes.items() if KEYS[0] in keys)

    def get(self) -> object:
        return self._first.get()

    def set(self) -> object:
        return self._first.set()

    def get_many(self) -> object:
        for node, keys in self._nodes.items():
            node.send(_gets(keys))
        return {key: pickle.loads(node.answer()) for node, keys in self._nodes.items() for key in keys}

    def set_many(self) -> object:
        for node, keys in self._nodes.items():
            node.send(sets(keys))
        return [node.answer() for node, keys in self._nodes.items() for _ in keys]


class AsyncRawCluster:
    """The same with asyncio's streams."""

    def __init__(self, nodes: Mapping[RawStream, Sequence[str]]) -> None:
        self._nodes, self._first = nodes, next(node for node, keys in nodes.items() if KEYS[0] in keys)

    async def get(self) -> object:
        return await self._first.get()

    async def set(self) -> object:
        return await self._first.set()

    async def get_many(self) -> object:
        for node, keys in self._nodes.items():
            node.send(_gets(keys))
        return {key: pickle.loads(await node.answer()) for node, keys in self._nodes.items() for key in keys}

    async def set_many(self) -> object:
        for node, keys in self._nodes.items():
            node.send(sets(keys))
        return [await node.answer() for node, keys in self._nodes.items() for _ in keys]


def _gets(keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    return (("GET", f":1:{key}".encode()) for key in keys)


class ValkeyPy:
    """A cluster client of valkey-py with the work of a cache around it."""

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


def _keys(cluster: Cluster) -> dict[ClusterNode, list[str]]:
    found: dict[ClusterNode, list[str]] = defaultdict(list)
    for key in KEYS:
        found[cluster.owner(slot(f":1:{key}"))].append(key)
    return found


def _raw(cluster: Cluster) -> Sync:
    @contextmanager
    def peer(_: Server) -> Iterator[SyncPeer]:
        nodes = {RawSocket(node): keys for node, keys in _keys(cluster).items()}
        yield RawCluster(nodes)
        for node in nodes:
            node.close()

    return peer


def _raw_async(cluster: Cluster) -> Async:
    @asynccontextmanager
    async def peer(_: Server) -> AsyncIterator[AsyncPeer]:
        async with AsyncExitStack() as stack:
            nodes = {await stack.enter_async_context(raw_stream(node)): keys for node, keys in _keys(cluster).items()}
            yield AsyncRawCluster(nodes)

    return peer


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
