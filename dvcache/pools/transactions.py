"""Run transactions on a connection of their own, sync and async."""

from collections.abc import Awaitable, Callable
from typing import Any

from dvcache.effects import Transaction
from dvcache.types import Batch


def transact(batch: Transaction, exchange: Callable[[Batch], list[Any]]) -> list[Any]:
    """Run a transaction by exchanging batches, and return its replies."""
    steps = batch.steps()
    part = next(steps)
    while True:
        replies = exchange(part)
        try:
            part = steps.send(replies)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # StopIteration.value is Any


async def atransact(batch: Transaction, exchange: Callable[[Batch], Awaitable[list[Any]]]) -> list[Any]:
    """Run a transaction as `transact` does."""
    steps = batch.steps()
    part = next(steps)
    while True:
        replies = await exchange(part)
        try:
            part = steps.send(replies)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # as above
