"""Batches that were written to a blocking connection, and whose replies are read later."""

from collections.abc import Sequence
from typing import Any, Protocol

from dvcache.pools.lane import Lane
from dvcache.types import Batch


class Reads(Protocol):
    """A pool that reads what was written. Called by `Written`, from the thread that wrote."""

    def finish(self, lane: Lane, batch: Batch, started: float, until: float | None = None) -> Sequence[Any]:
        """Read the replies, and put the lane back."""
        ...

    def discard(self, lane: Lane) -> None:
        """End the connection of the lane."""
        ...


class Written:
    """A batch that was written, and whose replies are to be read: `protocols.Pending`."""

    __slots__ = ("_batch", "_lane", "_pool", "_started", "_until")

    def __init__(self, pool: Reads, lane: Lane, batch: Batch, started: float, until: float | None) -> None:
        self._pool, self._lane, self._batch, self._started, self._until = pool, lane, batch, started, until

    def replies(self) -> Sequence[Any]:
        """Read the replies, and put the lane back."""
        return self._pool.finish(self._lane, self._batch, self._started, self._until)

    def abandon(self) -> None:
        """Drop the lane, as nobody is going to read."""
        self._pool.discard(self._lane)
