"""Pools that record the deadline of each batch."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from dvcache.types import Batch


class Recording:
    """A client that records the deadline of each batch, and answers or raises."""

    def __init__(self, outcome: Any = (b"v",)) -> None:
        self.outcome = outcome
        self.until: list[float | None] = []

    def execute(self, _: Batch, until: float | None = None, /) -> Sequence[Any]:
        self.until.append(until)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return list(self.outcome)

    def close(self) -> None:
        pass


class AsyncRecording(Recording):
    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:  # type: ignore[override]  # async
        return super().execute(batch, until)


def result(value: Any) -> Any:
    """Return a value; await it first if it is a coroutine."""

    async def awaited() -> Any:
        return await value

    return asyncio.run(awaited()) if asyncio.iscoroutine(value) else value


def ends(until: float | None, seconds: float) -> bool:
    """Return True if a deadline of so many seconds was set a moment ago."""
    return until is not None and 0 <= time.monotonic() + seconds - until < 60
