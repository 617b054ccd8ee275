"""An in-memory server that is a cluster of its own: it owns every slot."""

from collections.abc import Sequence
from typing import Final, Protocol

from dvcache.errors import reply_error
from dvcache.types import Address

LAST: Final = 16383
"""The last slot."""

_ACCEPTED: Final = frozenset({b"READONLY", b"READWRITE", b"ASKING"})


class Store(Protocol):
    """What performs commands. Called by in-memory pools, from any thread."""

    def execute(self, database: int, command: Sequence[bytes], /) -> object:
        """Perform one command on a numbered database; return its reply, or the server's error."""
        ...


class SoleNode:
    """A node that owns all slots.

    Args:
        store: what it holds.
        address: where it says that it is.
    """

    def __init__(self, store: Store, address: Address) -> None:
        self._store, self._address = store, address

    def execute(self, database: int, command: Sequence[bytes], /) -> object:
        """Perform one command, as `Store.execute`."""
        name = command[0].upper()
        if name == b"CLUSTER":
            return self.cluster(command[1:])
        return b"OK" if name in _ACCEPTED else self._store.execute(database, command)

    def cluster(self, args: Sequence[bytes]) -> object:
        """CLUSTER SLOTS."""
        if [arg.upper() for arg in args] != [b"SLOTS"]:
            return reply_error("ERR an in-memory node knows of CLUSTER only SLOTS")
        return self.ranges()

    def ranges(self) -> list[object]:
        """Return the ranges of slots, each with its node."""
        return [described(0, LAST, self._address)]


def described(first: int, last: int, address: Address) -> list[object]:
    """Return a range of slots as CLUSTER SLOTS describes it."""
    host, port = address
    return [first, last, [host.encode(), port, b"%040d" % port, []]]
