"""The cluster as it was told: whose each slot is, and who is read."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """A pool, whatever its colour."""

    def close(self) -> None:
        """End every connection."""
        ...


C = TypeVar("C", bound=Closable)


@dataclass(frozen=True, slots=True, eq=False)
class View(Generic[C]):
    """The cluster as it was told at one time."""

    owners: list[C | None]
    """Whose each slot is. Changed in place as single slots move."""
    primaries: dict[C, int]
    """Who has slots, in the order of their addresses, with the first slot of each."""
    readers: dict[C, C]
    """Who is read in place of each primary that has replicas; empty where they are left alone."""
