"""Build the client of a topology, by one rule for sync and async."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from dvcache.clients.batch_deadline import taking_deadlines
from dvcache.clients.cluster import AsyncCluster, AsyncPrimaries, Cluster, Discovery, Primaries
from dvcache.clients.replicated import (
    AsyncFallback,
    AsyncReadOnly,
    AsyncReplicaReads,
    AsyncReplicated,
    Fallback,
    ReadOnly,
    ReplicaReads,
    Replicated,
)
from dvcache.clients.sharded import AsyncSharded, Sharded
from dvcache.clients.standalone import AsyncStandalone, Standalone
from dvcache.protocols import AsyncClient, Client
from dvcache.routing.replica_balancer import ReplicaBalancer
from dvcache.types import Endpoint

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class ClientClasses(Generic[C]):
    """The client classes of one mode, by role."""

    one: Callable[[C], C]
    spread: Callable[[ReplicaBalancer[C]], C]
    fallback: Callable[[tuple[C, ...]], C]
    replicated: Callable[[C, C, ReplicaBalancer[Any]], C]
    read_only: Callable[[C], C]
    primaries: Callable[[Discovery[Any]], Any]
    cluster: Callable[[Any], C]
    sharded: Callable[[Mapping[str, C]], C]


SYNC: Final[ClientClasses[Client]] = ClientClasses(
    Standalone, ReplicaReads, Fallback, Replicated, ReadOnly, Primaries, Cluster, Sharded
)
ASYNC: Final[ClientClasses[AsyncClient]] = ClientClasses(
    AsyncStandalone,
    AsyncReplicaReads,
    AsyncFallback,
    AsyncReplicated,
    AsyncReadOnly,
    AsyncPrimaries,
    AsyncCluster,
    AsyncSharded,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The use of several servers."""

    read_from_primary: bool = False
    """Send reads to the primary and leave the replicas idle."""
    read_only: bool = False
    """Refuse writes. The primary is used for reads only if no replica answers."""
    write_anywhere: bool = False
    """Try a write on the replicas if it fails on the primary."""
    cluster: bool = False
    """Treat the endpoints as nodes of a cluster, each of which can list the others."""
    shards: tuple[str, ...] = field(default=(), repr=False)
    """Names of the endpoints on the hash ring, one shard each. They contain passwords."""


def client(
    mode: ClientClasses[C], pool: Callable[[Endpoint], C], endpoints: Sequence[Endpoint], topology: Topology
) -> C:
    """Return the client of a topology.

    Args:
        mode: the client classes of the mode.
        pool: makes the pool of an endpoint.
        endpoints: the server for writes, then those for reads; a single one serves both.
        topology: the use of the endpoints.
    """
    return _client(mode, lambda endpoint: taking_deadlines(pool(endpoint)), endpoints, topology)


def _client(
    mode: ClientClasses[C], pool: Callable[[Endpoint], C], endpoints: Sequence[Endpoint], topology: Topology
) -> C:
    if topology.cluster:
        return _cluster(mode, pool, endpoints, topology)
    if topology.shards:
        return mode.sharded(dict(zip(topology.shards, map(pool, endpoints), strict=True)))
    first, *others = dict.fromkeys(endpoints)
    primary = mode.one(pool(first))
    spare = topology.read_from_primary and not topology.read_only
    if not others or (spare and not topology.write_anywhere):
        return primary
    members = tuple(map(pool, others))
    writer = mode.fallback((primary, *members)) if topology.write_anywhere else primary
    if spare:
        return writer
    # The pool of a Sentinel service balances its replicas itself: one member stands for all of them.
    readers = members[0] if len(members) == 1 and others[0].service else mode.spread(ReplicaBalancer(lambda: members))
    writer = mode.read_only(writer) if topology.read_only else writer
    return mode.replicated(writer, readers, getattr(readers, "balancer", None) or ReplicaBalancer(lambda: (readers,)))


def _cluster(
    mode: ClientClasses[C], pool: Callable[[Endpoint], C], endpoints: Sequence[Endpoint], topology: Topology
) -> C:
    nodes: Discovery[Any] = Discovery(
        endpoints, pool, spread=mode.spread, reads_replicas=not topology.read_from_primary
    )
    return mode.cluster(mode.primaries(nodes))
