"""A cluster for tests: three primaries with a replica each, any of which may hang, die, or lose its slots."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

from typing_extensions import override

from dvcache import Cache
from dvcache.errors import ConnectError
from dvcache.testing.conformance import MakeCache
from tests.support.replication import AT_ONCE, Node
from tests.support.servers import free_port, wait_until

SLOTS: Final = 16384

_RANGES: Final = ((0, 5460), (5461, 10922), (10923, SLOTS - 1))
"""The first and the last slot of each primary, originally."""

_FEW: Final = 20
"""Maximum number of slots that are moved back. A new cluster refuses commands for two seconds."""

NODE_TIMEOUT: Final = 5000
"""Milliseconds without an answer after which a node counts as down; long enough for a busy machine."""

_OPTIONS: Final = (
    *("--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT)),
    *("--cluster-replica-validity-factor", "0", "--cluster-replica-no-failover", "yes"),
    *(*AT_ONCE, "--repl-ping-replica-period", "1"),
)
"""`Cluster.promote` promotes replicas; they do it by themselves only in tests that ask for it."""


class ClusterNode(Node):
    """A cluster node that keeps its name and its view of the others over a restart."""

    def __init__(self, folder: Path, *options: str, password: str | None = None) -> None:
        self.bus_port = free_port()
        config = folder / f"nodes-{self.bus_port}.conf"
        super().__init__(*_OPTIONS, "--cluster-config-file", str(config), *options, password=password)

    @override
    def start(self, *more: str) -> None:
        try:
            super().start("--cluster-port", str(self.bus_port), *more)
        except ConnectError:  # another process took the bus port
            self.bus_port = free_port()
            super().start("--cluster-port", str(self.bus_port), *more)
        self.id: str = self.raw("CLUSTER", "MYID").decode()

    def view(self) -> dict[str, list[str]]:
        """Return the node's view of each node, from CLUSTER NODES: flags, primary, … slots."""
        lines = self.raw("CLUSTER", "NODES").decode().splitlines()
        return {words[0]: words[1:] for words in map(str.split, lines)}

    def slots(self) -> Iterator[int]:
        """Yield the slots that the node claims, without those that it imports."""
        for word in self.view()[self.id][7:]:
            if not word.startswith("["):
                first, _, last = word.partition("-")
                yield from range(int(first), int(last or first) + 1)

    def info_of_cluster(self) -> dict[str, str]:
        lines = self.raw("CLUSTER", "INFO").decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)


