"""Several servers that all accept writes: if one fails, the next is tried (REPLICA_READ_ONLY = False)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from dvcache.attempts import Flow, aattempt, attempt
from dvcache.clients.commands import is_repeatable
from dvcache.errors import ConnectError, ReadOnlyError, TransportError
from dvcache.protocols import AsyncClient, Client
from dvcache.rota import SHARE
from dvcache.types import Batch

C = TypeVar("C")


def in_order(clients: Sequence[C], batch: Batch) -> Flow[C]:
    """Try one client after another while no command was performed, or repeating the batch is safe.

    Raises:
        TransportError: the last client that was tried gave no answer.
    """
    *others, last = clients
    for client in others:
        try:
            replies: Sequence[Any] = yield client, batch, SHARE
        except ConnectError:
            continue
        except TransportError:
            if not is_repeatable(batch):  # it may have been performed: no other server must repeat it
                raise
            continue
        # A replica refused the batch; the next server may be the primary.
        if not any(isinstance(reply, ReadOnlyError) for reply in replies):
            return replies
    final: Sequence[Any] = yield last, batch
    return final


@dataclass(frozen=True, slots=True)
class Fallback:
    """The client of servers that are tried in order; the first that answers wins."""

    clients: tuple[Client, ...]

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`)."""
        return attempt(in_order(self.clients, batch), batch, until)

    def close(self) -> None:
        """End every connection."""
        for client in self.clients:
            client.close()


@dataclass(frozen=True, slots=True)
class AsyncFallback:
    """The asynchronous client of servers that are tried in order."""

    clients: tuple[AsyncClient, ...]

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.AsyncClient`)."""
        return await aattempt(in_order(self.clients, batch), batch, until)

    def close(self) -> None:
        """End every connection."""
        for client in self.clients:
            client.close()
