"""Calls of one event loop on a pool of the user's, and what becomes of the pool where one of them was struck."""

import asyncio
from typing import Any

from dvcache.pools.custom.generations import Generation
from dvcache.pools.custom.idle import end, end_all, end_lost, uncount


class Call:
    """The state of a call, and whether its caller is gone.

    Args:
        made: the pool.
    """

    __slots__ = ("connection", "has_exchanged", "is_abandoned", "is_exchanging", "is_taking", "made", "owes")

    def __init__(self, made: Generation) -> None:
        self.made = made
        self.connection: Any = None
        self.is_abandoned = self.is_taking = self.is_exchanging = self.has_exchanged = False
        self.owes = False
        """Whether the pool counts a connection in use that was not given back."""


class Calls:
    """The calls that run, by their tasks. An exception at any instruction of the others' code loses none.

    A task that ended without giving its connection back was struck by an exception at an unlucky instruction: the
    user's pool may count that connection for ever, and is retired.

    Args:
        is_borrowed: whether the pool is a caller's own, whose connections others may use.
    """

    def __init__(self, *, is_borrowed: bool) -> None:
        self.is_borrowed = is_borrowed
        self.leaving: list[Generation] = []
        """Pools that were retired, until no call uses them."""
        self._running: dict[asyncio.Task[Any], Call] = {}

    def __len__(self) -> int:
        return len(self._running)

    def add(self, task: asyncio.Task[Any], call: Call) -> None:
        """Count a call."""
        self._running[task] = call

    def settle(self, current: Any, *tasks: asyncio.Task[Any]) -> None:
        """Take calls that are over off the count. May be repeated.

        Args:
            current: the pool in use.
            tasks: of the calls; by default of all that are over, as an exception may have ended their callbacks.
        """
        for task in tasks or [task for task in self._running if task.done()]:
            if (call := self._running.get(task)) is None:
                continue
            if call.owes:
                self._lose(call)
            self._running.pop(task, None)
        if self.leaving:
            self._leave(current)

    def _lose(self, call: Call) -> None:
        """Retire the pool of a call that has not given its connection back."""
        call.made.retired = True
        if call.made not in self.leaving:
            self.leaving.append(call.made)
        if call.connection is not None:
            end(call.connection)
            uncount(call.made.pool, call.connection)

    def _leave(self, current: Any) -> None:
        """End what is left of pools that were retired, once no call uses them."""
        used = {id(call.made.pool) for call in self._running.values()}
        for made in self.leaving.copy():
            if id(made.pool) in used:
                continue
            if not self.is_borrowed:
                end_lost(made.pool)
                if made.pool is not current:
                    end_all(made.pool)
            self.leaving.remove(made)
