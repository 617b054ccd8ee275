"""Build the client of a topology, by one rule for sync and async."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from dvcache.clients.replicated import Fallback, ReadOnly, Replicated
from dvcache.clients.runner import AsyncRunner, Runner
from dvcache.clients.standalone import Direct, Standalone
from dvcache.routing.flow import Routing
from dvcache.routing.replica_balancer import ReplicaBalancer
from dvcache.types import Endpoint

ClientClass: TypeAlias = type[Runner] | type[AsyncRunner]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerUse:
    """How the endpoints are used: which serve reads, which take writes, and whether they form a cluster or shards."""

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
    runner_class: ClientClass,
    pool: Callable[[Endpoint], Any],
    endpoints: Sequence[Endpoint],
    use: ServerUse,
    seconds: float | None = None,
) -> Any:
    """Return the client of a topology.

    Args:
        runner_class: the class of the client, which is that of its mode.
        pool: makes the pool of an endpoint.
        endpoints: the server for writes, then those for reads; a single one serves both.
        use: the use of the endpoints.
        seconds: limit for each batch; None sets none.
    """

    def runner(routing: Routing[Any], primary: Any = None) -> Any:
        return runner_class(routing, seconds, primary)

    def member(endpoint: Endpoint) -> Any:
        return runner_class.adapted(pool(endpoint))

    if use.cluster:
        from dvcache.clients.cluster import Discovery, Router  # noqa: PLC0415  # slow import

        nodes = Discovery(
            endpoints,
            member,
            spread=lambda members: runner(ReplicaBalancer(lambda: members)),
            reads_replicas=not use.read_from_primary,
        )
        return runner(Router(nodes, reads_latest=False), runner(Router(nodes, reads_latest=True)))
    if use.shards:
        from dvcache.clients.sharded import Sharded  # noqa: PLC0415  # slow import

        return runner(Sharded(dict(zip(use.shards, map(member, endpoints), strict=True))))
    first, *others = dict.fromkeys(endpoints)
    writes: Routing[Any] = Standalone(member(first))
    spare = use.read_from_primary and not use.read_only
    if not others or (spare and not use.write_anywhere):
        return runner(writes)
    members = tuple(map(member, others))
    if use.write_anywhere:
        writes = Fallback((runner(writes), *members))
    if spare:
        return runner(writes)
    if use.read_only:
        writes = ReadOnly(writes)
    primary = runner(writes)
    return runner(Replicated(primary, writes, *_reads(others, members)), primary)


def _reads(endpoints: Sequence[Endpoint], members: tuple[Any, ...]) -> tuple[Routing[Any], ReplicaBalancer[Any]]:
    """Return the routing of reads, and the replica balancer."""
    if len(members) > 1 or not endpoints[0].service:
        balancer: ReplicaBalancer[Any] = ReplicaBalancer(lambda: members)
        return balancer, balancer
    # The pool of a Sentinel service balances its replicas itself: one member stands for all of them.
    (member,) = (*members,)
    routing = member.routing if isinstance(member, Runner | AsyncRunner) else Direct(member)
    return routing, getattr(routing, "balancer", None) or ReplicaBalancer(lambda: members)
