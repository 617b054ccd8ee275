"""One server: batches go to its pool, and once more when the connection was lost and that is safe, or it has moved."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from dvcache.clients.commands import is_repeatable
from dvcache.clients.moves import Moves, refused_part
from dvcache.errors import ConnectionLost, ReadOnlyError, TransportError
from dvcache.protocols import AsyncClient, Client
from dvcache.types import Batch


@dataclass(frozen=True, slots=True)
class Standalone:
    """The client of one server."""

    pool: Client
    moves: Moves = field(default_factory=Moves, compare=False)
    seconds: float | None = None
    """The limit of a batch that comes without a deadline; None: no limit. A client around this one would cost 1 %."""

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        if until is None and self.seconds is not None:
            until = monotonic() + self.seconds
        try:
            replies = self.pool.execute(batch, until)
        except ConnectionLost:
            if not is_repeatable(batch):
                raise
            replies = self.pool.execute(batch, until)
        if (len(replies) != 1 or type(replies[0]) is ReadOnlyError) and self.moves.is_due_after(replies):
            return self._moved(batch, replies, until)
        return replies

    def _moved(self, batch: Batch, replies: Sequence[Any], until: float | None) -> Sequence[Any]:
        """Connect anew, and repeat the commands that were refused."""
        retire = getattr(self.pool, "retire", None)
        if retire is None:
            return replies
        if self.moves.is_news():
            retire()
            self.moves.ended()
        try:
            again = self.pool.execute(refused_part(batch, replies), until)
        except TransportError:
            return replies
        return self.moves.repeated(batch, replies, again)

    def close(self) -> None:
        """End every connection."""
        self.pool.close()


@dataclass(frozen=True, slots=True)
class AsyncStandalone:
    """The asynchronous client of one server."""

    pool: AsyncClient
    moves: Moves = field(default_factory=Moves, compare=False)
    seconds: float | None = None
    """As of `Standalone`."""
    _begin: Callable[[Batch, float | None], "asyncio.Future[list[Any]] | None"] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_begin", getattr(self.pool, "begin", _never))

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.AsyncClient` says."""
        if until is None and self.seconds is not None:
            until = monotonic() + self.seconds
        try:
            written = self._begin(batch, until)
            # The pool's own coroutine is left out where it can be: it costs 1 %.
            replies: Sequence[Any] = await (self.pool.execute(batch, until) if written is None else written)
        except ConnectionLost:
            if not is_repeatable(batch):
                raise
            replies = await self.pool.execute(batch, until)
        if (len(replies) != 1 or type(replies[0]) is ReadOnlyError) and self.moves.is_due_after(replies):
            return await self._moved(batch, replies, until)
        return replies

    async def _moved(self, batch: Batch, replies: Sequence[Any], until: float | None) -> Sequence[Any]:
        """Connect anew, and repeat the commands that were refused."""
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
    """Begin nothing."""
