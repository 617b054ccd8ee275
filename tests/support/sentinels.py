"""Sentinels for tests: three of them, over one replication for each service name.

Several names for one primary would not work: sentinels take the failover of one for a fault of the other, and promote
and demote without end.
"""

import json
import secrets
import tempfile
from collections.abc import Container, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Self

from typing_extensions import override

from tests.support.replication import Node, Replication
from tests.support.sentinel_announcements import Address, Announcements
from tests.support.servers import wait_until

SERVICES: Final = ("service_name", "minimal_service_name", "other_service_name", "readonly_service_name")
"""Known services; each is started on its first use."""

QUORUM: Final = 2

DOWN_AFTER: Final = 1.0
"""Seconds without an answer after which a sentinel considers a node down."""

_MONITORING: Final = {
    "down-after-milliseconds": int(DOWN_AFTER * 1000),
    "failover-timeout": 3000,
    "parallel-syncs": 2,
}
_LINKED: Final = {"failover-timeout": 3_600_000}
"""Milliseconds for which sentinels tolerate a replica that follows another address, as that of a proxy."""

_PERIODS: Final = {
    "info-period": 400,
    "ping-period": 400,
    "ask-period": 100,
    "publish-period": 750,
    "tilt-period": 100,
}
"""Periods in milliseconds (SENTINEL DEBUG); the usual ones, of seconds, would make tests slow.

In a failover sentinels query nodes once a second, whatever the info-period. Hence two lower limits: they promote no
replica that they have not queried for five times the ping-period (so at least 300), and sentinels that have not heard
of a promotion undo it after four times the publish-period (at least 500). An old primary is not demoted before that
either. A sentinel that was stopped for two seconds does nothing for the tilt-period afterwards, by default half a
minute.
"""

_WRONG: Final = frozenset({"s_down", "o_down", "disconnected", "failover_in_progress", "force_failover"})

_RESTORED: Final = 30.0


class Sentinel(Node):
    """A sentinel that keeps its configuration when it is killed."""

    def __init__(self, folder: Path, *, password: str | None = None) -> None:
        config = folder / f"{secrets.token_hex(4)}.conf"
        lines = [f"sentinel myid {secrets.token_hex(20)}"]
        if password is not None:
            lines += [f"requirepass {json.dumps(password)}", f"sentinel sentinel-pass {json.dumps(password)}"]
        config.write_text("\n".join([*lines, ""]))
        super().__init__(password=password, config=config)

    @override
    def start(self, *more: str) -> None:
        self._forget_folder()
        super().start(*more)
        self.raw("SENTINEL", "DEBUG", *(word for pair in _PERIODS.items() for word in pair))

    def _forget_folder(self) -> None:
        """Remove the directory of the last process, which no longer exists, from the configuration."""
        assert self.config is not None
        lines = self.config.read_text().splitlines()
        self.config.write_text("".join(f"{line}\n" for line in lines if not line.startswith("dir ")))

    def monitor(self, service: str, primary: Node, **more: int) -> None:
        self.raw("SENTINEL", "MONITOR", service, primary.host, primary.port, QUORUM)
        if primary.password is not None:
            self.raw("SENTINEL", "SET", service, "auth-pass", primary.password)
        for name, value in (_MONITORING | more).items():
            self.raw("SENTINEL", "SET", service, name, value)

    def primary_address(self, service: str) -> Address:
        host, port = self.raw("SENTINEL", "GET-MASTER-ADDR-BY-NAME", service)
        return host.decode(), int(port)

    def sees_whole(self, service: str, *, replicas: int, sentinels: int, sources: Container[int] = ()) -> bool:
        """Return True if the sentinel knows so many replicas and other sentinels, and no fault.

        Args:
            service: name of the service.
            replicas: number of replicas.
            sentinels: number of other sentinels.
            sources: ports besides the primary's from which replicas may take their data.
        """
        primary = _record(self.raw("SENTINEL", "MASTER", service))
        there = [_record(reply) for reply in self.raw("SENTINEL", "REPLICAS", service)]
        others = [_record(reply) for reply in self.raw("SENTINEL", "SENTINELS", service)]
        return (
            (len(there), len(others)) == (replicas, sentinels)
            and not any(_WRONG & set(each["flags"].split(",")) for each in (primary, *there, *others))
            and all(each["master-link-status"] == "ok" for each in there)
            and all(each["master-port"] == primary["port"] or int(each["master-port"]) in sources for each in there)
            and (primary["role-reported"], {each["role-reported"] for each in there}) == ("master", {"slave"})
        )


def _record(reply: list[bytes]) -> dict[str, str]:
    words = [word.decode() for word in reply]
    return dict(zip(words[::2], words[1::2], strict=True))


