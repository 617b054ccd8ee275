"""One server: run each batch on its pool, and repeat it once after a lost connection (if safe) or a failover."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from dvcache.clients.primary_moves import PrimaryMoves, refused_part
from dvcache.errors import ConnectionLost, ReadOnlyError, TransportError
from dvcache.protocols import AsyncClient, Client
from dvcache.routing.commands import is_repeatable
from dvcache.types import Batch


@dataclass(frozen=True, slots=True)
class Standalone:
    """The client of one server."""

    pool: Client
    moves: PrimaryMoves = field(default_factory=PrimaryMoves, compare=False)
    seconds: float | None = None
    """Seconds for a batch without a deadline; None sets no limit. A wrapping client would cost 1 %."""

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`)."""
        if until is None and self.seconds is not None:
            until = monotonic() + self.seconds
        try:
            replies = self.pool.execute(batch, until)
        except ConnectionLost:
            if not is_repeatable(batch):
                raise
            replies = self.pool.execute(batch, until)
        # A single reply is the common case and is checked here, without a call.
        if (len(replies) != 1 or type(replies[0]) is ReadOnlyError) and self.moves.is_due_after(replies):
            return self._moved(batch, replies, until)
        return replies

    def _moved(self, batch: Batch, replies: Sequence[Any], until: float | None) -> Sequence[Any]:
        """Connect again and repeat the commands that were refused with READONLY."""
        retire = getattr(self.pool, "retire", None)
        if retire is None:
            return replies
        if self.moves.is_news():
            retire()
            self.moves.ended()
        try:
            again = self.pool.execute(refused_part(batch, replies), until)
        except TransportError:  # the refusal is the better answer: it proves that nothing was performed
            return replies
        return self.moves.repeated(batch, replies, again)

    def close(self) -> None:
        """End every connection."""
        self.pool.close()


@dataclass(frozen=True, slots=True)
class AsyncStandalone:
    """The asynchronous client of one server."""

    pool: AsyncClient
    moves: PrimaryMoves = field(default_factory=PrimaryMoves, compare=False)
    seconds: float | None = None
    """See `Standalone.seconds`."""
    _begin: Callable[[Batch, float | None], "asyncio.Future[list[Any]] | None"] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_begin", getattr(self.pool, "begin", _never))

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.AsyncClient`)."""
        if until is None and self.seconds is not None:
            until = monotonic() + self.seconds
        try:
            written = self._begin(batch, until)
            # Awaiting the future directly saves the pool's own coroutine, which costs 1 %.
            replies: Sequence[Any] = await (self.pool.execute(batch, until) if written is None else written)
        except ConnectionLost:
            if not is_repeatable(batch):
                raise
            replies = await self.pool.execute(batch, until)
        if (len(replies) != 1 or type(replies[0]) is ReadOnlyError) and self.moves.is_due_after(replies):
            return await self._moved(batch, replies, until)
        return replies

    async def _moved(self, batch: Batch, replies: Sequence[Any], until: float | None) -> Sequence[Any]:
        """Connect again and repeat the commands that were refused with READONLY."""
        retire = getattr(self.pool, "retire", None)
        if retire is None:
            return replies
        if self.moves.is_news():
            await retire()
            self.moves.ended()
        try:
            again = await self.pool.execute(refused_part(batch, replies), until)
        except TransportError:
            return replies
        return self.moves.repeated(batch, replies, again)

    def close(self) -> None:
        """End every connection."""
        self.pool.close()


def _never(batch: Batch, until: float | None, /) -> None:
    """Return None: the pool has no `begin`."""
