"""A primary with replicas for tests, any of which may hang, die, lag or lose its link."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Literal, Self

import valkey
from typing_extensions import override

from dvcache.errors import ConnectError
from dvcache.pools.embedded.process import READY, ServerProcess
from tests.support.proxies import DelayProxy
from tests.support.servers import Server, free_port, wait_until

AT_ONCE: Final = ("--repl-diskless-sync-delay", "0", "--repl-diskless-load", "flush-before-load")
"""Options for replicas in sync at once.

By default a primary waits 5 s for more replicas, and a replica that stored its copy on disk notices up to 1 s later.
"""

_OPTIONS: Final = (*AT_ONCE, "--repl-ping-replica-period", "1")


def calls(server: Server, command: str) -> int:
    """Return how often the server performed the command, on a replica those of the primary included."""
    return _statistic(server, command, "calls")


def refusals(server: Server, command: str) -> int:
    """Return how often the server refused the command, as a replica refuses a write."""
    return _statistic(server, command, "rejected_calls")


def reset_calls(*servers: Server) -> None:
    for server in servers:
        server.raw("CONFIG", "RESETSTAT")


def run_id(server: Server) -> str:
    """Return the server's run id, which changes at each start."""
    return server.info("server")["run_id"]


def role(server: Server) -> str:
    """Return the server's own role: `master` or `slave`."""
    return server.info("replication")["role"]


def clients(server: Server) -> list[dict[str, str]]:
    """Return the server's ordinary connections from CLIENT LIST, this one among them."""
    lines = server.raw("CLIENT", "LIST", "TYPE", "NORMAL").decode().splitlines()
    return [dict(field.split("=", 1) for field in line.split()) for line in lines]


def _statistic(server: Server, command: str, name: str) -> int:
    line = server.info("commandstats").get(f"cmdstat_{command}", "")
    return int(dict(field.split("=") for field in line.split(",") if field).get(name, 0))


class NodeProcess(ServerProcess):
    """A server that may require a password; a sentinel if it has a configuration file, which it rewrites."""

    def __init__(self, options: list[str], config: Path | None = None) -> None:
        self._config = config
        super().__init__(options)

    @override
    def _spawn(self, command: Any) -> None:
        binary, *options = command
        super()._spawn([binary, str(self._config), *options, "--sentinel"] if self._config else command)

    @override
    def _wait(self) -> None:
        ended = self.folder / "ended"
        wait_until(lambda: self.listens() or ended.exists(), READY)
        if ended.exists():
            raise ConnectError(f"valkey-server ended at its start: {self._log()}")


class Node(Server):
    """A server of a topology that may require a password and records the changes made by a test.

    Args:
        options: further arguments of valkey-server.
        password: password of clients, of replicas, and of the node itself as a replica.
        config: a sentinel's configuration file, which outlives its process.
    """

    def __init__(self, *options: str, password: str | None = None, config: Path | None = None) -> None:
        super().__init__(*options)
        self.password, self.config = password, config
        self.state: Literal["up", "hanging", "down"] = "down"

    @override
    def start(self, *more: str) -> None:
        """Start the node, on its last port if it had one.

        Args:
            more: arguments of valkey-server for this time only.
        """
        for attempts_left in (2, 1, 0):
            port = self.port or free_port()
            options = ["--bind", self.host, "--port", str(port), *self.options, *more]
            try:
                self._process = NodeProcess(options, self.config)
            except ConnectError:  # another process took the port
                if not attempts_left:
                    raise
            else:
                self.port, self.state = port, "up"
                return

    @override
    def stop(self) -> None:
        super().stop()
        self.state = "down"

    @override
    def kill(self) -> None:
        super().kill()
        self.state = "down"

    @override
    def pause(self) -> None:
        super().pause()
        self.state = "hanging"

    @override
    def resume(self) -> None:
        super().resume()
        self.state = "up"

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    def follow(self, host: str, port: int) -> None:
        """Make the node a replica; start it if it is down."""
        if self.state == "down":
            self.stop()
            self.start("--replicaof", host, str(port))
        else:
            self.raw("REPLICAOF", host, port)

    @override
    def _exchange(self, command: tuple[str | bytes | float, ...]) -> Any:
        if self._connection is None:
            self._connection = valkey.Connection(self.host, self.port, password=self.password, socket_timeout=10)
        return super()._exchange(command)


