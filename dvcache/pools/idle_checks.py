"""Check connections of the sync pool from other threads: idle ones that have ended, waits that are overdue."""

import math
from collections import deque
from collections.abc import Iterable

from dvcache.pools import watchdog
from dvcache.pools.socket_state import readable
from dvcache.pools.sync_connection import SyncConnection


def take_ended(free: deque[SyncConnection], before: float) -> list[SyncConnection]:
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


def expire_overdue(connections: Iterable[SyncConnection], now: float, timeout: float | None) -> float:
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
