"""Which clients make up a topology: one rule for both colours."""

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
    """The clients of one colour, by what they do."""

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
    """What several servers are used for."""

    read_from_primary: bool = False
    """Leave the replicas spare."""
    read_only: bool = False
    """Refuse writes; the primary is the last resort of reads."""
    write_anywhere: bool = False
    """Try the replicas where a write fails."""
    cluster: bool = False
    """The endpoints are nodes of a cluster, any of which can name the others."""
    shards: tuple[str, ...] = field(default=(), repr=False)
    """The names of the endpoints on a ring, where each holds its part of the keys. They hold passwords."""


def client(colour: Colour[C], pool: Callable[[Endpoint], C], endpoints: Sequence[Endpoint], topology: Topology) -> C:
    """Return the client of a topology.

    Args:
        colour: whose clients.
        pool: makes the pool of an endpoint.
        endpoints: where writes go, and then what is read from; one alone is both.
        topology: what they are used for.
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
    # The replicas of a service are spread over behind their pool.
    readers = members[0] if len(members) == 1 and others[0].service else colour.spread(Rota(lambda: members))
    writer = colour.read_only(writer) if topology.read_only else writer
    return colour.replicated(writer, readers, getattr(readers, "rota", None) or Rota(lambda: (readers,)))


def _cluster(colour: Colour[C], pool: Callable[[Endpoint], C], endpoints: Sequence[Endpoint], topology: Topology) -> C:
    nodes: Nodes[Any] = Nodes(endpoints, pool, spread=colour.spread, reads_replicas=not topology.read_from_primary)
    return colour.cluster(colour.primaries(nodes))
