"""Calls of one event loop on a user's pool: count them, and retire the pool after an interrupted one."""

import asyncio
from typing import Any

from dvcache.pools.custom.generations import Generation
from dvcache.pools.custom.idle import end, end_all, end_lost, uncount


class PoolCall:
    """The state of a call.

    Args:
        made: the generation of the user's pool.
    """

    __slots__ = ("connection", "has_exchanged", "is_abandoned", "is_exchanging", "is_taking", "made", "owes")

    def __init__(self, made: Generation) -> None:
        self.made = made
        self.connection: Any = None
        self.is_abandoned = self.is_taking = self.is_exchanging = self.has_exchanged = False
        self.owes = False
        """True if the pool counts a connection of this call as in use."""


class Calls:
    """The running calls, by task. An exception at any instruction leaks no place.

    A task that ended without releasing its connection was interrupted by such an exception. The user's pool may count
    that connection as in use forever, so the pool is retired.

    Args:
        is_borrowed: True if the pool belongs to the caller of an operation: other code may use its connections.
    """

    def __init__(self, *, is_borrowed: bool) -> None:
        self.is_borrowed = is_borrowed
        self.leaving: list[Generation] = []
        """Retired pools that calls still use."""
        self._running: dict[asyncio.Task[Any], PoolCall] = {}

    def __len__(self) -> int:
        return len(self._running)

    def add(self, task: asyncio.Task[Any], call: PoolCall) -> None:
        """Count a call."""
        self._running[task] = call

    def settle(self, current: Any, *tasks: asyncio.Task[Any]) -> None:
        """Remove finished calls. May be repeated.

        Args:
            current: the pool in use.
            tasks: the tasks of the calls; by default all that are done, as an exception may have prevented their
                callbacks.
        """
        for task in tasks or [task for task in self._running if task.done()]:
            if (call := self._running.get(task)) is None:
                continue
            # removed last: if an exception interrupts `_lose`, the next `settle` repeats it
            if call.owes:
                self._lose(call)
            self._running.pop(task, None)
        if self.leaving:
            self._leave(current)

    def _lose(self, call: PoolCall) -> None:
        """Retire the pool of a call that did not release its connection."""
        call.made.retired = True
        if call.made not in self.leaving:
            self.leaving.append(call.made)
        if call.connection is not None:
            end(call.connection)
            uncount(call.made.pool, call.connection)

    def _leave(self, current: Any) -> None:
        """Close the remaining connections of retired pools that no call uses."""
        used = {id(call.made.pool) for call in self._running.values()}
        for made in self.leaving.copy():
            if id(made.pool) in used:
                continue
            if not self.is_borrowed:
                end_lost(made.pool)
                if made.pool is not current:
                    end_all(made.pool)
            self.leaving.remove(made)
