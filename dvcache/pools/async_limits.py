"""Time limits of a multiplexed connection: waiting callers, their deadlines, and the failure of all of them.

The connection ends if the server is silent for the socket timeout: it sends no byte, and the system takes none from us.
A deadline ends the wait of one caller; its reply is dropped when it arrives.

Signal safety: an exception can end a callback of the event loop at any instruction (from a signal handler, or a
MemoryError). Therefore an entry leaves its queue only after its future is resolved, each timer has a backup, and
failing the connection may be repeated.
"""

import asyncio
import copy
from collections import deque
from contextvars import Context
from math import inf
from time import monotonic
from typing import Any, Final, TypeAlias

from dvcache.errors import ConnectionLost, PoolExhausted, ReplyTimeout, TransportError
from dvcache.pools.takeover import is_readable, unsent
from dvcache.types import Batch, Endpoint

STAND_IN: Final = 0.02
"""Seconds between a timer and its backup."""

TICK: Final = 0.02
"""Seconds between checks of the bytes that are still to be written."""

GLANCE: Final = 0.005
"""Seconds for the loop to read data that has arrived, before a wait is ended."""

GLANCES: Final = 4
"""Maximum number of these delays in a row."""


Entry: TypeAlias = tuple[asyncio.Future[list[Any]], float, Batch, bytes, float]
"""A batch: the future of its replies, its deadline, its commands, their bytes, and the time of writing."""


class Limits:
    """Timers and queues of one connection. Every method must be called on the loop that opened it."""

    __slots__ = (
        "_context",
        "_drained",
        "_due",
        "_endpoint",
        "_error",
        "_glances",
        "_heard",
        "_out",
        "_patience",
        "_pending",
        "_since",
        "_timers",
        "_transport",
        "_waiting",
        "_written",
        "loop",
        "unusable",
    )

    def __init__(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop) -> None:
        self._endpoint, self.loop = endpoint, loop
        self._patience = 1.0 if endpoint.timeout is None else endpoint.timeout
        # Each entry starts with the future and the deadline.
        self._pending: deque[Entry] = deque()
        self._out: deque[Entry] = deque()
        self._waiting: deque[tuple[asyncio.Future[list[Any]], float, Batch]] = deque()
        self._since = self._heard = monotonic()
        self._written = self._drained = 0
        self._context = Context()  # timers live long, and would keep the objects in a caller's context alive
        self._timers: tuple[asyncio.TimerHandle, ...] = ()
        self._due = inf
        self._glances = 0
        self._error: TransportError | None = None
        self._transport: Any = None
        self.unusable = False
        """True if a callback is running or was interrupted by an exception, or the connection has ended."""

    def _watch(self, due: float) -> None:
        """Schedule a check at a time, and a backup in case an exception ends the first one."""
        self._due = inf
        at, old = self.loop.time() + due - monotonic(), self._timers
        self._timers = (
            self.loop.call_at(at + STAND_IN, self._look, context=self._context),
            self.loop.call_at(at, self._look, context=self._context),
        )
        self._due = due
        for timer in old:
            timer.cancel()

    def _look(self) -> None:
        """End the connection after too long a silence; fail overdue entries; schedule the next check."""
        if self.unusable:
            self._interrupted()
            return
        now = monotonic()
        silent = self._silent_at(now)
        due = min(silent, min((entry[1] for queue in self._queues for entry in queue), default=inf))
        if due > now:
            self._glances = 0
        elif self._glances == 0 or (self._glances < GLANCES and is_readable(self._transport)):
            self._glances += 1  # read what has arrived in time first: the loop may have been blocked
            due = now + GLANCE
        elif silent <= now:
            self._fail(ReplyTimeout(f"no answer within {self._patience:g} s", **self._where))
            return
        else:
            due = min(silent, self._expire(now))
        if due < inf:
            self._watch(min(due, now + TICK) if unsent(self._transport) else due)
        else:
            self._due = inf

    def _silent_at(self, now: float) -> float:
        """Return the time at which the server's silence becomes too long."""
        if self._out and self._since + self._patience <= now:
            return self._since + self._patience  # it was never written: an exception has ended the callback
        if self._endpoint.timeout is None or not self._pending:
            return now + self._patience if any(self._queues) else inf
        if left := unsent(self._transport):
            drained = self._written - left
            if drained != self._drained:
                self._drained, self._heard = drained, now
        return max(self._heard, self._pending[0][4]) + self._patience

    def _expire(self, now: float) -> float:
        """Fail the entries whose deadline has passed, but keep them queued; return the next deadline."""
        due = inf
        for queue in self._queues:
            for future, deadline, *_ in queue:  # replies arrive in order, so an expired entry keeps its position
                if future.done():
                    continue
                if deadline > now:
                    due = min(due, deadline)
                elif queue is self._waiting:
                    message = "too many bytes were in flight; the deadline has passed"
                    future.set_exception(PoolExhausted(message, **self._where))
                else:
                    future.set_exception(ReplyTimeout("no answer; the deadline has passed", **self._where))
        return due

    @property
    def _queues(self) -> tuple[deque[Any], ...]:
        return self._pending, self._out, self._waiting

    @property
    def _where(self) -> dict[str, str]:
        return {"alias": self._endpoint.alias, "endpoint": self._endpoint.name}

    def pause_writing(self) -> None:
        """Check from now on whether the unwritten bytes decrease. Called by the transport."""
        if self._transport is not None:
            self._drained = self._written - unsent(self._transport)
        if monotonic() + TICK < self._due:
            self._watch(monotonic() + TICK)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail every batch without replies. Called by the transport."""
        self._end(str(exc or "the server closed the connection"))

    def _interrupted(self) -> None:
        self._end("an exception has interrupted the event loop")

    def _end(self, reason: str) -> None:
        self._fail(ConnectionLost(f"connection lost: {reason}", **self._where))

    def _fail(self, error: TransportError) -> None:
        """End the connection and fail all unanswered batches. Repeatable: timers call it until it completes."""
        self.unusable = True
        self._error = error = self._error or error
        if self._transport is not None:
            self._transport.abort()
        for queue in self._queues:
            while queue:
                future = queue[0][0]
                if not future.done():
                    future.set_exception(copy.copy(error))  # a copy each: raising extends an error's traceback
                queue.popleft()
        for timer in self._timers:
            timer.cancel()
