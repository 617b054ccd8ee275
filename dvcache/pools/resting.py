"""Looks at lanes from outside: those that ended at rest, and those whose reply is overdue."""

import math
from collections import deque
from collections.abc import Iterable

from dvcache.pools import watchdog
from dvcache.pools.lane import Lane
from dvcache.pools.readiness import readable


def take_ended(free: deque[Lane], before: float) -> list[Lane]:
    """Take out those of the free lanes that have ended, or hold what nobody asked for.

    Args:
        free: the lanes at rest; other threads take and put back meanwhile.
        before: looks only at lanes that were not used since then.
    """
    resting = [lane for lane in free.copy() if lane.used < before]
    polled = {lane.descriptor: lane for lane in resting if not lane.is_cooperative}
    polled.pop(-1, None)
    readables = readable(polled) if polled else ()
    ended = []
    for lane in [polled[each] for each in readables] + [lane for lane in resting if lane.is_cooperative]:
        try:
            free.remove(lane)
        except ValueError:  # somebody has taken it
            continue
        if lane.is_cooperative and not lane.is_dead():
            free.appendleft(lane)
        else:
            ended.append(lane)
    return ended


def expire_overdue(lanes: Iterable[Lane], now: float, timeout: float | None) -> float:
    """End the waits for a first byte that are overdue; return when the next one may be."""
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
