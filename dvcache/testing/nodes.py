"""In-memory nodes that share the slots among them, and refuse what is another's as nodes of a cluster do."""

from collections.abc import Callable, Sequence
from typing import Final

from typing_extensions import override

from dvcache.clients.commands import rule
from dvcache.errors import reply_error
from dvcache.pools.memory.sole import LAST, SoleNode, Store, described
from dvcache.slots import SLOTS, slot
from dvcache.types import Address


class MemoryNode(SoleNode):
    """A node of several: MOVED is its answer for a key of another's, CROSSSLOT for keys of several slots."""

    def __init__(self, store: Store, address: Address, addresses: Sequence[Address]) -> None:
        super().__init__(store, address)
        self._place, self._addresses = addresses.index(address), addresses

    @override
    def execute(self, database: int, command: Sequence[bytes], /) -> object:
        named: tuple[str | bytes, ...] = (command[0].decode().upper(), *command[1:])
        slots = {slot(key) for key in rule(named).keys(named)}
        if len(slots) > 1:
            return reply_error("CROSSSLOT Keys in request don't hash to the same slot")
        for each in slots:
            if (owner := each * len(self._addresses) // SLOTS) != self._place:
                host, port = self._addresses[owner]
                return reply_error(f"MOVED {each} {host}:{port}")
        return super().execute(database, command)

    @override
    def ranges(self) -> list[object]:
        count = len(self._addresses)
        firsts = [-(-place * SLOTS // count) for place in range(count)]
        lasts = [first - 1 for first in firsts[1:]] + [LAST]
        return [described(*each) for each in zip(firsts, lasts, self._addresses, strict=True)]


class MemoryClusters:
    """The clusters of one pool factory: any address that an alias names is a node of its cluster.

    Args:
        nodes: how many primaries a cluster has.
        make: makes what a node holds.
    """

    def __init__(self, nodes: int, make: Callable[[], Store]) -> None:
        self._count, self._make = nodes, make
        self._nodes: Final[dict[Address, MemoryNode]] = {}
        self._first: Final[dict[str, MemoryNode]] = {}
        """A node of each alias."""

    def node(self, alias: str, address: Address) -> MemoryNode:
        """Return the node at an address."""
        found = self._nodes.get(address) or self._first.get(alias)
        if found is None:
            host, port = address
            addresses = [(host, port + n) for n in range(self._count)]
            for each in addresses:
                self._nodes.setdefault(each, MemoryNode(self._make(), each, addresses))
            found = self._nodes[address]
        self._first.setdefault(alias, found)
        return found
