"""The client of a cluster, sync and async."""

from collections.abc import Coroutine, Sequence
from typing import Any

from dvcache.clients.cluster.discovery import Discovery
from dvcache.clients.cluster.pending import is_final
from dvcache.clients.cluster.router import Router
from dvcache.protocols import AsyncClient, Client
from dvcache.routing.commands import only_reads
from dvcache.routing.flow import Outcome, aconverse, converse
from dvcache.types import Batch


class Primaries:
    """The client of a cluster's primaries."""

    def __init__(self, nodes: Discovery[Client]) -> None:
        self.nodes, self.routes = nodes, Router(nodes)

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`); a node's transport error replaces each of its replies."""
        owner = self.routes.sole(batch)
        if owner is None:
            return converse(self.routes.steps(batch, until=until), until)
        try:
            outcome: Outcome = owner.execute(batch, until)
        except Exception as error:  # noqa: BLE001  # the steps below handle it
            outcome = error
        if is_final(outcome):
            return outcome
        steps = self.routes.steps(batch, owner, until=until)
        steps.send(None)
        return converse(steps, until, {owner: outcome})

    def close(self) -> None:
        """End every connection."""
        self.nodes.close()


class AsyncPrimaries:
    """The asynchronous client of a cluster's primaries."""

    def __init__(self, nodes: Discovery[AsyncClient]) -> None:
        self.nodes, self.routes = nodes, Router(nodes)

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch as `Primaries.execute` does."""
        owner = self.routes.sole(batch)
        if owner is None:
            return await aconverse(self.routes.steps(batch, until=until), until)
        try:
            outcome: Outcome = await owner.execute(batch, until)
        except Exception as error:  # noqa: BLE001  # as above
            outcome = error
        if is_final(outcome):
            return outcome
        steps = self.routes.steps(batch, owner, until=until)
        steps.send(None)
        return await aconverse(steps, until, {owner: outcome})

    def close(self) -> None:
        """End every connection."""
        self.nodes.close()


class Cluster:
    """The client of a cluster. Batches that only read may go to replicas, and to the primary if none answers."""

    def __init__(self, primary: Primaries) -> None:
        self.primary, self._nodes = primary, primary.nodes

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`)."""
        if not self._nodes.reads_replicas or not only_reads(batch):
            return self.primary.execute(batch, until)
        return converse(self.primary.routes.steps(batch, by_readers=True, until=until), until)

    def close(self) -> None:
        """End every connection."""
        self.primary.close()


class AsyncCluster:
    """The async counterpart of `Cluster`."""

    def __init__(self, primary: AsyncPrimaries) -> None:
        self.primary, self._nodes = primary, primary.nodes

    def execute(self, batch: Batch, until: float | None = None, /) -> Coroutine[Any, Any, Sequence[Any]]:
        """Run the batch as `Cluster.execute` does."""
        if not self._nodes.reads_replicas or not only_reads(batch):
            return self.primary.execute(batch, until)
        return aconverse(self.primary.routes.steps(batch, by_readers=True, until=until), until)

    def close(self) -> None:
        """End every connection."""
        self.primary.close()
