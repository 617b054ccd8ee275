"""Several servers that hold the same data, read from in turn."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from dvcache.attempts import aperform, perform
from dvcache.protocols import AsyncClient, Client
from dvcache.rota import Rota
from dvcache.types import Batch


@dataclass(frozen=True, slots=True)
class Spread:
    """Several replicas; each batch goes to one of them."""

    rota: Rota[Client]

    def execute(self, batch: Batch, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        return perform(self.rota, batch)

    def close(self) -> None:
        """End every connection."""
        for client in self.rota.members():
            client.close()


@dataclass(frozen=True, slots=True)
class AsyncSpread:
    """Several replicas, asynchronous; each batch goes to one of them."""

    rota: Rota[AsyncClient]

    def execute(self, batch: Batch, /) -> Coroutine[Any, Any, Sequence[Any]]:
        """Run the batch, as `protocols.AsyncClient` says."""
        return aperform(self.rota, batch)  # not awaited here: each coroutine on the way costs its share

    def close(self) -> None:
        """End every connection."""
        for client in self.rota.members():
            client.close()
