"""In-memory clusters: a single node that owns every slot, and clusters of several nodes."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from typing_extensions import override

from dvcache.error_replies import reply_error
from dvcache.routing.commands import rule_of
from dvcache.routing.slots import SLOTS, slot
from dvcache.types import Address

LAST: Final = 16383
"""The last slot."""


_ACCEPTED: Final = frozenset({b"READONLY", b"READWRITE", b"ASKING"})


class Store(Protocol):
    """Runs commands. Called by in-memory pools, from any thread."""

    def execute(self, database: int, command: Sequence[bytes], /) -> object:
        """Run one command on a numbered database; return its reply, or the server's error."""
        ...


class SoleNode:
    """A node that owns all slots.

    Args:
        store: the node's data.
        address: the address that CLUSTER SLOTS reports.
    """

    def __init__(self, store: Store, address: Address) -> None:
        self._store, self._address = store, address

    def execute(self, database: int, command: Sequence[bytes], /) -> object:
        """Run one command, as `Store.execute`."""
        name = command[0].upper()
        if name == b"CLUSTER":
            return self.cluster(command[1:])
        return b"OK" if name in _ACCEPTED else self._store.execute(database, command)

    def cluster(self, args: Sequence[bytes]) -> object:
        """Run CLUSTER SLOTS; other subcommands are errors."""
        if [arg.upper() for arg in args] != [b"SLOTS"]:
            return reply_error("ERR an in-memory node supports only SLOTS of CLUSTER")
        return self.ranges()

    def ranges(self) -> list[object]:
        """Return the ranges of slots and their nodes."""
        return [described(0, LAST, self._address)]


def described(first: int, last: int, address: Address) -> list[object]:
    """Return a range of slots in the format of CLUSTER SLOTS."""
    host, port = address
    return [first, last, [host.encode(), port, b"%040d" % port, []]]


class MemoryNode(SoleNode):
    """One of several nodes. It replies MOVED for keys of other nodes and CROSSSLOT for keys of several slots."""

    def __init__(self, store: Store, address: Address, addresses: Sequence[Address]) -> None:
        super().__init__(store, address)
        self._place, self._addresses = addresses.index(address), addresses

    @override
    def execute(self, database: int, command: Sequence[bytes], /) -> object:
        named: tuple[str | bytes, ...] = (command[0].decode().upper(), *command[1:])
        slots = {slot(key) for key in rule_of(named).keys(named)}
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
    """The clusters of one pool factory, one for each alias. Any address of an alias is a node of its cluster.

    Args:
        nodes: the number of primaries in each cluster.
        make: creates the data of a node.
    """

    def __init__(self, nodes: int, make: Callable[[], Store]) -> None:
        self._count, self._make = nodes, make
        self._nodes: Final[dict[Address, MemoryNode]] = {}
        self._first: Final[dict[str, MemoryNode]] = {}
        """The first node used by each alias."""

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