class SentinelFleet:
    """Three sentinels and, for each service in use, a primary and two replicas. Used as a context manager.

    Args:
        password: password of every data node.
        sentinel_password: password of every sentinel.
        lagging: number of each service's replicas linked through its replication's `link`. With any, no failover ends.
    """

    def __init__(self, *, password: str | None = None, sentinel_password: str | None = None, lagging: int = 0) -> None:
        self._password, self._sentinel_password, self._lagging = password, sentinel_password, lagging
        self.sentinels: tuple[Sentinel, ...] = ()
        self._replications: dict[str, Replication] = {}
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="sentinels-")))
            sentinels = [Sentinel(folder, password=self._sentinel_password) for _ in range(3)]
            self.sentinels = tuple(exits.enter_context(sentinel) for sentinel in sentinels)
            self._exits = exits.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    @property
    def addresses(self) -> list[Address]:
        """Hosts and ports of the sentinels, in the form of SENTINELS."""
        return [sentinel.address for sentinel in self.sentinels]

    def replication(self, service: str) -> Replication:
        """Return the service's nodes, started and monitored on first use."""
        assert service in SERVICES, f"no service of this fleet: {service}"
        if service not in self._replications:
            replication = self._exits.enter_context(Replication(password=self._password, lagging=self._lagging))
            self._replications[service] = replication
            for sentinel in self.sentinels:
                sentinel.monitor(service, replication.nodes[0], **(_LINKED if self._lagging else {}))
            self.wait_whole(service)
        return self._replications[service]

    def primary_address(self, service: str) -> Address:
        """Return the primary's address from the first sentinel that is up."""
        self.replication(service)
        return self._up()[0].primary_address(service)

    def primary(self, service: str) -> Node:
        """Return the primary according to the sentinels."""
        return self.replication(service).node(self.primary_address(service))

    def replicas(self, service: str) -> tuple[Node, ...]:
        """Return the service's other nodes, in any state."""
        primary = self.primary(service)
        return tuple(node for node in self.replication(service).nodes if node is not primary)

    def failover(self, service: str, *, demote: bool = False) -> Node:
        """Let the sentinels promote a replica; return it when the old primary is its replica in sync.

        Args:
            service: name of the service.
            demote: True to make the old primary a replica once the sentinels agree; they would do so 3 s later.
        """
        self.wait_whole(service)
        old = self.primary(service)
        self._up()[0].raw("SENTINEL", "FAILOVER", service)
        new = self.wait_for_new_primary(service, old)
        if demote:
            old.follow(*new.address)
        self.wait_whole(service)
        return new

    def wait_for_new_primary(self, service: str, old: Node, seconds: float = 15.0) -> Node:
        """Return the primary that is not `old`, when all sentinels that are up agree on it."""
        said: set[Address] = set()

        def agreed() -> bool:
            said.clear()
            said.update(sentinel.primary_address(service) for sentinel in self._up())
            return len(said) == 1 and old.address not in said

        wait_until(agreed, seconds)
        return self.replication(service).node(said.pop())

    @contextmanager
    def announcements(self) -> Iterator[Announcements]:
        """Listen to the sentinels' announcements within the block; killed sentinels announce nothing more."""
        with Announcements(self._up()) as announcements:
            yield announcements

    def is_whole(self, service: str) -> bool:
        """Return True if all nodes are up and in sync, and every sentinel sees that."""
        replication = self.replication(service)
        sources = {replication.source(node)[1] for node in replication.nodes} if self._lagging else ()
        knows = {"replicas": len(replication.nodes) - 1, "sentinels": len(self.sentinels) - 1}
        return (
            len(self._up()) == len(self.sentinels)
            and len({sentinel.primary_address(service) for sentinel in self.sentinels}) == 1
            and replication.in_sync(self.primary(service))
            and all(sentinel.sees_whole(service, **knows, sources=sources) for sentinel in self.sentinels)
        )

    def wait_whole(self, service: str) -> None:
        wait_until(lambda: self.is_whole(service), _RESTORED)

    def restore(self) -> None:
        """Restore all sentinels and nodes, and wait until every service in use is complete."""
        for sentinel in self.sentinels:
            _bring_back(sentinel)
        for service in self._replications:
            self._restore(service)

    def flush(self) -> None:
        """Empty every database of the services in use."""
        for service, replication in self._replications.items():
            primary = self.primary(service)
            primary.raw("FLUSHALL")
            replication.wait_in_sync(primary)

    def _restore(self, service: str) -> None:
        nodes = self.replication(service).nodes
        for node in nodes:
            if node.state == "hanging":
                node.resume()
                if node is not self.primary(service):
                    node.follow(*self.primary_address(service))
        primary = self.primary(service)
        if primary.state == "down" and any(node.state == "up" for node in nodes):
            primary = self.wait_for_new_primary(service, primary)
        _bring_back(primary)
        for node in nodes:
            if node.state == "down":
                node.follow(*primary.address)
        self.wait_whole(service)

    def _up(self) -> tuple[Sentinel, ...]:
        return tuple(sentinel for sentinel in self.sentinels if sentinel.state == "up")


def _bring_back(node: Node) -> None:
    if node.state == "hanging":
        node.resume()
    elif node.state == "down":
        node.restart()
