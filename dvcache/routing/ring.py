"""Consistent hashing: assign each key to one of several independent servers.

Each server has 128 points on a ring of SHA-256 digests. A key belongs to the last point before its own digest, so
adding or removing a server moves only the keys of its points (Karger et al., STOC 1997). The points are those of the
shard clients of django-valkey and django-redis, so entries that those stored are found.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

PLACES: Final = 128
"""Number of points of each server on the ring."""

_TAG: Final = re.compile(rb".*\{(.*)\}")


@dataclass(frozen=True, slots=True)
class Ring:
    """The ring of servers. A server's name is its URL in LOCATION; the order of the names does not matter.

    The names contain passwords and stay out of `repr`.
    """

    names: Sequence[str] = field(repr=False)
    places: int = PLACES
    digests: tuple[bytes, ...] = field(init=False, repr=False)
    """Sorted digests of the points."""
    holders: tuple[str, ...] = field(init=False, repr=False)
    """Server names, in the order of `digests`."""

    def __post_init__(self) -> None:
        held = {_digest(f"{name}:{n}".encode()): name for name in self.names for n in range(self.places)}
        object.__setattr__(self, "digests", tuple(sorted(held)))
        object.__setattr__(self, "holders", tuple(held[digest] for digest in self.digests))

    def place_of(self, name: bytes) -> int:
        """Return the index of the point that a name belongs to; -1, the last point, if it is before the first."""
        return bisect_right(self.digests, _digest(name)) - 1

    def owner(self, key: bytes) -> str:
        """Return the name of the server that holds a stored key."""
        return self.holders[self.place_of(tagged(key))]


def tagged(key: bytes) -> bytes:
    """Return the part of a stored key that is hashed: the text in its last braces, or all of it.

    Cluster uses the first pair of braces, so keys with one pair are kept together by both.
    """
    found = _TAG.match(key)
    return key if found is None else found[1]


def _digest(data: bytes) -> bytes:
    return sha256(data, usedforsecurity=False).digest()
