"""`HashRing`, under its dotted path in django-valkey."""

from collections.abc import Iterable, Iterator

from dvcache.routing.ring import PLACES, Ring


class HashRing:
    """Maps keys to nodes as the shard client does; nodes can be added and removed.

    Args:
        nodes: the names of the nodes: their URLs.
        replicas: the number of points on the ring for each node.
    """

    def __init__(self, nodes: Iterable[str] = (), replicas: int = PLACES) -> None:
        self.replicas = replicas
        self.nodes: list[str] = list(nodes)
        self._lay()

    def _lay(self) -> None:
        self._ring = Ring(self.nodes, self.replicas)
        self.sorted_keys: list[str] = [digest.hex() for digest in self._ring.digests]
        self.ring: dict[str, str] = dict(zip(self.sorted_keys, self._ring.holders, strict=True))

    def add_node(self, node: str) -> None:
        """Add a node to the ring."""
        self.nodes.append(node)
        self._lay()

    def remove_node(self, node: str) -> None:
        """Remove a node from the ring.

        Raises:
            ValueError: there is no such node.
        """
        self.nodes.remove(node)
        self._lay()

    def get_node(self, key: str) -> str | None:
        """Return the node of a key, None if there are no nodes."""
        return self.get_node_pos(key)[0]

    def get_node_pos(self, key: str) -> tuple[str, int] | tuple[None, None]:
        """Return the node of a key and its position on the ring, -1 for the last point."""
        if not self.nodes:
            return None, None
        place = self._ring.place_of(key.encode())
        return self._ring.holders[place], place

    def iter_nodes(self, key: str) -> Iterator[tuple[str, str] | tuple[None, None]]:
        """Yield `(point, node)` from a key's own point to the end of the ring."""
        _, place = self.get_node_pos(key)
        if place is None:
            yield None, None
        else:
            yield from list(self.ring.items())[place:]

    def __call__(self, key: str) -> str | None:
        """Return the node of a key."""
        return self.get_node(key)
