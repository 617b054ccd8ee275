"""Pools of a service that sentinels monitor: of whichever node is its primary, and of its replicas in turn.

The node pools are made by address as it is announced. When the primary moves, the old one's connections are ended at
once, in use or not: after that nothing is acknowledged by the old primary, and nobody waits for it.
"""

import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from dvcache.attempts import Flow, aattempt, attempt
from dvcache.errors import ClosedError, ConnectError, ReadOnlyError, TransportError
from dvcache.pools.lean import LeanPool
from dvcache.pools.multiplexed import MultiplexedPool
from dvcache.pools.sentinels import Known
from dvcache.pools.watch import Watch
from dvcache.protocols import AsyncPool, Pool
from dvcache.rota import Rota, spread
from dvcache.spread import AsyncSpread, Spread
from dvcache.types import Address, Batch, Endpoint


class Abortable(Protocol):
    """A pool that can be ended under its users."""

    def close(self) -> None:
        """End every connection at rest."""
        ...

    def abort(self) -> None:
        """End every connection, those in use too."""
        ...


P = TypeVar("P", bound=Abortable)


class Nodes(Generic[P]):
    """The pools of a service's nodes in one role, made as the watch tells of them.

    Args:
        endpoint: the service's endpoint.
        watch: what tells of the nodes.
        make: makes the pool of one node.
    """

    def __init__(self, endpoint: Endpoint, watch: Watch, make: Callable[[Endpoint], P]) -> None:
        self._endpoint, self.watch, self._make = endpoint, watch, make
        self._lock = threading.Lock()
        self._pools: dict[Address, P] = {}
        self._closed = False
        self.current: tuple[P, ...] = ()
        """The pools of the nodes that hold the role now."""
        watch.listen(self)
        if watch.known is not None:
            self.moved(watch.known)

    def moved(self, nodes: Known) -> None:
        """Make pools for new nodes and end those of nodes that no longer hold the role."""
        wanted = nodes.replicas if self._endpoint.role == "replica" else (nodes.primary,) if nodes.primary else None
        if wanted is None:  # no primary for now: it may come back as it was
            return
        with self._lock:
            if self._closed:
                return
            old = self._pools
            self._pools = {address: old.get(address) or self._pool(address) for address in wanted}
            self.current = tuple(self._pools.values())
            gone = [pool for address, pool in old.items() if address not in self._pools]
        for pool in gone:
            pool.abort()

    def _pool(self, address: Address) -> P:
        host, port = address
        return self._make(replace(self._endpoint, host=host, port=port, service="", sentinels=()))

    def close(self) -> None:
        """End every connection, and the watch with the last pool that uses it."""
        with self._lock:
            self._closed = True
            pools, self._pools, self.current = self._pools, {}, ()
        for pool in pools.values():
            pool.close()
        self.watch.leave(self)


Trouble: TypeAlias = tuple[object, TransportError | ClosedError | Sequence[Any]] | None
"""What a first attempt came to: the pool that was tried, and what it raised or the refusals that it answered."""


def on_primary(nodes: Nodes[P], batch: Batch, trouble: Trouble) -> Flow[P]:
    """Ask where the primary is, and run the batch there if it moved and nothing was performed before.

    Raises:
        ConnectError: there is no primary.
        TransportError: no answer came.
    """
    yield from _ask(nodes.watch, quietly=trouble is not None)
    if trouble is not None:
        tried, outcome = trouble
        unmoved = not nodes.current or nodes.current[0] is tried
        if isinstance(outcome, TransportError | ClosedError):
            if unmoved or not isinstance(outcome, ConnectError | ClosedError):
                raise outcome
        elif unmoved:
            return outcome
    if not nodes.current:
        raise nodes.watch.no_primary()
    replies: Sequence[Any] = yield nodes.current[0], batch
    return replies


def _ask(watch: Watch, *, quietly: bool) -> Generator[Callable[[], object], Any, None]:
    """Ask where the nodes are, in order that the watch knows; quietly, where who cannot tell is no news."""
    try:
        yield watch.ask
    except TransportError:
        if not quietly:
            raise


def on_replicas(nodes: Nodes[P], rota: Rota[Any], batch: Batch) -> Flow[Any]:
    """Run a batch on the replicas in turn.

    Raises:
        TransportError: none can answer.
    """
    if nodes.watch.known is None:
        yield nodes.watch.nodes
    return (yield from spread(rota, batch))


def is_demoted(replies: Sequence[Any]) -> bool:
    """Tell whether a primary has become a replica: it refused what writes, so that all of it can be repeated."""
    for reply in replies:  # noqa: SIM110  # all() with a generator costs as much as the rest of a read's way
        if isinstance(reply, ReadOnlyError):
            return True
    return False


class ServicePrimary:
    """The pool of a service's primary.

    While all is well a batch goes straight to the node; the flow, which asks the sentinels, is for when it is not.
    """

    __slots__ = ("_nodes",)

    def __init__(self, nodes: Nodes[LeanPool]) -> None:
        self._nodes = nodes

    def execute(self, batch: Batch, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        trouble: Trouble = None
        if self._nodes.current:
            pool = self._nodes.current[0]
            try:
                replies = pool.execute(batch)
            except (TransportError, ClosedError) as error:
                trouble = pool, error
            else:
                if not is_demoted(replies):
                    return replies
                trouble = pool, replies
        return attempt(on_primary(self._nodes, batch, trouble))

    def close(self) -> None:
        """End every connection."""
        self._nodes.close()


class AsyncServicePrimary:
    """The asynchronous pool of a service's primary, as `ServicePrimary`."""

    __slots__ = ("_nodes",)

    def __init__(self, nodes: Nodes[MultiplexedPool]) -> None:
        self._nodes = nodes

    async def execute(self, batch: Batch, /) -> Sequence[Any]:
        """Run the batch, as `protocols.AsyncClient` says."""
        trouble: Trouble = None
        if self._nodes.current:
            pool = self._nodes.current[0]
            try:
                replies = await pool.execute(batch)
            except (TransportError, ClosedError) as error:
                trouble = pool, error
            else:
                if not is_demoted(replies):
                    return replies
                trouble = pool, replies
        return await aattempt(on_primary(self._nodes, batch, trouble))

    def close(self) -> None:
        """End every connection."""
        self._nodes.close()


def service_pool(endpoint: Endpoint, watch: Watch) -> Pool:
    """Return the pool of the service's nodes in the endpoint's role."""
    nodes = Nodes(endpoint, watch, LeanPool)
    if endpoint.role == "primary":
        return ServicePrimary(nodes)
    return Spread(Rota(lambda: nodes.current), partial(on_replicas, nodes), nodes.close)


def async_service_pool(endpoint: Endpoint, watch: Watch) -> AsyncPool:
    """Return the asynchronous pool of the service's nodes in the endpoint's role."""
    nodes = Nodes(endpoint, watch, MultiplexedPool)
    if endpoint.role == "primary":
        return AsyncServicePrimary(nodes)
    return AsyncSpread(Rota(lambda: nodes.current), partial(on_replicas, nodes), nodes.close)
