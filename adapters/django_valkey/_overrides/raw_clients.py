"""Run batches on the valkey-py clients that a project's own `get_client` returns."""

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from asgiref.sync import sync_to_async

from django_valkey._methods import client_argument
from dvcache.routing.commands import only_reads
from dvcache.types import Batch, Mode

_POOLS: Final[weakref.WeakKeyDictionary[Any, Any]] = weakref.WeakKeyDictionary()
"""Pool that runs batches, by the pool of the valkey-py client."""


def _pool(raw: Any, mode: Mode, alias: str) -> Any:
    found = getattr(raw, "connection_pool", None)
    if found is None or found not in _POOLS:
        made = client_argument.pool(raw, mode, alias)
        _POOLS[found] = made
    return _POOLS[found]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Runs batches on the client that a sync client class chooses. Implements `protocols.Client`."""

    cache: Any
    alias: str
    writes: bool = False
    """True if reads go to the primary, too."""

    @property
    def primary(self) -> "Chosen":
        """The client for reads from the primary."""
        return replace(self, writes=True)

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch; see `protocols.Client`."""
        raw = self.cache.client._get_client(write=self.writes or not only_reads(batch))  # noqa: SLF001  # as the client's own methods do
        found: Sequence[Any] = _pool(raw, "sync", self.alias).execute(batch, until)
        return found

    def close(self) -> None:
        """Do nothing: the connections belong to the project."""


@dataclass(frozen=True, slots=True)
class ThreadedChosen:
    """Runs batches of async code in a thread, on the client of a sync class. Implements `protocols.AsyncClient`."""

    chosen: Chosen

    @property
    def primary(self) -> "ThreadedChosen":
        """The client for reads from the primary."""
        return ThreadedChosen(self.chosen.primary)

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch; see `protocols.AsyncClient`."""
        return await sync_to_async(self.chosen.execute)(batch, until)

    def close(self) -> None:
        """Do nothing: the connections belong to the project."""


@dataclass(frozen=True, slots=True)
class AsyncChosen:
    """Runs batches on the client that an async client class chooses. Implements `protocols.AsyncClient`."""

    cache: Any
    alias: str
    writes: bool = False
    """See `Chosen`."""

    @property
    def primary(self) -> "AsyncChosen":
        """The client for reads from the primary."""
        return replace(self, writes=True)

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch; see `protocols.AsyncClient`."""
        write = self.writes or not only_reads(batch)
        raw = await self.cache.client._get_client(write=write)  # noqa: SLF001  # as the client's own methods do
        found: Sequence[Any] = await _pool(raw, "async", self.alias).execute(batch, until)
        return found

    def close(self) -> None:
        """Do nothing: the connections belong to the project."""
