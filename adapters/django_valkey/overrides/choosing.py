"""Batches on the clients of valkey-py's that the project's own `get_client` returns, where a class overrides that."""

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from asgiref.sync import sync_to_async

from django_valkey import borrowed
from dvcache.clients.commands import only_reads
from dvcache.types import Batch, Colour

_POOLS: Final[weakref.WeakKeyDictionary[Any, Any]] = weakref.WeakKeyDictionary()
"""What runs batches on the connections of a client of valkey-py's, by that client's pool."""


def _pool(raw: Any, colour: Colour, alias: str) -> Any:
    found = getattr(raw, "connection_pool", None)
    if found is None or found not in _POOLS:
        made = borrowed.pool(raw, colour, alias)
        _POOLS[found] = made
    return _POOLS[found]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Runs batches on what a client for sync code chooses. A `protocols.Client`."""

    cache: Any
    alias: str
    writes: bool = False
    """Whether reads go where writes go."""

    @property
    def primary(self) -> "Chosen":
        """The client that sees the latest write."""
        return replace(self, writes=True)

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        raw = self.cache.client._get_client(write=self.writes or not only_reads(batch))  # noqa: SLF001  # as its operations
        found: Sequence[Any] = _pool(raw, "sync", self.alias).execute(batch, until)
        return found

    def close(self) -> None:
        """Leave the connections to their owner."""


@dataclass(frozen=True, slots=True)
class ThreadedChosen:
    """Runs batches of async code on what a client for sync code chooses, in a thread. A `protocols.AsyncClient`."""

    chosen: Chosen

    @property
    def primary(self) -> "ThreadedChosen":
        """The client that sees the latest write."""
        return ThreadedChosen(self.chosen.primary)

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.AsyncClient` says."""
        return await sync_to_async(self.chosen.execute)(batch, until)

    def close(self) -> None:
        """Leave the connections to their owner."""


@dataclass(frozen=True, slots=True)
class AsyncChosen:
    """Runs batches on what a client for async code chooses. A `protocols.AsyncClient`."""

    cache: Any
    alias: str
    writes: bool = False
    """As in `Chosen`."""

    @property
    def primary(self) -> "AsyncChosen":
        """The client that sees the latest write."""
        return replace(self, writes=True)

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.AsyncClient` says."""
        write = self.writes or not only_reads(batch)
        raw = await self.cache.client._get_client(write=write)  # noqa: SLF001  # as its operations
        found: Sequence[Any] = await _pool(raw, "async", self.alias).execute(batch, until)
        return found

    def close(self) -> None:
        """Leave the connections to their owner."""
