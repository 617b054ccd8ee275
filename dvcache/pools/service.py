"""Pools of a service that sentinels monitor: of whichever node is its primary, and of its replicas in turn.

The node pools are made by address as it is announced. When the primary moves, the old one's connections are ended at
once, in use or not: after that nothing is acknowledged by the old primary, and nobody waits for it.
"""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from dvcache.attempts import Flow, aattempt, attempt
from dvcache.errors import ClosedError, ConnectError, ReadOnlyError, TransportError
from dvcache.pools.lean import LeanPool
from dvcache.pools.multiplexed import MultiplexedPool
from dvcache.pools.sentinels import Nodes
from dvcache.pools.watch import Watch
from dvcache.rota import Rota, spread
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


class _Nodes(Generic[P]):
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

    def moved(self, nodes: Nodes) -> None:
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
        with self._lock:
            self._closed = True
            pools, self._pools, self.current = self._pools, {}, ()
        for pool in pools.values():
            pool.close()
        self.watch.leave(self)


def on_primary(nodes: _Nodes[P], batch: Batch) -> Flow[P]:
    """Run a batch on the primary, on the new one if it moved before anything was performed.

    Raises:
        ConnectError: there is no primary.
        TransportError: no answer came.
    """
    watch = nodes.watch
    for last in (False, True):
        if not nodes.current:
            yield watch.ask
            if not nodes.current:
                raise watch.no_primary()
        pool = nodes.current[0]
        try:
            answers: Sequence[Any] = yield pool, batch
        except (ConnectError, ClosedError):  # nothing was performed
            yield from _ask(watch)
            if last or not nodes.current or nodes.current[0] is pool:
                raise
        except TransportError:
            yield from _ask(watch)
            raise
        else:
            # A demoted primary refuses every write of the batch, so that all of it can be repeated elsewhere.
            if not any(isinstance(reply, ReadOnlyError) for reply in answers) or last:
                return answers
            yield from _ask(watch)
            if not nodes.current or nodes.current[0] is pool:
                return answers
    raise AssertionError("unreachable")


def _ask(watch: Watch) -> Generator[Callable[[], object], Any, None]:
    """Ask where the nodes are, in order that the watch knows; who cannot tell is no news."""
    with suppress(TransportError):
        yield watch.ask


def on_replicas(nodes: _Nodes[P], rota: Rota[P], batch: Batch) -> Flow[P]:
    """Run a batch on the replicas in turn.

    Raises:
        TransportError: none can answer.
    """
    if nodes.watch.known is None:
        yield nodes.watch.nodes
    return (yield from spread(rota, batch))


class ServicePool:
    """The pool of a service's primary, or of its replicas."""

    __slots__ = ("_flow", "_nodes")

    def __init__(self, endpoint: Endpoint, watch: Watch, make: Callable[[Endpoint], LeanPool]) -> None:
        self._nodes = _Nodes(endpoint, watch, make)
        self._flow = _flow(endpoint, self._nodes)

    def execute(self, batch: Batch, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        return attempt(self._flow(batch))

    def close(self) -> None:
        """End every connection."""
        self._nodes.close()


class AsyncServicePool:
    """The asynchronous pool of a service's primary, or of its replicas."""

    __slots__ = ("_flow", "_nodes")

    def __init__(self, endpoint: Endpoint, watch: Watch, make: Callable[[Endpoint], MultiplexedPool]) -> None:
        self._nodes = _Nodes(endpoint, watch, make)
        self._flow = _flow(endpoint, self._nodes)

    async def execute(self, batch: Batch, /) -> Sequence[Any]:
        """Run the batch, as `protocols.AsyncClient` says."""
        return await aattempt(self._flow(batch))

    def close(self) -> None:
        """End every connection."""
        self._nodes.close()


def _flow(endpoint: Endpoint, nodes: _Nodes[P]) -> Callable[[Batch], Flow[P]]:
    """Return how a batch is run in the endpoint's role."""
    if endpoint.role == "primary":
        return partial(on_primary, nodes)
    return partial(on_replicas, nodes, Rota(lambda: nodes.current))
