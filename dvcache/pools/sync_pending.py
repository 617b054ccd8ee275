"""A batch written to a blocking connection, whose replies are read later."""

from collections.abc import Sequence
from typing import Any, Protocol

from dvcache.pools.sync_connection import SyncConnection
from dvcache.types import Batch


class Reads(Protocol):
    """The pool of the connection. Called by `PendingReplies`, from the thread that wrote."""

    def finish(
        self, connection: SyncConnection, batch: Batch, started: float, until: float | None = None
    ) -> Sequence[Any]:
        """Read the replies, and return the connection to the pool."""
        ...

    def discard(self, connection: SyncConnection) -> None:
        """Close the connection."""
        ...


class PendingReplies:
    """A written batch whose replies are still to be read: `protocols.Pending`."""

    __slots__ = ("_batch", "_connection", "_pool", "_started", "_until")

    def __init__(
        self, pool: Reads, connection: SyncConnection, batch: Batch, started: float, until: float | None
    ) -> None:
        self._pool, self._connection, self._batch, self._started, self._until = pool, connection, batch, started, until

    def replies(self) -> Sequence[Any]:
        """Read the replies, and return the connection to the pool."""
        return self._pool.finish(self._connection, self._batch, self._started, self._until)

    def abandon(self) -> None:
        """Close the connection, since its replies are not read."""
        self._pool.discard(self._connection)
