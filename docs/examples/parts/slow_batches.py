"""A client that wraps another one, and logs the batches that took long."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dvcache import AsyncClient, Client, Container, Settings
from dvcache.types import Batch

logger = logging.getLogger(__name__)


@contextmanager
def timed(batch: Batch, limit: float) -> Iterator[None]:
    """Log a batch that takes more than `limit` seconds: its commands, not their keys and values."""
    started = time.monotonic()
    try:
        yield
    finally:
        if (seconds := time.monotonic() - started) > limit:
            logger.warning("%s took %.3f s", " ".join(str(command[0]) for command in batch), seconds)


class SlowBatches:
    """Logs slow batches of a client.

    Args:
        client: runs the batches.
        limit: seconds; a batch that takes longer is logged.
    """

    def __init__(self, client: Client, limit: float = 0.1) -> None:
        self._client, self._limit = client, limit

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch; arguments and errors are those of the client."""
        with timed(batch, self._limit):
            return self._client.execute(batch, until)

    def close(self) -> None:
        """Close the client."""
        self._client.close()


class AsyncSlowBatches:
    """As `SlowBatches`, for event loops."""

    def __init__(self, client: AsyncClient, limit: float = 0.1) -> None:
        self._client, self._limit = client, limit

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch; arguments and errors are those of the client."""
        with timed(batch, self._limit):
            return await self._client.execute(batch, until)

    def close(self) -> None:
        """Close the client."""
        self._client.close()


if __name__ == "__main__":
    logging.basicConfig()
    settings = Settings.parse({"LOCATION": "memory://slow"})
    with (
        Container(settings) as plain,
        Container(settings, client=SlowBatches(plain.client(), limit=0)) as container,
    ):
        container.cache().set("a", 1)
