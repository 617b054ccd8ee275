"""A primary and its replicas: what only reads goes to a replica, the last resort being the primary."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dvcache.clients.commands import only_reads
from dvcache.errors import NotSupportedError, TransportError
from dvcache.progress import Progress
from dvcache.protocols import AsyncClient, Client
from dvcache.types import Batch


@dataclass(frozen=True, slots=True)
class Replicated:
    """The client of a primary with replicas."""

    primary: Client
    replicas: Client
    progress: Progress = field(default_factory=Progress)
    """How far the primary is, by which replicas are judged."""

    def execute(self, batch: Batch, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        if only_reads(batch):
            try:
                return self.replicas.execute(batch)
            except TransportError:
                pass
        request = self.progress.request(batch)
        return self.progress.answer(batch, self.primary.execute(request))

    def close(self) -> None:
        """End every connection."""
        self.primary.close()
        self.replicas.close()


@dataclass(frozen=True, slots=True)
class AsyncReplicated:
    """The asynchronous client of a primary with replicas."""

    primary: AsyncClient
    replicas: AsyncClient
    progress: Progress = field(default_factory=Progress)
    """How far the primary is, by which replicas are judged."""

    async def execute(self, batch: Batch, /) -> Sequence[Any]:
        """Run the batch, as `protocols.AsyncClient` says."""
        if only_reads(batch):
            try:
                return await self.replicas.execute(batch)
            except TransportError:
                pass
        request = self.progress.request(batch)
        return self.progress.answer(batch, await self.primary.execute(request))

    def close(self) -> None:
        """End every connection."""
        self.primary.close()
        self.replicas.close()


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """A client that refuses what would write, before anything is sent."""

    client: Client

    def execute(self, batch: Batch, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        refuse_writes(batch)
        return self.client.execute(batch)

    def close(self) -> None:
        """End every connection."""
        self.client.close()


@dataclass(frozen=True, slots=True)
class AsyncReadOnly:
    """An asynchronous client that refuses what would write, before anything is sent."""

    client: AsyncClient

    async def execute(self, batch: Batch, /) -> Sequence[Any]:
        """Run the batch, as `protocols.AsyncClient` says."""
        refuse_writes(batch)
        return await self.client.execute(batch)

    def close(self) -> None:
        """End every connection."""
        self.client.close()


def refuse_writes(batch: Batch) -> None:
    """Let pass what only reads.

    Raises:
        NotSupportedError: a command of the batch writes.
    """
    if not only_reads(batch):
        names = ", ".join(sorted({str(command[0]) for command in batch}))
        raise NotSupportedError(
            f"this alias reads from replicas only (is_master=0), so that {names} is refused;"
            " write through an alias of the primary"
        )
