"""A client that says where it blocks: a synchronous call stops every task of the event loop that it is made in."""

import asyncio
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from dvcache.protocols import Client
from dvcache.types import Batch

_CALLER: Final = 4
"""Frames from the warning to who called the cache's method: the client, the driver, the method."""


@dataclass(frozen=True, slots=True)
class WarnsInLoops:
    """Warns of calls in a thread whose event loop is running: a RuntimeWarning, once for each place.

    Args:
        client: what runs the batches.
        alias: the alias, for the warning.
    """

    client: Client
    alias: str

    @property
    def primary(self) -> "WarnsInLoops":
        """The client that sees the latest write."""
        return WarnsInLoops(getattr(self.client, "primary", self.client), self.alias)

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        if _runs_here():
            message = (
                f"CACHES[{self.alias!r}]: {batch[0][0]!s} blocks a running event loop; await the asynchronous method"
            )
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
