"""Pools of a service that sentinels monitor: of whichever node is its primary, and of its replicas in turn.

When the primary moves, the old one's connections are ended at once, in use or not: after that nothing is acknowledged
by the old primary, and nobody waits for it.
"""

from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import suppress
from typing import Any, Generic, Protocol

from dvcache.attempts import Attempts, Flow, Question, aperform, perform
from dvcache.errors import ClosedError, ConnectError, ReadOnlyError, TransportError
from dvcache.pools.nodes import Abortable, Nodes, P
from dvcache.pools.watch import Watch
from dvcache.protocols import AsyncClient, AsyncPool, Client, Pool, Releasable
from dvcache.rota import Rota
from dvcache.types import Batch, Endpoint


class OnPrimary(Generic[P]):
    """Attempts on the primary, and on the new one if it moved before anything was performed."""

    def __init__(self, nodes: Nodes[P]) -> None:
        self._nodes = nodes

    def first(self) -> P | None:
        """Return the pool of the primary as it is known."""
        current = self._nodes.current
        return current[0] if current else None

    def suffices(self, replies: Sequence[Any], /) -> bool:
        """Say whether the primary answered as such."""
        for reply in replies:  # noqa: SIM110  # a generator would cost more than all the rest
            if isinstance(reply, ReadOnlyError):
                return False
        return True

    def flow(self, batch: Batch, begun: P | None = None, /) -> Flow[P]:
        """Run the batch where the primary is.

        Raises:
            ConnectError: there is no primary.
            TransportError: no answer came.
        """
        pool = begun
        for last in (False, True):
            if pool is None:
                pool = yield from self._primary()
            try:
                answers: Sequence[Any] = yield pool, batch
            except (ConnectError, ClosedError):  # nothing was performed
                yield from self._ask()
                if last or self.first() in {None, pool}:
                    raise
            except TransportError:
                yield from self._ask()
                raise
            else:
                # A demoted primary refuses every write of the batch, so that all of it can be repeated elsewhere.
                if last or self.suffices(answers):
                    return answers
                yield from self._ask()
                if self.first() in {None, pool}:
                    return answers
            pool = self.first()
        raise AssertionError("unreachable")

    def _primary(self) -> Generator[Question, Any, P]:
        """Return the pool of the primary, asking where it is."""
        yield self._nodes.watch.ask
        pool = self.first()
        if pool is None:
            raise self._nodes.watch.no_primary()
        return pool

    def _ask(self) -> Generator[Question, Any, None]:
        """Ask where the nodes are, in order that the watch knows; who cannot tell is no news."""
        with suppress(TransportError):
            yield self._nodes.watch.ask


class OnReplicas(Generic[P]):
    """Attempts on the replicas in turn."""

    def __init__(self, nodes: Nodes[P]) -> None:
        self._watch = nodes.watch
        self.rota = Rota(lambda: nodes.current)
        self.first, self.suffices = self.rota.first, self.rota.suffices

    def flow(self, batch: Batch, begun: P | None = None, /) -> Flow[P]:
        """Run the batch on one replica after another until one can answer.

        Raises:
            TransportError: none can.
        """
        if self._watch.known is None:
            yield self._watch.ask
        return (yield from self.rota.flow(batch, begun))


class NodePool(Pool, Abortable, Releasable, Protocol):
    """A pool of one node, which ends when the node loses its role."""


class AsyncNodePool(AsyncPool, Abortable, Releasable, Protocol):
    """The same for asynchronous code."""


class ServicePool:
    """The pool of a service's nodes in one role."""

    __slots__ = ("_attempts", "_nodes", "rota")

    def __init__(self, nodes: Nodes[NodePool], attempts: Attempts[Client], rota: Rota[Any] | None) -> None:
        self._nodes, self._attempts = nodes, attempts
        self.rota = rota
        """The replicas' turns; None of a primary."""

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        return perform(self._attempts, batch, until)

    def close(self) -> None:
        """End every connection."""
        self._nodes.close()


class AsyncServicePool:
    """The asynchronous pool of a service's nodes in one role."""

    __slots__ = ("_attempts", "_nodes", "rota")

    def __init__(self, nodes: Nodes[AsyncNodePool], attempts: Attempts[AsyncClient], rota: Rota[Any] | None) -> None:
        self._nodes, self._attempts = nodes, attempts
        self.rota = rota
        """As of `ServicePool`."""

    def execute(self, batch: Batch, until: float | None = None, /) -> Coroutine[Any, Any, Sequence[Any]]:
        """Run the batch, as `protocols.AsyncClient` says."""
        return aperform(self._attempts, batch, until)  # not awaited here: each coroutine on the way costs its share

    def close(self) -> None:
        """End every connection."""
        self._nodes.close()


def service_pool(endpoint: Endpoint, watch: Watch, make: Callable[[Endpoint], NodePool]) -> Pool:
    """Return the pool of the service's nodes in the endpoint's role.

    Args:
        endpoint: the service.
        watch: what tells of its nodes.
        make: makes the pool of one node.
    """
    nodes = Nodes(endpoint, watch, make)
    return ServicePool(nodes, *_attempts(endpoint, nodes))


def async_service_pool(endpoint: Endpoint, watch: Watch, make: Callable[[Endpoint], AsyncNodePool]) -> AsyncPool:
    """Return the asynchronous pool of the service's nodes in the endpoint's role. Arguments as of `service_pool`."""
    nodes = Nodes(endpoint, watch, make)
    return AsyncServicePool(nodes, *_attempts(endpoint, nodes))


def _attempts(endpoint: Endpoint, nodes: Nodes[P]) -> tuple[Any, Rota[Any] | None]:
    """Return how a batch finds its node. `Any`: attempts on pools are attempts on clients, which mypy cannot see."""
    if endpoint.role == "primary":
        return OnPrimary(nodes), None
    replicas = OnReplicas(nodes)
    return replicas, replicas.rota
