"""The names of leases: `<entry>:lease`, with what brings it to its entry where the entries are on several servers."""

from typing import Final

from dvcache.slots import LETTERS, brought_home, slot
from dvcache.types import Placement

SUFFIX: Final = b":lease"

ON_RING: Final = SUFFIX + b"\xff"
"""What ends the name of a lease on a ring of shards, which lies where its entry does.

No tag brings every name home: of braces the last ones count, and a key may have a brace of its own. The byte is none of
UTF-8, so that no key that django-valkey stored ends so.
"""


def lease_of(entry: bytes, placement: Placement) -> bytes:
    """Return the stored key of an entry's lease, which lies where the entry does.

    Args:
        entry: the entry's stored key.
        placement: what says which server holds a key.
    """
    if placement == "ring":
        return entry + ON_RING
    name = entry + SUFFIX
    return brought_home(name, slot(entry)) if placement == "slots" else name


def is_lease(stored: bytes) -> bool:
    """Say whether a stored key is a lease's."""
    if stored.endswith((SUFFIX, ON_RING)):
        return True
    entry, letters = stored[: -len(SUFFIX) - LETTERS], stored[-LETTERS:]
    return stored == entry + SUFFIX + letters and stored == brought_home(entry + SUFFIX, slot(entry))
