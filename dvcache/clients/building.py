"""Build the client of a topology, by one rule for sync and async."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from dvcache.clients.cluster import AsyncCluster, AsyncPrimaries, Cluster, Nodes, Primaries
from dvcache.clients.deadlines import taking_deadlines
from dvcache.clients.fallback import AsyncFallback, Fallback
from dvcache.clients.replicated import AsyncReadOnly, AsyncReplicated, ReadOnly, Replicated
from dvcache.clients.sharded import AsyncSharded, Sharded
from dvcache.clients.standalone import AsyncStandalone, Standalone
from dvcache.protocols import AsyncClient, Client
from dvcache.rota import Rota
from dvcache.spread import AsyncSpread, Spread
from dvcache.types import Endpoint

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Colour(Generic[C]):
    """The client classes of one mode, by role."""

    one: Callable[[C], C]
    spread: Callable[[Rota[C]], C]
    fallback: Callable[[tuple[C, ...]], C]
    replicated: Callable[[C, C, Rota[Any]], C]
    read_only: Callable[[C], C]
    primaries: Callable[[Nodes[Any]], Any]
    cluster: Callable[[Any], C]
    sharded: Callable[[Mapping[str, C]], C]


SYNC: Final[Colour[Client]] = Colour(Standalone, Spread, Fallback, Replicated, ReadOnly, Primaries, Cluster, Sharded)
ASYNC: Final[Colour[AsyncClient]] = Colour(
    AsyncStandalone,
    AsyncSpread,
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


def client(colour: Colour[C], pool: Callable[[Endpoint], C], endpoints: Sequence[Endpoint], topology: Topology) -> C:
    """Return the client of a topology.

    Args:
        colour: the client classes of the mode.
        pool: makes the pool of an endpoint.
        endpoints: the server for writes, then those for reads; a single one serves both.
        topology: the use of the endpoints.
    """
    return _client(colour, lambda endpoint: taking_deadlines(pool(endpoint)), endpoints, topology)


def _client(colour: Colour[C], pool: Callable[[Endpoint], C], endpoints: Sequence[Endpoint], topology: Topology) -> C:
    if topology.cluster:
        return _cluster(colour, pool, endpoints, topology)
    if topology.shards:
        return colour.sharded(dict(zip(topology.shards, map(pool, endpoints), strict=True)))
    first, *others = dict.fromkeys(endpoints)
    primary = colour.one(pool(first))
    spare = topology.read_from_primary and not topology.read_only
    if not others or (spare and not topology.write_anywhere):
        return primary
    members = tuple(map(pool, others))
    writer = colour.fallback((primary, *members)) if topology.write_anywhere else primary
    if spare:
        return writer
    # The pool of a Sentinel service balances its replicas itself: one member stands for all of them.
    readers = members[0] if len(members) == 1 and others[0].service else colour.spread(Rota(lambda: members))
    writer = colour.read_only(writer) if topology.read_only else writer
    return colour.replicated(writer, readers, getattr(readers, "rota", None) or Rota(lambda: (readers,)))


def _cluster(colour: Colour[C], pool: Callable[[Endpoint], C], endpoints: Sequence[Endpoint], topology: Topology) -> C:
    nodes: Nodes[Any] = Nodes(endpoints, pool, spread=colour.spread, reads_replicas=not topology.read_from_primary)
    return colour.cluster(colour.primaries(nodes))