class Cluster:
    """Three primaries and three replicas. Used as a context manager.

    Args:
        options: further arguments of each valkey-server.
        password: password of clients, replicas and nodes.
    """

    def __init__(self, *options: str, password: str | None = None) -> None:
        self._options, self.password = options, password
        self.nodes: tuple[ClusterNode, ...] = ()
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="cluster-")))
            secret = ("--requirepass", self.password, "--masterauth", self.password) if self.password else ()
            nodes = [ClusterNode(folder, *secret, *self._options, password=self.password) for _ in range(6)]
            self.nodes = tuple(exits.enter_context(node) for node in nodes)
            self._join()
            self._exits = exits.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def _join(self) -> None:
        for n, node in enumerate(self.nodes[:3]):
            node.raw("CLUSTER", "ADDSLOTSRANGE", *_RANGES[n])
            node.raw("CLUSTER", "SET-CONFIG-EPOCH", n + 1)
        for node in self.nodes[1:]:
            node.raw("CLUSTER", "MEET", self.nodes[0].host, self.nodes[0].port, self.nodes[0].bus_port)
        wait_until(self._is_joined, 20)
        for primary, replica in zip(self.nodes[:3], self.nodes[3:], strict=True):
            replica.raw("CLUSTER", "REPLICATE", primary.id)
        wait_until(self.is_whole, 20)

    def _is_joined(self) -> bool:
        ids = {node.id for node in self.nodes}
        return all(
            ids == view.keys() and not any("handshake" in words[1] for words in view.values())
            for view in (node.view() for node in self.nodes)
        )

    def is_whole(self) -> bool:
        """Return True if every node is up and sees three primaries with all slots, each with a replica in sync."""
        if any(node.state != "up" for node in self.nodes):
            return False
        views = [self._roles(node) for node in self.nodes]
        return (
            all(view == views[0] and len(view) == len(self.nodes) for view in views)
            and sorted(role for role, _ in views[0].values()).count("master") == 3  # as it was created
            and all(node.info_of_cluster()["cluster_state"] == "ok" for node in self.nodes)
            and all(
                each["role"] == "master" or each["master_link_status"] == "up"
                for each in (node.info("replication") for node in self.nodes)
            )
        )

    def _roles(self, node: ClusterNode) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Return each node's role and slots as one of them sees it; empty if it misses one."""
        view = node.view()
        if any({"fail", "fail?", "handshake", "noaddr"} & set(words[1].split(",")) for words in view.values()):
            return {}
        return {
            name: (next(flag for flag in words[1].split(",") if flag in {"master", "slave"}), tuple(words[7:]))
            for name, words in view.items()
        }

    @property
    def primaries(self) -> tuple[ClusterNode, ...]:
        """The nodes that are up and have slots, in the order of these."""
        found = {}
        for node in self.nodes:
            if node.state == "up":
                words = node.view()[node.id]
                if "master" in words[1] and (slots := [word for word in words[7:] if not word.startswith("[")]):
                    found[int(slots[0].partition("-")[0])] = node
        return tuple(found[first] for first in sorted(found))

    def owner(self, slot: int) -> ClusterNode:
        """Return the primary that claims a slot, once there is one."""
        found: list[ClusterNode] = []

        def look() -> bool:
            found.extend(self._holders(slot))
            return bool(found)

        wait_until(look)
        return found[0]

    def _holders(self, slot: int) -> Iterator[ClusterNode]:
        """Yield the primaries that claim a slot: for a moment of a migration, none."""
        yield from (node for node in self.primaries if slot in node.slots())

    def replica_of(self, primary: ClusterNode) -> ClusterNode:
        asked = next(node for node in self.nodes if node.state == "up")
        [name] = [name for name, words in asked.view().items() if words[2] == primary.id]
        return next(node for node in self.nodes if node.id == name)

    def wait_listed(self) -> None:
        """Wait until every primary lists every replica: one without data is not listed."""
        wait_until(lambda: all(len(each) > 3 for node in self.primaries for each in node.raw("CLUSTER", "SLOTS")))

    def urls(self) -> list[str]:
        return [node.url(password=self.password) for node in self.nodes[:3]]

    def flush(self) -> None:
        for node in self.primaries:
            node.raw("FLUSHALL")

    def move(self, slot: int, target: ClusterNode, between: Any = None) -> None:
        """Move a slot as valkey-cli does: SETSLOT on both sides, MIGRATE in small parts, SETSLOT NODE.

        Args:
            slot: number of the slot.
            target: its new owner.
            between: called after each part.
        """
        source = self.owner(slot)
        if source is target:
            return
        with self.moving(slot, target) as moved:
            while keys := source.raw("CLUSTER", "GETKEYSINSLOT", slot, 25):
                moved(*keys)
                if between is not None:
                    between()

    @contextmanager
    def moving(self, slot: int, target: ClusterNode) -> Iterator[Callable[..., None]]:
        """Migrate a slot to another primary within the block; finish the migration at its end.

        Yields:
            Function that moves keys.
        """
        source = self.owner(slot)
        login = ("AUTH", self.password) if self.password else ()

        def moved(*keys: bytes) -> None:
            source.raw("MIGRATE", target.host, target.port, "", 0, 5000, "REPLACE", *login, "KEYS", *keys)

        target.raw("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        source.raw("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
        yield moved
        while keys := source.raw("CLUSTER", "GETKEYSINSLOT", slot, 25):
            moved(*keys)
        for node in (target, source, *(node for node in self.primaries if node not in {source, target})):
            node.raw("CLUSTER", "SETSLOT", slot, "NODE", target.id)

    def migrate(self, slot: int, target: ClusterNode) -> None:
        """Move a slot as Valkey 9 does, with all its keys at once."""
        source = self.owner(slot)
        source.raw("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", target.id)
        wait_until(lambda: self.owner(slot) is target)

    def promote(self, replica: ClusterNode, *how: str) -> None:
        """Promote a replica: in agreement with its primary, or with `TAKEOVER` regardless of it."""
        replica.raw("CLUSTER", "FAILOVER", *how)
        wait_until(lambda: replica in self.primaries)

    @contextmanager
    def without(self, *nodes: ClusterNode) -> Iterator[None]:
        """Kill nodes within the block, and restart them afterwards."""
        for node in nodes:
            node.kill()
        try:
            yield
        finally:
            for node in nodes:
                node.restart()

    def restore(self) -> None:
        """Restore all nodes and the original slots; create the cluster anew if that fails."""
        if not (self._becomes_whole() and (self._has_original_slots() or self._move_back())):
            self._exits.close()
            self.__enter__()

    def _becomes_whole(self) -> bool:
        """Wait at most a second for gossip; return True if every node is up and the cluster whole."""
        if any(node.state != "up" for node in self.nodes):
            return False
        with suppress(AssertionError):
            wait_until(self.is_whole, 1)
        return self.is_whole()

    def _has_original_slots(self) -> bool:
        return [node.view()[node.id][7:] for node in self.primaries] == [[f"{first}-{last}"] for first, last in _RANGES]

    def _move_back(self) -> bool:
        """Move slots back to the primary of most of their range; return True if that restores the original slots."""
        owners = {slot: node for node in self.primaries for slot in node.slots()}
        ranges = [Counter(owners[slot] for slot in range(first, last + 1)) for first, last in _RANGES]
        homes = [each.most_common(1)[0][0] for each in ranges]
        strays = [slot for slot, node in owners.items() if node is not homes[_range(slot)]]
        if len(set(homes)) < len(homes) or len(strays) > _FEW:
            return False
        self.flush()
        for slot in strays:
            self.move(slot, homes[_range(slot)])
        return self._becomes_whole() and self._has_original_slots()


def _range(slot: int) -> int:
    return next(number for number, (_, last) in enumerate(_RANGES) if slot <= last)


def on_cluster(make: MakeCache) -> MakeCache:
    """Return a function that makes caches whose LOCATION names nodes of a cluster."""

    def make_cache(**settings: Any) -> Cache:
        return make(**{**settings, "OPTIONS": {"CLUSTER": True, **settings.get("OPTIONS", {})}})

    return make_cache
