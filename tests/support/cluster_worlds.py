"""A fake cluster under a client: the owners of keys, and the time of the last slot map."""

from typing import Any

from dvcache.routing.slots import slot
from dvcache.testing import ManualClock
from tests.support.fake_cluster import Node, World

A, B, C = b"a", b"b", b"c"
"""Keys of three different primaries."""
LIMIT = 0.5
"""Seconds until a batch gives up, in the tests that wait for that."""


def nodes_of(client: Any) -> Any:
    return getattr(client, "client", client).primary.routing.nodes


def forget_when(client: Any, ago: float = 60) -> None:
    """Move the last slot map refresh so many seconds into the past."""
    nodes_of(client)._attempted_at = nodes_of(client).clock() - ago


def limit(client: Any) -> None:
    """Limit the search for owners to `LIMIT` seconds."""
    nodes_of(client).timeout = LIMIT


def owner(world: World, key: bytes) -> Node:
    return world.owner(slot(key))


def other(world: World, key: bytes) -> Node:
    return next(node for node in world.nodes if node is not owner(world, key))


def count_time(client: Any) -> ManualClock:
    """Give a cluster's client a manual clock."""
    nodes_of(client).clock = clock = ManualClock()
    forget_when(client)
    return clock