class Replication:
    """A primary and its replicas, in sync from the start. Used as a context manager.

    Args:
        replicas: number of replicas.
        password: password of every node.
        lagging: number of replicas, the last ones, linked through the proxy `link`, whose `delay` is their lag.
    """

    def __init__(self, replicas: int = 2, *, password: str | None = None, lagging: int = 0) -> None:
        secret = () if password is None else ("--requirepass", password, "--masterauth", password)
        self.nodes = tuple(Node(*_OPTIONS, *secret, password=password) for _ in range(replicas + 1))
        self.link: DelayProxy | None = None
        self._lagging = lagging
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            first, *others = (exits.enter_context(node) if node is self.nodes[0] else node for node in self.nodes)
            if self._lagging:
                self.link = exits.enter_context(DelayProxy(first.port))
            for node in others:
                exits.callback(node.stop)
                node.follow(*self.source(node))
            self.wait_in_sync()
            self._exits = exits.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    @property
    def primary(self) -> Node:
        """The node that is up and has the role of the primary."""
        [found] = [node for node in self.nodes if node.state == "up" and role(node) == "master"]
        return found

    @property
    def replicas(self) -> tuple[Node, ...]:
        """The other nodes, in any state."""
        primary = self.primary
        return tuple(node for node in self.nodes if node is not primary)

    def urls(self, db: int = 0) -> list[str]:
        """Return the nodes' URLs, the primary's first."""
        return [node.url(db, password=node.password) for node in (self.primary, *self.replicas)]

    def node(self, address: tuple[str, int]) -> Node:
        [found] = [node for node in self.nodes if node.address == address]
        return found

    def source(self, replica: Node) -> tuple[str, int]:
        """Return the address of the replica's data source while the first node is the primary."""
        linked = replica in self.nodes[len(self.nodes) - self._lagging :]
        return ("127.0.0.1", self.link.port) if linked and self.link else self.nodes[0].address

    def cut_link(self, replica: Node) -> None:
        """Cut the replica off from its primary until `restore`; it serves its old data."""
        replica.follow(replica.host, free_port())

    def in_sync(self, primary: Node | None = None) -> bool:
        """Return True if every node is up and has all data of the primary.

        Args:
            primary: by default the first node.
        """
        primary = primary or self.nodes[0]
        if any(node.state != "up" for node in self.nodes):
            return False
        there = primary.info("replication")
        others = [node for node in self.nodes if node is not primary]
        online = sum("state=online" in value for name, value in there.items() if name.startswith("slave"))
        return (
            there["role"] == "master"
            and online == len(others)
            and all(_has(node.info("replication"), int(there["master_repl_offset"])) for node in others)
        )

    def wait_in_sync(self, primary: Node | None = None) -> None:
        wait_until(lambda: self.in_sync(primary), 20)

    def wait_caught_up(self) -> None:
        """Wait until the replicas have all data that the first node has now; it may write more in the meantime."""
        wait_caught_up(self.nodes[0], self.nodes[1:])

    def flush(self) -> None:
        """Empty every database, on the replicas too."""
        primary = self.primary
        primary.raw("FLUSHALL")
        self.wait_in_sync(primary)

    def restore(self) -> None:
        """Restore every node, with the first one as the primary, without delays."""
        first, *others = self.nodes
        if self.link and self.link.delay:
            self.link.delay = 0.0
            self.link.cut()  # delayed data is not worth the wait
        for node in self.nodes:
            if node.state == "hanging":
                node.resume()
        if first.state == "down":
            first.restart()
        elif role(first) != "master":
            first.raw("REPLICAOF", "NO", "ONE")
        for node in others:
            node.follow(*self.source(node))
        self.wait_in_sync()


def wait_caught_up(primary: Server, replicas: Iterable[Server]) -> None:
    """Wait until replicas have all data that the primary has now; it may write more in the meantime."""
    offset = int(primary.info("replication")["master_repl_offset"])
    wait_until(lambda: all(_has(node.info("replication"), offset) for node in replicas), 20)


def _has(replica: dict[str, str], offset: int) -> bool:
    linked = replica["role"] == "slave" and replica["master_link_status"] == "up"
    return linked and int(replica["slave_repl_offset"]) >= offset
