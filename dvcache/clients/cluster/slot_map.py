"""Parse replies to CLUSTER SLOTS into ranges of slots and their nodes (https://valkey.io/commands/cluster-slots/)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dvcache.errors import ProtocolError
from dvcache.slots import are_ranges
from dvcache.types import Address


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
        told = dict(zip(node[3][::2], node[3][1::2], strict=True)) if len(node) > 3 else {}  # noqa: PLR2004  # metadata
        host = told[b"ip"].decode() if b"ip" in told else ""
        return (host, node[1]) if host else None
    return host or asked[0], node[1]  # an empty or null host stands for the node that replied
