"""Consistent hashing: which of several independent servers holds a key.

Every server has 128 places on a ring of SHA-256 digests, and a key belongs to the last place before its own digest, so
that a server more or less moves only the keys of its places (Karger et al., STOC 1997). The places are those of
django-valkey and django-redis: what their shard clients stored is found.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

PLACES: Final = 128
"""How many places each server has on the ring."""

_TAG: Final = re.compile(rb".*\{(.*)\}")


@dataclass(frozen=True, slots=True)
class Ring:
    """The servers by their names, which are their URLs in LOCATION; the order of the names means nothing.

    The names hold passwords, and stay out of `repr`.
    """

    names: Sequence[str] = field(repr=False)
    places: int = PLACES
    digests: tuple[bytes, ...] = field(init=False, repr=False)
    """Where the places are, in order."""
    holders: tuple[str, ...] = field(init=False, repr=False)
    """Whose the places are."""

    def __post_init__(self) -> None:
        held = {_digest(f"{name}:{n}".encode()): name for name in self.names for n in range(self.places)}
        object.__setattr__(self, "digests", tuple(sorted(held)))
        object.__setattr__(self, "holders", tuple(held[digest] for digest in self.digests))

    def place_of(self, name: bytes) -> int:
        """Return the place that a name belongs to: -1, the last one, for what lies before the first."""
        return bisect_right(self.digests, _digest(name)) - 1

    def owner(self, key: bytes) -> str:
        """Return the name of the server that holds a stored key."""
        return self.holders[self.place_of(tagged(key))]


def tagged(key: bytes) -> bytes:
    """Return the part of a stored key that decides where it lies: what is in its last braces, or all of it.

    Cluster looks at the first pair of braces; a key with one pair lies with its like under both.
    """
    found = _TAG.match(key)
    return key if found is None else found[1]


def _digest(data: bytes) -> bytes:
    return sha256(data, usedforsecurity=False).digest()
