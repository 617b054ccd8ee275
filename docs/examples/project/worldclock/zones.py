"""The slow part: for every zone of the `tzdata` package, the present offset and its next change.

A zone's data says nothing about "next", so the change is searched for: day by day, then by halving. That is some
hundred thousand conversions, about half a second of work; the page is worth caching.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import NamedTuple
from zoneinfo import ZoneInfo

AHEAD = 730
"""Days to search for the next change."""


class Zone(NamedTuple):
    """One row of the table."""

    name: str
    offset: timedelta
    summer: bool
    changes_at: datetime | None


def names() -> list[str]:
    """Return the names of all zones."""
    return files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()


def regions() -> list[tuple[str, int]]:
    """Return the regions with the number of their zones, the largest first."""
    return Counter(name.partition("/")[0] for name in names() if "/" in name).most_common()


def table() -> list[Zone]:
    """Return every zone as it is now."""
    return list(_rows(names(), datetime.now(UTC)))


def _rows(zones: Iterable[str], now: datetime) -> Iterator[Zone]:
    for name in zones:
        zone = ZoneInfo(name)
        local = now.astimezone(zone)
        yield Zone(name, local.utcoffset() or timedelta(), bool(local.dst()), _next_change(zone, now))


def _next_change(zone: ZoneInfo, now: datetime) -> datetime | None:
    offset = now.astimezone(zone).utcoffset()
    for day in range(1, AHEAD + 1):
        later = now + timedelta(days=day)
        if later.astimezone(zone).utcoffset() != offset:
            return _halved(zone, offset, later - timedelta(days=1), later)
    return None


def _halved(zone: ZoneInfo, offset: timedelta | None, before: datetime, after: datetime) -> datetime:
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
