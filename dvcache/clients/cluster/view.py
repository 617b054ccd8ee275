"""The slot table: the owner of each slot, and the client that reads for each primary."""

from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from dvcache.slots import SLOTS


class Closable(Protocol):
    """A pool of either mode."""

    def close(self) -> None:
        """End every connection."""
        ...


C = TypeVar("C", bound=Closable)

_MARKS: Final = 2**32

ANEW: Final = 2 * SLOTS
"""Cursor of a scan that starts again; it matches no slot table's mark."""


@dataclass(frozen=True, slots=True, eq=False)
class View(Generic[C]):
    """The slot table as of one reply to CLUSTER SLOTS."""

    owners: list[C | None]
    """Owner of each slot. Updated in place on MOVED."""
    primaries: dict[C, int]
    """Primaries in the order of their addresses, with the first slot of each."""
    readers: dict[C, C]
    """Read client of each primary that has replicas; empty if replicas are not read."""
    mark: int
    """An odd 32-bit number that identifies this set of primaries."""

    def cursor(self, within: int, position: int) -> int:
        """Return the cursor that continues a scan at one primary.

        The number may be long: it is a Python int and is never sent to a server.

        Args:
            within: the primary's own cursor.
            position: the primary's position in `primaries`.
        """
        return (within * _MARKS + self.mark) * SLOTS + position

    def place(self, cursor: int) -> tuple[int, int]:
        """Return the `(within, position)` of a cursor, or (0, 0) if it was made for another set of primaries."""
        rest, position = divmod(cursor, SLOTS)
        within, mark = divmod(rest, _MARKS)
        return (within, position) if mark == self.mark and position < len(self.primaries) else (0, 0)
