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
    resting = [lane for lane in free.copy() if lane.used < before]
    polled = {lane.descriptor: lane for lane in resting if not lane.is_cooperative}
    polled.pop(-1, None)
    readables = readable(polled) if polled else ()
    ended = []
    for lane in [polled[each] for each in readables] + [lane for lane in resting if lane.is_cooperative]:
        try:
            free.remove(lane)
        except ValueError:  # another thread has taken it
            continue
        if lane.is_cooperative and not lane.is_dead():
            free.appendleft(lane)
        else:
            ended.append(lane)
    return ended


def expire_overdue(lanes: Iterable[SyncConnection], now: float, timeout: float | None) -> float:
    """Interrupt the overdue waits for a first byte; return the time of the next one."""
    if timeout is None:
        return math.inf
    again = now + timeout
    for lane in lanes:
        if since := lane.since:
            due = since + timeout + watchdog.GRACE
            if due <= now:
                lane.overdue = since
                lane.interrupt()
            else:
                again = min(again, due)
    return again
