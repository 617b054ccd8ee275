"""A batch written to a blocking connection, whose replies are read later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from dvcache.types import Batch

H = TypeVar("H")


class Reads(Protocol[H]):
    """The pool of the connection. Called by `WrittenBatch`, from the thread that wrote."""

    def finish(self, written: "WrittenBatch[H]", /) -> Sequence[Any]:
        """Read the replies, and return the connection to the pool."""
        ...

    def abandon(self, written: "WrittenBatch[H]", /) -> None:
        """Close the connection, since its replies are not read."""
        ...


@dataclass(slots=True)
class WrittenBatch(Generic[H]):
    """A written batch whose replies are still to be read: `protocols.Pending`."""

    pool: Reads[H]
    holder: H
    """The connection, or the use of one."""
    batch: Batch
    began: float
    """Start of the attempt, for the circuit breaker."""
    started: float
    """Start of the wait for replies."""
    until: float | None

    def replies(self) -> Sequence[Any]:
        """Read the replies, and return the connection to the pool."""
        return self.pool.finish(self)

    def abandon(self) -> None:
        """Close the connection, since its replies are not read."""
        self.pool.abandon(self)
