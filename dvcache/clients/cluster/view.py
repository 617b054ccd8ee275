"""The cluster as it was told: whose each slot is, and who is read."""

from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from dvcache.slots import SLOTS


class Closable(Protocol):
    """A pool, whatever its colour."""

    def close(self) -> None:
        """End every connection."""
        ...


C = TypeVar("C", bound=Closable)

_MARKS: Final = 2**32

ANEW: Final = 2 * SLOTS
"""The cursor of a scan that begins anew: no view has its mark."""


@dataclass(frozen=True, slots=True, eq=False)
class View(Generic[C]):
    """The cluster as it was told at one time."""

    owners: list[C | None]
    """Whose each slot is. Changed in place as single slots move."""
    primaries: dict[C, int]
    """Who has slots, in the order of their addresses, with the first slot of each."""
    readers: dict[C, C]
    """Who is read in place of each primary that has replicas; empty where they are left alone."""
    mark: int
    """An odd number of 32 bits that tells these primaries from others."""

    def cursor(self, within: int, position: int) -> int:
        """Return where a scan goes on: at the primary of a position, there at a cursor of its own.

        Many digits are no matter: it is a Python int, and never shown to a server.
        """
        return (within * _MARKS + self.mark) * SLOTS + position

    def place(self, cursor: int) -> tuple[int, int]:
        """Return what `cursor` was made of; the beginning where others were primaries, to whose keys it leads."""
        rest, position = divmod(cursor, SLOTS)
        within, mark = divmod(rest, _MARKS)
        return (within, position) if mark == self.mark and position < len(self.primaries) else (0, 0)
