"""The idle connections of the sync pool, and their checks: before use, and by the watchdog's thread."""

import math
from collections import deque
from collections.abc import Iterable
from typing import Final

from dvcache.pools import watchdog
from dvcache.pools.capacity import Living, Waiting
from dvcache.pools.socket_state import readable
from dvcache.pools.sync_connection import SyncConnection
from dvcache.process.fork import renewed_after_fork
from dvcache.types import Endpoint

CHECK_AFTER: Final = 0.001
"""Seconds of idling after which a connection is checked before use: it may be closed, or hold unexpected data."""
SWEEP: Final = 2.0
"""Seconds between checks of the idle connections: the server or a load balancer may have closed them."""


class IdleConnections:
    """The connections of a sync pool, of which idle ones lie on a stack.

    Args:
        endpoint: the server.
    """

    __slots__ = ("__weakref__", "_endpoint", "_free", "_living", "_swept", "_waiters", "_waiting")

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Start without connections: those in a forked child belong to the parent."""
        self._free: deque[SyncConnection] = deque()
        self._living: Living[SyncConnection] = Living()
        self._waiting = Waiting()
        self._waiters = self._waiting.waiters
        self._swept = 0.0

    def _checked(self, connection: SyncConnection | None, started: float) -> SyncConnection | None:
        """Return the connection or another idle one that is still open; None if there is none."""
        while connection is not None:
            if not (connection.retired or connection.is_dead()):
                if started - self._swept > SWEEP and self._free:
                    self._sweep(started)
                return connection
            self.discard(connection)
            if connection.silent:
                self._drop_free(before=started)  # unresponsive: treat it as a timeout
            else:
                self._sweep(started)  # the server may have closed other connections too
            try:
                connection = self._free.pop()
            except IndexError:
                return None
        return None

    def discard(self, connection: SyncConnection) -> None:
        """Close a connection that was taken, whatever its state."""
        connection.lost = True
        connection.drop()
        if self._waiters:
            self._waiting.wake()

    def _drop_free(self, before: float = float("inf")) -> None:
        """Close the idle connections that were last used before a time."""
        kept = []
        try:
            while True:
                connection = self._free.pop()
                if connection.used < before:
                    self.discard(connection)
                else:
                    kept.append(connection)
        except IndexError:
            self._free.extend(reversed(kept))

    def look(self, now: float, /) -> float | None:
        """Interrupt overdue waits and close idle connections that have ended (see `watchdog.Watched`)."""
        alive = self._living.alive()
        if not alive:
            return None
        again = self._swept + SWEEP
        if now >= again:
            self._sweep(now)
            again = now + SWEEP
        return min(again, _expire_overdue(alive, now, self._endpoint.timeout))

    def _sweep(self, now: float) -> None:
        """Close the idle connections that have ended or hold unexpected data."""
        self._swept = now
        for connection in _take_ended(self._free, now - CHECK_AFTER):
            self.discard(connection)


def _take_ended(free: deque[SyncConnection], before: float) -> list[SyncConnection]:
    """Remove and return idle connections that have ended or hold unexpected data.

    Args:
        free: the idle connections; other threads take and return some concurrently.
        before: only connections last used before this time are checked.
    """
    resting = [connection for connection in free.copy() if connection.used < before]
    polled = {connection.descriptor: connection for connection in resting if not connection.is_cooperative}
    polled.pop(-1, None)
    readables = readable(polled) if polled else ()
    ended = []
    for connection in [polled[each] for each in readables] + [
        connection for connection in resting if connection.is_cooperative
    ]:
        try:
            free.remove(connection)
        except ValueError:  # another thread has taken it
            continue
        if connection.is_cooperative and not connection.is_dead():
            free.appendleft(connection)
        else:
            ended.append(connection)
    return ended


def _expire_overdue(connections: Iterable[SyncConnection], now: float, timeout: float | None) -> float:
    """Interrupt the overdue waits for a first byte; return the time of the next one."""
    if timeout is None:
        return math.inf
    again = now + timeout
    for connection in connections:
        if since := connection.since:
            due = since + timeout + watchdog.GRACE
            if due <= now:
                connection.overdue = since
                connection.interrupt()
            else:
                again = min(again, due)
    return again
