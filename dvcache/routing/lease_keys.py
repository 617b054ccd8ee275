"""Names of leases: `<entry>:lease`, with a suffix that places the lease on its entry's server."""

from typing import Final

from dvcache.routing.slots import LETTERS, placed_in_slot, slot
from dvcache.types import Placement

SUFFIX: Final = b":lease"

ON_RING: Final = SUFFIX + b"\xff"
"""Suffix of lease names on a ring of shards, where a lease is stored on its entry's shard.

A hash tag cannot place every name: the last braces count, and a key may contain a brace. The byte is invalid in UTF-8,
so no key stored by django-valkey ends with it.
"""


def lease_of(entry: bytes, placement: Placement) -> bytes:
    """Return the stored key of an entry's lease, placed on the entry's server.

    Args:
        entry: the entry's stored key.
        placement: how keys are assigned to servers.
    """
    if placement == "ring":
        return entry + ON_RING
    name = entry + SUFFIX
    return placed_in_slot(name, slot(entry)) if placement == "slots" else name


def is_lease(stored: bytes) -> bool:
    """Return True if a stored key is a lease's."""
    if stored.endswith((SUFFIX, ON_RING)):
        return True
    entry, letters = stored[: -len(SUFFIX) - LETTERS], stored[-LETTERS:]
    return stored == entry + SUFFIX + letters and stored == placed_in_slot(entry + SUFFIX, slot(entry))
