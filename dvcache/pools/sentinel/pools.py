"""Pools of a service that sentinels monitor: of its current primary, or of its replicas.

After a failover, the old primary's connections are ended at once, including those in use. The old primary can then
acknowledge no more writes, and no caller waits for it.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, Protocol

from dvcache.clients.runner import AsyncRunner, Runner
from dvcache.errors import ClosedError, ConnectError, ReadOnlyError, TransportError
from dvcache.pools.sentinel.members import Abortable, MemberPools, P
from dvcache.pools.sentinel.watcher import Watcher
from dvcache.protocols import AsyncPool, Pool, Releasable
from dvcache.routing.flow import Attempt, Flow, Question, Routing
from dvcache.routing.replica_balancer import ReplicaBalancer
from dvcache.types import Batch, Endpoint


class PrimaryRouting(Generic[P]):
    """Routing to the primary, and to the new primary if a failover happened before anything was performed."""

    def __init__(self, nodes: MemberPools[P]) -> None:
        self._nodes, self.close = nodes, nodes.close

    def first(self, _: Batch = (), /) -> P | None:
        """Return the pool of the known primary."""
        current = self._nodes.current
        return current[0] if current else None

    def suffices(self, replies: Sequence[Any], /) -> bool:
        """Return True unless the server refused as a replica (READONLY)."""
        for reply in replies:  # noqa: SIM110  # a generator would cost more than all the rest
            if isinstance(reply, ReadOnlyError):
                return False
        return True

    def flow(self, batch: Batch, begun: P | None = None, _until: float | None = None, /) -> Flow[P, Sequence[Any]]:
        """Run the batch on the primary.

        Raises:
            ConnectError: there is no primary.
            TransportError: no answer came.
        """
        pool = begun
        for last in (False, True):
            if pool is None:
                pool = yield from self._primary()
            try:
                answers: Sequence[Any] = yield Attempt(pool, batch)
            except (ConnectError, ClosedError):  # nothing was performed
                yield from self._ask()
                if last or self.first() in {None, pool}:
                    raise
            except TransportError:
                yield from self._ask()
                raise
            else:
                # A demoted primary refuses every write of the batch, so the whole batch can be repeated.
                if last or self.suffices(answers):
                    return answers
                yield from self._ask()
                if self.first() in {None, pool}:
                    return answers
            pool = self.first()
        raise AssertionError("unreachable")

    def _primary(self) -> Flow[P, P]:
        """Query the sentinels, and return the pool of the primary."""
        yield Question(self._nodes.watch.ask)
        pool = self.first()
        if pool is None:
            raise self._nodes.watch.no_primary()
        return pool

    def _ask(self) -> Flow[P, None]:
        """Query the sentinels so that the watcher is up to date; if none answers, keep the known nodes."""
        with suppress(TransportError):
            yield Question(self._nodes.watch.ask)


class ReplicaRouting(Generic[P]):
    """Routing to the replicas, by the replica balancer."""

    def __init__(self, nodes: MemberPools[P]) -> None:
        self._watch, self.close = nodes.watch, nodes.close
        self.balancer = ReplicaBalancer(lambda: nodes.current)
        self.first, self.suffices = self.balancer.first, self.balancer.suffices

    def flow(self, batch: Batch, begun: P | None = None, _until: float | None = None, /) -> Flow[P, Sequence[Any]]:
        """Run the batch on one replica after another until one answers.

        Raises:
            TransportError: none answers.
        """
        if begun is None and self._watch.known is None:
            yield Question(self._watch.ask)
        return (yield from self.balancer.flow(batch, begun))


class NodePool(Pool, Abortable, Releasable, Protocol):
    """A pool of one node, aborted when the node loses its role."""


class AsyncNodePool(AsyncPool, Abortable, Releasable, Protocol):
    """The async counterpart of `NodePool`."""


def service_pool(endpoint: Endpoint, watch: Watcher, make: Callable[[Endpoint], NodePool]) -> Pool:
    """Return the pool of the service's nodes in the endpoint's role.

    Args:
        endpoint: the service's endpoint.
        watch: the service's watcher.
        make: makes the pool of one node.
    """
    return Runner(_routing(endpoint, MemberPools(endpoint, watch, lambda node: Runner.adapted(make(node)))))


def async_service_pool(endpoint: Endpoint, watch: Watcher, make: Callable[[Endpoint], AsyncNodePool]) -> AsyncPool:
    """Return the asynchronous pool of the service's nodes in the endpoint's role. Arguments as in `service_pool`."""
    return AsyncRunner(_routing(endpoint, MemberPools(endpoint, watch, lambda node: AsyncRunner.adapted(make(node)))))


def _routing(endpoint: Endpoint, nodes: MemberPools[Any]) -> Routing[Any]:
    return PrimaryRouting(nodes) if endpoint.role == "primary" else ReplicaRouting(nodes)
