"""The slot table: the owner of each slot, and the client that reads for each primary."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic

from dvcache.errors import ProtocolError
from dvcache.routing.flow import C
from dvcache.routing.slots import SLOTS, are_ranges
from dvcache.types import Address

_MARKS: Final = 2**32


ANEW: Final = 2 * SLOTS
"""Cursor of a scan that starts again; it matches no slot table's mark."""


@dataclass(frozen=True, slots=True, eq=False)
class SlotTable(Generic[C]):
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


@dataclass(frozen=True, slots=True)
class Range:
    """Contiguous slots, and the nodes that serve them."""

    first: int
    last: int
    primary: Address
    replicas: tuple[Address, ...] = ()


def ranges(reply: Sequence[Any], asked: Address, remap: Callable[[Address], Address] | None = None) -> list[Range]:
    """Return the ranges of a reply to CLUSTER SLOTS, in the order of their slots.

    Args:
        reply: the parsed reply: `[[first, last, [host, port, id, …], …], …]`, the primary before its replicas.
        asked: the node that replied; its host replaces one that is not announced.
        remap: maps an announced address to the address where the node is reached.

    Raises:
        ProtocolError: the reply has another shape, or slots out of range.
    """
    if not are_ranges(reply):
        raise ProtocolError("malformed reply to CLUSTER SLOTS", command="CLUSTER")
    found = []
    for first, last, *nodes in reply:
        primary, *replicas = [_mapped(_address(node, asked), remap) for node in nodes]
        if primary is not None:
            found.append(Range(first, last, primary, tuple(each for each in replicas if each is not None)))
    return sorted(found, key=lambda each: each.first)


def _mapped(address: Address | None, remap: Callable[[Address], Address] | None) -> Address | None:
    return address if address is None or remap is None else remap(address)


def _address(node: Sequence[Any], asked: Address) -> Address | None:
    """Return the address of a node; None if it is not announced (`?`, and no IP address in the metadata)."""
    host = node[0].decode() if isinstance(node[0], bytes) else ""
    if host == "?":
        metadata = dict(zip(node[3][::2], node[3][1::2], strict=True)) if len(node) > 3 else {}  # noqa: PLR2004  # metadata
        host = metadata[b"ip"].decode() if b"ip" in metadata else ""
        return (host, node[1]) if host else None
    return host or asked[0], node[1]  # an empty or null host stands for the node that replied
