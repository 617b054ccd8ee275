"""Warn about blocking calls: a sync call inside a running event loop stops every task of that loop."""

import asyncio
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from dvcache.protocols import Client
from dvcache.types import Batch

_CALLER: Final = 4
"""Stack level of the code that called the cache's method: above it are the client, the driver and the method."""


@dataclass(frozen=True, slots=True)
class WarnsInLoops:
    """A client that warns if its thread runs an event loop: a RuntimeWarning, once per call site.

    Args:
        client: the client that runs the batches.
        place: the name of the cache, for the warning.
    """

    client: Client
    place: str

    @property
    def primary(self) -> "WarnsInLoops":
        """The client that reads the latest write."""
        return WarnsInLoops(getattr(self.client, "primary", self.client), self.place)

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`)."""
        if _runs_here():
            message = f"{self.place}: {batch[0][0]!s} blocks a running event loop; await the asynchronous method"
            warnings.warn(message, RuntimeWarning, stacklevel=_CALLER)
        return self.client.execute(batch, until)

    def close(self) -> None:
        """End every connection."""
        self.client.close()


def _runs_here() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
