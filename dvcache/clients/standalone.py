"""One server: batches go to its pool, and once more when the connection was lost and that is safe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dvcache.clients.commands import is_repeatable
from dvcache.errors import ConnectionLost
from dvcache.protocols import AsyncClient, Client
from dvcache.types import Batch


@dataclass(frozen=True, slots=True)
class Standalone:
    """The client of one server."""

    pool: Client

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        try:
            return self.pool.execute(batch, until)
        except ConnectionLost:
            if not is_repeatable(batch):
                raise
        return self.pool.execute(batch, until)

    def close(self) -> None:
        """End every connection."""
        self.pool.close()


@dataclass(frozen=True, slots=True)
class AsyncStandalone:
    """The asynchronous client of one server."""

    pool: AsyncClient

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.AsyncClient` says."""
        try:
            return await self.pool.execute(batch, until)
        except ConnectionLost:
            if not is_repeatable(batch):
                raise
        return await self.pool.execute(batch, until)

    def close(self) -> None:
        """End every connection."""
        self.pool.close()
